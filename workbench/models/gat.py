"""Graph attention network (Veličković et al., ICLR 2018, arXiv 1710.10903)."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from workbench.models.base import Attention, GraphModel, ModelConfig, Output
from workbench.models.features import dropout
from workbench.models.layers.by_layer import Layer, LayerByLayer
from workbench.models.layers.edge_weights import WeightedEdges, looped
from workbench.models.layers.last_input import LastInput
from workbench.options import Option, Search
from workbench.registry import models


class GAT(GraphModel):
    r"""Every node attends to its in-neighbours and to itself, with several heads side by side:

    .. math:: h'_i = \mathrm{ELU}\Big(\big\Vert_k \sum_j a^k_{ij} W^k h_j + b\Big), \quad
              a_{ij} = \mathrm{softmax}_j\, \mathrm{LeakyReLU}(u \cdot W h_j + v \cdot W h_i)

    Hidden layers put their ``heads`` beside each other (width ``heads`` × ``hidden_channels``), the output
    layer averages its ``out_heads``. With ``skip`` a linear layer with bias runs beside every layer and is
    added to it before the ELU. Dropout falls on the input of every layer and on the attention.
    ``attention`` holds every layer, the output layer included; while training it is what dropout left of it.

    Shapes: x (N, in_channels), edge_index (2, E) -> logits (N, out_channels).
    """

    takes_sparse = True

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        heads: int = 8,
        out_heads: int = 1,
        dropout: float = 0.6,
        skip: bool = False,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.last_input = LastInput(looped)
        self.convs = nn.ModuleList()
        self.skips = nn.ModuleList()
        width = in_channels
        for layer in range(num_layers):
            last = layer == num_layers - 1
            channels, count = (out_channels, out_heads) if last else (hidden_channels, heads)
            self.convs.append(
                self.make_conv(width, channels, heads=count, concat=not last, dropout=dropout, add_self_loops=False)
            )  # added once per graph, not in every layer
            out_width = channels if last else channels * count
            if skip:
                self.skips.append(nn.Linear(width, out_width))
            width = out_width

    @property
    def same_in_training(self) -> bool:
        return self.dropout == 0 and all(getattr(conv, "dropout", None) == 0 for conv in self.convs)

    def make_conv(self, in_channels: int, out_channels: int, **options: Any) -> nn.Module:
        from torch_geometric.nn import GATConv

        return GATConv(in_channels, out_channels, **options)

    def encode(self, x: Tensor, edge_index: Tensor) -> Output:
        hidden, attention = [], []
        graph = self.last_input.graph(x, edge_index, matrix=False)
        if not isinstance(graph, WeightedEdges):
            graph = looped(edge_index, x.shape[0], x.dtype)
        edge_index = graph.edge_index  # (2, E + N)
        for layer in range(len(self.convs)):
            x = dropout(x, self.dropout, self.training)  # (N, d)
            if layer > 0:
                hidden.append(x)
            x, attended = self.layer(layer, x, edge_index)
            attention.append(attended)
        return Output(x, hidden, attention)

    def layer(self, number: int, x: Tensor, edge_index: Tensor) -> tuple[Tensor, Attention]:
        """What a layer makes of x (N, d), and its attention (E + N, heads) on edges that have their self-loops."""
        conv = self.convs[number]
        out, (edges, weight) = conv(x, edge_index, return_attention_weights=True)
        if self.skips:
            out = out + self.skips[number](x)
        return out if conv is self.convs[-1] else F.elu(out), Attention(edges, weight)

    def by_layer(self) -> LayerByLayer:
        last = len(self.convs) - 1
        return LayerByLayer([Layer(partial(self._seen, n), hidden=n < last) for n in range(last + 1)], looped)

    def _seen(self, number: int, x: Tensor, edges: WeightedEdges, first: Tensor) -> Tensor:
        return self.layer(number, x, edges.edge_index)[0]

    def extra_repr(self) -> str:
        layers = " → ".join(f"{conv.heads}×{conv.out_channels}" for conv in self.convs)
        return f"{self.convs[0].in_channels} → {layers}, dropout={self.dropout}{', skip=True' if self.skips else ''}"


class AttentionConfig(ModelConfig):
    """The sizes that the attention networks share."""

    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 8, "heads": 8}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 4, "heads": 2}
    training_defaults: ClassVar[dict[str, Any]] = {"learning_rate": 0.005}

    hidden_channels: int = Option(8, help="Width of every hidden head.", ge=1, le=8192, search=Search(2, 64, log=True))
    num_layers: int = Option(2, help="Number of attention layers, the output layer included.", ge=1, le=128)
    heads: int = Option(8, help="Heads of every hidden layer, side by side.", ge=1, le=64, search=Search(1, 8))
    out_heads: int = Option(1, help="Heads of the output layer, averaged.", ge=1, le=64)
    dropout: float = Option(
        0.6, help="Dropout on the input of every layer and on the attention.", ge=0, lt=1, search=Search(0, 0.8)
    )
    skip: bool = Option(False, help="Add a linear skip connection to every layer.")

    def sizes(self) -> dict[str, Any]:
        """These options as constructor arguments."""
        return {key: getattr(self, key) for key in AttentionConfig.model_fields if key != "name"}


@models.register
class GATConfig(AttentionConfig):
    """Graph attention network."""

    title: ClassVar[str] = "GAT"

    name: Literal["gat"] = "gat"

    def build(self, in_channels: int, out_channels: int) -> GAT:
        return GAT(in_channels, out_channels=out_channels, **self.sizes())
