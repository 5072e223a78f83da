"""The weights of edges are those of the matrices that they stand for."""

import pytest
import torch

from workbench.models.layers.edge_weights import averaged, normalised, summed

NODES = 30


@pytest.mark.parametrize("weigh", [normalised, averaged, summed])
def test_weights_are_those_of_the_dense_matrix(weigh):
    edge_index = torch.randint(0, NODES, (2, 60), generator=torch.Generator().manual_seed(0))
    edge_index[:, 0] = 4  # a self-loop
    adjacency = torch.zeros(NODES, NODES, dtype=torch.float64)
    for source, destination in edge_index.T.tolist():
        adjacency[destination, source] += 1
    if weigh is normalised:
        adjacency.fill_diagonal_(1)
        adjacency /= (adjacency.sum(1)[:, None] * adjacency.sum(1)).sqrt()
    elif weigh is averaged:
        adjacency /= adjacency.sum(1, keepdim=True).clamp(min=1)
    found = torch.zeros(NODES, NODES, dtype=torch.float64)
    edges_, weight = weigh(edge_index, NODES, torch.float64)
    found.index_put_((edges_[1], edges_[0]), weight, accumulate=True)
    torch.testing.assert_close(found, adjacency)
