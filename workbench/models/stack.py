"""Models that are a stack of like layers: convolution, normalisation, ReLU, dropout."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from workbench.models.base import GraphModel, ModelConfig, Output
from workbench.models.features import dropout
from workbench.models.layers.by_layer import Layer, LayerByLayer
from workbench.models.layers.last_input import LastInput, Weigh
from workbench.options import Option, Search


class Stack(GraphModel):
    r""":math:`H_{l+1} = \mathrm{Dropout}(\mathrm{ReLU}(\mathrm{Norm}(\mathrm{conv}_l(H_l))))`, the last one logits.

    Subclasses write ``make_conv`` and, where a layer is not simply called, ``convolve``. ``last_input`` is theirs
    for what they make of a graph or of features.

    Shapes: x (N, in_channels), edge_index (2, E) -> logits (N, out_channels).
    """

    takes_sparse = True

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        dropout: float = 0.5,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        widths = [in_channels] + [hidden_channels] * (num_layers - 1) + [out_channels]
        self.widths = tuple(widths)
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.last_input = LastInput(self.weigh())
        self.convs = nn.ModuleList(self.make_conv(a, b) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(nn.BatchNorm1d(w) if batch_norm else nn.Identity() for w in widths[1:-1])

    @property
    def same_in_training(self) -> bool:
        return self.dropout == 0 and not self.batch_norm

    def weigh(self) -> Weigh | None:
        """What turns an edge_index into the edges that the layers sum over; None for layers that do not."""
        return None

    def make_conv(self, in_channels: int, out_channels: int) -> nn.Module:
        raise NotImplementedError(f"{type(self).__name__} must define make_conv(in_channels, out_channels)")

    def convolve(self, conv: Any, x: Tensor, edge_index: Any) -> Tensor:
        """One layer of :meth:`make_conv` on x (N, d)."""
        return conv(x, edge_index)

    def encode(self, x: Tensor, edge_index: Tensor) -> Output:
        hidden = []
        self.last_input.given(x)
        x = dropout(x, self.dropout, self.training)
        for number in range(len(self.norms)):
            x = dropout(self.layer(number, x, edge_index), self.dropout, self.training)  # (N, d)
            hidden.append(x)
        return Output(self.layer(-1, x, edge_index), hidden)

    def layer(self, number: int, x: Tensor, edge_index: Any) -> Tensor:
        """A hidden layer of x (N, d) without its dropout, or (-1) the logits: the last convolution has no norm."""
        x = self.convolve(self.convs[number], x, edge_index)
        return x if number == -1 else self.norms[number](x).relu()

    def by_layer(self) -> LayerByLayer:
        layers = [Layer(partial(_called, self.layer, number)) for number in range(len(self.norms))]
        return LayerByLayer([*layers, Layer(partial(_called, self.layer, -1), hidden=False)], self.weigh())

    def extra_repr(self) -> str:
        norm = ", batch_norm=True" if self.batch_norm else ""
        return f"{' → '.join(map(str, self.widths))}, dropout={self.dropout}{norm}"


def _called(layer: Callable[..., Tensor], number: int, x: Tensor, edges: Any, first: Tensor) -> Tensor:
    return layer(number, x, edges)


class StackConfig(ModelConfig):
    """The sizes that every stack has."""

    hidden_channels: int = Option(
        64, help="Width of every hidden layer.", ge=1, le=8192, search=Search(4, 256, log=True)
    )
    num_layers: int = Option(2, help="Number of layers, the output layer included.", ge=1, le=128)
    dropout: float = Option(0.5, help="Dropout on the input and every hidden layer.", ge=0, lt=1, search=Search(0, 0.8))
    batch_norm: bool = Option(False, help="Batch normalisation after every hidden layer.")

    def sizes(self) -> dict[str, Any]:
        """These options as constructor arguments."""
        return {key: getattr(self, key) for key in StackConfig.model_fields if key != "name"}
