"""What every model of the workbench gives: logits, hidden states, attention; and its config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from workbench.datasets.base import DatasetConfig, Holds, Task, held_by
from workbench.options import Component

if TYPE_CHECKING:
    from typing import Protocol

    class Encoder(Protocol):
        """Anything with ``encode``: our models and what :func:`workbench.wrap` returns."""

        def encode(self, x: Tensor, edge_index: Tensor) -> Output: ...


class Attention(NamedTuple):
    """Attention of one layer: ``edge_index`` (2, E'), self-loops included, and ``weight`` (E', H)."""

    edge_index: Tensor
    weight: Tensor


@dataclass
class Output:
    """What ``encode`` returns.

    ``logits`` (N, C); ``hidden`` one (N, d_l) tensor per hidden layer, after normalisation,
    activation and dropout, input side first; ``attention`` one entry per layer that attends, or
    None for a model without attention; ``edges`` the edge_index (2, E_l) of every hidden layer, of a
    model that builds its own graphs, else None. Where whole graphs are classified, ``logits`` has a row per graph.
    """

    logits: Tensor
    hidden: list[Tensor]
    attention: list[Attention] | None = None
    edges: list[Tensor] | None = None

    @property
    def layers(self) -> list[Tensor]:
        """Hidden states and, last, the logits: every layer of the model."""
        return [*self.hidden, self.logits]

    def detach(self) -> Output:
        """The same output, cut from the graph of gradients."""
        attention = self.attention and [Attention(a.edge_index, a.weight.detach()) for a in self.attention]
        return Output(self.logits.detach(), [h.detach() for h in self.hidden], attention, self.edges)


class GraphModel(nn.Module):
    """Base of our models: ``forward`` is ``encode(...).logits``. Subclasses write ``encode``.

    ``takes_sparse`` says that ``x`` may also be a sparse CSR tensor; see :mod:`workbench.models.features`.
    """

    takes_sparse: bool = False

    @property
    def same_in_training(self) -> bool:
        """Whether the forward pass of training mode is that of evaluation mode: no dropout, no batch normalisation."""
        return False

    def encode(self, x: Tensor, edge_index: Tensor) -> Output:
        raise NotImplementedError(f"{type(self).__name__} must define encode(x, edge_index) -> Output")

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Logits (N, C) of node features ``x`` (N, F) on ``edge_index`` (2, E)."""
        return self.encode(x, edge_index).logits

    def reset_parameters(self) -> None:
        """Draw every weight anew from torch's random state."""
        from torch_geometric.nn.inits import reset

        for child in self.children():
            reset(child)

    def __repr__(self) -> str:
        """One line, sizes first: a 64-layer model fits on it too."""
        return f"{type(self).__name__}({', '.join(filter(None, (self.extra_repr(), self._size())))})"

    def _size(self) -> str:
        return f"{sum(p.numel() for p in self.parameters() if p.requires_grad):,} parameters"


# Decided here: with a weight decay of 5e-4 KD into a GCN of four units reaches 0.63 on Cora (validation, three
# seeds), with 5e-5 0.78; the student alone 0.75 and 0.76. A likely reason: the gradient of soft labels is two to
# five times smaller than that of labels.
STUDENT_TRAINING: dict[str, Any] = {"weight_decay": 5e-5}


USUAL_TAKES: dict[Task, frozenset[Holds]] = {  # where a model does not say
    "node classification": frozenset({"graph", "graphs"}),
    "graph classification": frozenset({"clouds"}),
    "link prediction": frozenset({"snapshots"}),
}


class ModelConfig(Component):
    """An architecture and its sizes, as data.

    ``teacher_preset`` / ``student_preset`` fill the sizes that a person left out for that role;
    :meth:`usual_training` fills the training options likewise. ``width_option`` and ``depth_option``
    name the fields that the budget solver may choose.
    """

    task: ClassVar[Task] = "node classification"  # what its outputs are for
    takes: ClassVar[frozenset[Holds] | None] = None  # what data it reads; None is what is usual for the task
    teacher_preset: ClassVar[dict[str, Any]] = {}
    student_preset: ClassVar[dict[str, Any]] = {}
    training_defaults: ClassVar[dict[str, Any]] = {}
    width_option: ClassVar[str] = "hidden_channels"
    depth_option: ClassVar[str | None] = "num_layers"

    @property
    def width_step(self) -> int:
        """What the width must be a multiple of."""
        return 1

    @classmethod
    def fits(cls, dataset: DatasetConfig | type[DatasetConfig]) -> bool:
        """Whether a model of this kind is made for the task of ``dataset`` and for what it holds."""
        return cls.task == dataset.card.task and held_by(dataset) in (cls.takes or USUAL_TAKES[cls.task])

    @classmethod
    def usual_training(cls, role: str) -> dict[str, Any]:
        """Training options of a ``teacher`` or ``student`` of this kind where they differ from Training's own."""
        return {**(STUDENT_TRAINING if role == "student" else {}), **cls.training_defaults}

    def build(self, in_channels: int, out_channels: int) -> GraphModel:
        """The module, freshly initialised from torch's random state."""
        raise NotImplementedError(f"{type(self).__name__} must define build(in_channels, out_channels)")

    def count_parameters(self, in_channels: int, out_channels: int) -> int:
        """Number of trainable parameters, found without allocating the model."""
        with torch.device("meta"):
            model = self.build(in_channels, out_channels)
        return sum(p.numel() for p in model.parameters() if p.requires_grad)
