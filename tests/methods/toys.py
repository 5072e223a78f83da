"""A toy graph with everything that is awkward about graphs, and the outputs of a teacher and a student on it."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.data import Data

from workbench.methods.base import Method, Sum, SumObjective, Widths
from workbench.models.base import Output


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
        return Toy(batch, rows(self.teacher, order), rows(self.student, order))

    def to(self, device: str) -> "Toy":
        """On another device; the student's outputs are leaves again."""

        def moved(output: Output) -> Output:
            logits, *hidden = [h.detach().to(device).requires_grad_() for h in (output.logits, *output.hidden)]
            return Output(logits, hidden)

        return Toy(self.batch.clone().to(device), moved(self.teacher), moved(self.student))


def built(method: Method, toy: Toy, seed: int = 0) -> SumObjective:
    """The objective of one method for the toy's models, in the toy's number format."""
    torch.manual_seed(seed)
    return Sum((method,)).build(*toy.widths()).to(toy.batch.x.dtype)


def numbers(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: term.item() for name, term in terms.items()}


def rows(output: Output, index: Tensor) -> Output:
    return Output(output.logits[index], [h[index] for h in output.hidden])


def random_output(nodes: int, widths: tuple[int, ...], classes: int, generator: torch.Generator) -> Output:
    """Hidden layers of these widths and logits, all float64 and leaves."""
    sizes = (*widths, classes)
    *hidden, logits = [torch.randn(nodes, w, generator=generator, dtype=torch.float64) for w in sizes]
    return Output(logits.requires_grad_(), [h.requires_grad_() for h in hidden])


def masked_batch(edges: Tensor, train: Tensor, generator: torch.Generator, dtype: torch.dtype = torch.float64) -> Data:
    """A graph of three classes, whose other nodes than ``train`` (N,) validate."""
    nodes = train.numel()
    return Data(
        x=torch.randn(nodes, 6, generator=generator, dtype=torch.float64).to(dtype),
        y=torch.randint(0, 3, (nodes,), generator=generator),
        edge_index=edges,
        train_mask=train,
        val_mask=~train,
        test_mask=torch.zeros(nodes, dtype=torch.bool),
    )


def awkward_output(nodes: int, widths: tuple[int, ...], dtype: torch.dtype, generator: torch.Generator) -> Output:
    output = random_output(nodes, widths, 3, generator)
    hidden = [h.detach().relu() for h in output.hidden]
    for h in hidden:
        h[3] = 0  # a dead row
        h[5] = h[4]  # two nodes in one place
    logits = output.logits.detach().to(dtype)
    return Output(logits.requires_grad_(), [h.to(dtype).requires_grad_() for h in hidden])


def make(seed: int = 0, dtype: torch.dtype = torch.float64) -> Toy:
    """Twelve nodes: self-loops, duplicate edges, an isolated node, a training half whose nodes are linked."""
    generator = torch.Generator().manual_seed(seed)
    nodes = 12
    edges = torch.randint(0, nodes - 1, (2, 30), generator=generator)  # node 11 is isolated
    edges = edges[:, edges[0] != edges[1]]
    awkward = torch.tensor([[2, 2, 0, 4, 0], [2, 4, 2, 5, 3]])  # a self-loop, training pairs, a pair in one place
    edges = torch.cat([edges, awkward, awkward[:, 1:3]], dim=1)
    batch = masked_batch(edges, torch.arange(nodes) % 2 == 0, generator, dtype)
    teacher = awkward_output(nodes, (7, 5), dtype, generator)
    return Toy(batch, teacher, awkward_output(nodes, (4,), dtype, generator))
