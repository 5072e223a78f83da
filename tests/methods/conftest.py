"""A toy graph with everything that is awkward about graphs, and the outputs of a teacher and a student on it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data

from workbench.methods.base import SumObjective, Widths
from workbench.models.base import Output

sys.path.insert(0, str(Path(__file__).parent))  # for numpy_formulas, which the test files share


@dataclass
class Toy:
    """A batch and what both models give on it."""

    batch: Data
    teacher: Output
    student: Output

    def terms(self, objective: SumObjective) -> dict[str, Tensor]:
        return objective(self.student, objective.targets(self.teacher, self.batch), self.batch)

    def widths(self) -> tuple[Widths, Widths]:
        return Widths.of(self.teacher), Widths.of(self.student)

    def relabelled(self, seed: int) -> "Toy":
        """The same graph under other node names, with its edges in another order."""
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(self.batch.num_nodes, generator=generator)
        place = order.argsort()
        shuffle = torch.randperm(self.batch.edge_index.shape[1], generator=generator)
        batch = Data(
            x=self.batch.x[order],
            y=self.batch.y[order],
            edge_index=place[self.batch.edge_index][:, shuffle],
            **{key: self.batch[key][order] for key in ("train_mask", "val_mask", "test_mask")},
        )
        return Toy(batch, _rows(self.teacher, order), _rows(self.student, order))


def _rows(output: Output, order: Tensor) -> Output:
    return Output(output.logits[order], [h[order] for h in output.hidden])


def _output(widths: list[int], classes: int, nodes: int, dtype: torch.dtype, generator: torch.Generator) -> Output:
    hidden = [torch.randn(nodes, w, generator=generator, dtype=torch.float64).relu() for w in widths]
    for h in hidden:
        h[3] = 0  # a dead row
        h[5] = h[4]  # two nodes in one place
    logits = torch.randn(nodes, classes, generator=generator, dtype=torch.float64)
    return Output(logits.to(dtype).requires_grad_(), [h.to(dtype).requires_grad_() for h in hidden])


def make(seed: int = 0, dtype: torch.dtype = torch.float64) -> Toy:
    """Twelve nodes: self-loops, duplicate edges, an isolated node, a training half whose nodes are linked."""
    generator = torch.Generator().manual_seed(seed)
    nodes = 12
    edges = torch.randint(0, nodes - 1, (2, 30), generator=generator)  # node 11 is isolated
    edges = edges[:, edges[0] != edges[1]]
    awkward = torch.tensor([[2, 2, 0, 4, 0], [2, 4, 2, 5, 3]])  # a self-loop, training pairs, a pair in one place
    edges = torch.cat([edges, awkward, awkward[:, 1:3]], dim=1)
    train = torch.arange(nodes) % 2 == 0
    batch = Data(
        x=torch.randn(nodes, 6, generator=generator, dtype=torch.float64).to(dtype),
        y=torch.randint(0, 3, (nodes,), generator=generator),
        edge_index=edges,
        train_mask=train,
        val_mask=~train,
        test_mask=torch.zeros(nodes, dtype=torch.bool),
    )
    return Toy(batch, _output([7, 5], 3, nodes, dtype, generator), _output([4], 3, nodes, dtype, generator))


@pytest.fixture
def make_toy() -> Callable[..., Toy]:
    return make


@pytest.fixture
def toy() -> Toy:
    return make()
