"""Dynamic self-attention network (Sankar et al., WSDM 2020, arXiv 1812.09430): teacher and student of Distill2Vec."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.datasets.base import Task
from workbench.kernels.edge_attention import attend
from workbench.models.base import GraphModel, ModelConfig, Output
from workbench.models.snapshot_window import SnapshotWindow
from workbench.options import Option, Search
from workbench.registry import models

SLOPE = 0.2  # of LeakyReLU


@dataclass
class DynamicOutput(Output):
    """What :meth:`DySAT.encode` returns.

    ``logits`` (n, d) are the embeddings at the present snapshot, ``hidden`` holds the structural ones of the present
    snapshot; ``sequence`` (n, W, d) are the embeddings at every snapshot of the window, the present one last, and
    ``temporal`` (n, heads, W, W) the temporal attention: rows attend, columns are attended to.
    """

    sequence: Tensor | None = None
    temporal: Tensor | None = None


class DySAT(GraphModel):
    r"""Attention over neighbours in every snapshot, then over a node's own past.

    Structural attention, shared by all snapshots, with the symmetrically normalised weight :math:`\hat A_{uv}` of an
    edge (self-loops included) in front of its logit:

    .. math:: e_{uv} = \mathrm{LeakyReLU}_{0.2}(\hat A_{uv} (a \cdot W_u + a' \cdot W_v + b)), \quad
              x_u = \mathrm{ELU}\Big(\sum_v \mathrm{softmax}_v(e_{uv})\, W_v\Big)

    with heads side by side. The input is one-hot, so :math:`W_u` is a row of the table ``embedding`` (N, d) and the
    one-hot matrix is never made. A node that does not exist yet gives zeros. Temporal attention adds an embedding
    of the place in the window, counted from the present, lets every snapshot attend to itself and those before it, and
    ends in a ReLU layer with a residual.

    Parameters: N d + (2 d + 2 h) + T d + 3 d² + (d² + d), for N nodes, width d, h heads, T = ``window`` + 1.

    Shapes: a :class:`SnapshotWindow` of up to T snapshots -> embeddings (N, d) at the present one.

    Args:
        num_nodes: N, the nodes that there are by now.
        hidden_channels: d, a multiple of ``heads``.
        window: snapshots before the present one.
        scale: temporal scores are divided by the root of a head's width (``head``) or, as the public code does, of T
            (``window``).
    """

    def __init__(
        self,
        num_nodes: int,
        hidden_channels: int,
        heads: int = 8,
        window: int = 5,
        structural_dropout: float = 0.1,
        temporal_dropout: float = 0.5,
        scale: Literal["head", "window"] = "head",
    ) -> None:
        super().__init__()
        self.heads, self.window, self.scale = heads, window, scale
        self.structural_dropout, self.temporal_dropout = structural_dropout, temporal_dropout
        width = hidden_channels // heads
        self.embedding = nn.Parameter(torch.empty(num_nodes, hidden_channels))
        self.attend_to = nn.Parameter(torch.empty(2, heads, width))  # of the attending node, and of its neighbour
        self.attend_bias = nn.Parameter(torch.empty(2, heads))
        self.place = nn.Parameter(torch.empty(window + 1, hidden_channels))
        self.query, self.key, self.value = (nn.Linear(hidden_channels, hidden_channels, bias=False) for _ in range(3))
        self.feed_forward = nn.Linear(hidden_channels, hidden_channels)
        self.reset_parameters()

    @property
    def num_nodes(self) -> int:
        return self.embedding.shape[0]

    @property
    def hidden_channels(self) -> int:
        return self.embedding.shape[1]

    def reset_parameters(self) -> None:
        _draw_rows(self.embedding)
        nn.init.xavier_uniform_(self.attend_to.view(2, -1))
        nn.init.zeros_(self.attend_bias)
        nn.init.xavier_uniform_(self.place)
        for layer in (self.query, self.key, self.value, self.feed_forward):
            nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(self.feed_forward.bias)

    def undecayed(self) -> list[nn.Parameter]:
        """Parameters that an optimiser does not decay: it falls on the structural weights only, and not on biases.

        The table's rows are decayed by whoever trains, those of the nodes in the window.
        """
        temporal = [*self.query.parameters(), *self.key.parameters(), *self.value.parameters()]
        return [self.embedding, self.attend_bias, self.place, *temporal, *self.feed_forward.parameters()]

    @torch.no_grad()
    def grow(self, num_nodes: int) -> None:
        """Rows for new nodes, freshly drawn, behind those that there are."""
        born = self.embedding.new_empty(max(num_nodes - self.num_nodes, 0), self.hidden_channels)
        _draw_rows(born, at_least=num_nodes)
        self.embedding = nn.Parameter(torch.cat([self.embedding, born]))

    def structural(self, window: SnapshotWindow) -> Tensor:
        """Embeddings (W, n, d) of the window's nodes in each of its snapshots; zeros before a node exists."""
        table = self.embedding[window.nodes].view(window.num_nodes, self.heads, -1)  # (n, h, d / h)
        score = torch.einsum("nhc,khc->knh", table, self.attend_to) + self.attend_bias[:, None]  # (2, n, h)
        rows, columns = window.edges  # (E,), a row is snapshot · n + node
        logits = window.weight[:, None] * (score[0][window.node_of(rows)] + score[1][columns])  # (E, h)
        logits = F.leaky_relu(logits, SLOPE)
        table = F.dropout(table, self.structural_dropout, self.training)
        drop = self.structural_dropout if self.training else 0.0
        out = F.elu(attend(logits, table, window.pattern, drop))  # (W · n, h, d / h)
        return out.reshape(len(window), window.num_nodes, -1)

    def temporal(self, structural: Tensor, nodes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Embeddings (m, W, d) and attention (m, heads, W, W) of the chosen ``nodes`` (m,) of the window, or of all."""
        steps = structural.shape[0]
        x = (structural if nodes is None else structural[:, nodes]).transpose(0, 1)  # (m, W, d)
        x = x + self.place[-steps:]  # the present has the last place, however many snapshots there are
        q, k, v = (self._heads(layer(x)) for layer in (self.query, self.key, self.value))  # (m, h, W, d / h)
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3] if self.scale == "head" else self.window + 1)
        future = torch.ones(steps, steps, dtype=torch.bool, device=x.device).triu(1)
        attention = scores.masked_fill(future, -math.inf).softmax(3)  # (m, h, W, W)
        dropped = F.dropout(attention, self.temporal_dropout, self.training)
        mixed = (dropped @ v).transpose(1, 2).reshape(x.shape)
        return self.feed_forward(mixed).relu() + mixed, attention

    def encode(self, window: SnapshotWindow, nodes: Tensor | None = None) -> DynamicOutput:  # type: ignore[override]
        """Embeddings of the chosen ``nodes`` of the window (places in it, (m,)), or of all its nodes."""
        structural = self.structural(window)
        sequence, attention = self.temporal(structural, nodes)
        present = structural[-1] if nodes is None else structural[-1, nodes]
        return DynamicOutput(sequence[:, -1], [present], None, None, sequence, attention)

    def forward(self, window: SnapshotWindow) -> Tensor:  # type: ignore[override]
        return self.encode(window).logits

    def extra_repr(self) -> str:
        return f"{self.num_nodes} nodes, {self.hidden_channels}, heads={self.heads}, window={self.window}"

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


def _draw_rows(table: Tensor, at_least: int = 0) -> None:
    """Glorot's uniform draw for a table of ``at_least`` rows or more."""
    rows, width = table.shape
    bound = math.sqrt(6 / (max(rows, at_least) + width))
    nn.init.uniform_(table, -bound, bound)


@models.register
class DySATConfig(ModelConfig):
    """Dynamic self-attention network: embeds the nodes of a sequence of snapshots."""

    title: ClassVar[str] = "DySAT"
    task: ClassVar[Task] = "link prediction"
    # The sizes of Distill2Vec on ML-10M (Antaris and Rafailidis, ASONAM 2020).
    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 512, "heads": 8, "window": 5}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 128, "heads": 4, "window": 2}
    training_defaults: ClassVar[dict[str, Any]] = {
        "epochs": 200,
        "patience": 0,
        "learning_rate": 1e-3,
        "weight_decay": 5e-4,
        "gradient_clip": 1.0,
        "batch_size": 512,
    }
    depth_option: ClassVar[str | None] = None

    name: Literal["dysat"] = "dysat"
    hidden_channels: int = Option(
        128, help="Width of the embedding, a multiple of heads.", ge=1, le=8192, search=Search(16, 512, log=True)
    )
    heads: int = Option(4, help="Heads of both attentions, side by side.", ge=1, le=64, search=Search(1, 16))
    window: int = Option(2, help="Snapshots before the present one that are looked at.", ge=0, le=100)
    structural_dropout: float = Option(0.1, help="Dropout on inputs and attention within a snapshot.", ge=0, lt=1)
    temporal_dropout: float = Option(0.5, help="Dropout on the attention over time.", ge=0, lt=1)
    scale: Literal["head", "window"] = Option(
        "head",
        help="Temporal scores are divided by the root of a head's width, or of T as in the public code.",
        advanced=True,
    )

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Self:
        if self.hidden_channels % self.heads:
            raise ValueError(
                f"hidden_channels is shared by the {self.heads} heads: take a multiple of {self.heads}, or fewer heads "
                f"(got {self.hidden_channels})"
            )
        return self

    @property
    def width_step(self) -> int:
        return self.heads

    def build(self, in_channels: int, out_channels: int = 0) -> DySAT:
        """``in_channels`` is the number of nodes, whose one-hot codes are the input; ``out_channels`` is not used."""
        sizes = {key: getattr(self, key) for key in type(self).model_fields if key != "name"}
        return DySAT(in_channels, **sizes)
