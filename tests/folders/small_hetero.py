"""A small bibliography: papers of two classes, authors with features, venues without, written as a HeteroData."""

import torch
from torch_geometric.data import HeteroData

PAPERS, AUTHORS, VENUES = 40, 25, 4


def bibliography(cites: bool = False, seed: int = 0) -> HeteroData:
    """Papers of a class have words of their own, authors and venues that keep to one class; ``cites`` joins papers."""
    generator = torch.Generator().manual_seed(seed)

    def draw(low: int, high: int, count: int) -> torch.Tensor:
        return torch.randint(low, high, (count,), generator=generator)

    data = HeteroData()
    y = torch.arange(PAPERS) % 2
    data["paper"].x = torch.randn(PAPERS, 6, generator=generator) + y[:, None]
    data["paper"].y = y
    data["author"].x = torch.randn(AUTHORS, 3, generator=generator)
    data["venue"].num_nodes = VENUES
    paper = torch.arange(PAPERS).repeat(2)
    author = 2 * draw(0, AUTHORS // 2, 2 * PAPERS) + y[paper]
    data["author", "writes", "paper"].edge_index = torch.stack([author, paper])
    data["paper", "in", "venue"].edge_index = torch.stack([torch.arange(PAPERS), 2 * draw(0, 2, PAPERS) + y])
    if cites:
        data["paper", "cites", "paper"].edge_index = torch.stack([draw(0, PAPERS, 30), draw(0, PAPERS, 30)])
    for place, name in enumerate(("train", "val", "test")):
        data["paper"][f"{name}_mask"] = torch.arange(PAPERS) // 2 % 3 == place
    return data
