"""GCNII: deep convolutions, initial residual, identity mapping (Chen et al., ICML 2020, arXiv 2007.02133)."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from workbench.models.base import GraphModel, ModelConfig, Output
from workbench.models.features import dropout
from workbench.models.layers.by_layer import Layer, LayerByLayer
from workbench.models.layers.edge_weights import normalised
from workbench.models.layers.last_input import LastInput
from workbench.options import Option, Search
from workbench.registry import models


class GCNII(GraphModel):
    r"""Layer l of ``num_layers``, between a linear layer in and a linear layer out:

    .. math:: H_l = \mathrm{ReLU}\big(((1-\alpha) \hat A H_{l-1} + \alpha H_0) ((1-\beta_l) I + \beta_l W_l)\big),
              \quad \beta_l = \log(\theta / l + 1)

    The convolutions have no bias. With ``shared_weights=False`` the initial residual has weights of its
    own. ``hidden`` holds the convolutions; the linear layer in front (:math:`H_0`) is not one of them.

    Shapes: x (N, in_channels), edge_index (2, E) -> logits (N, out_channels).
    """

    takes_sparse = True

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 64,
        alpha: float = 0.1,
        theta: float = 0.5,
        shared_weights: bool = True,
        dropout: float = 0.6,
    ) -> None:
        super().__init__()
        from workbench.models.layers.convolutions import GCN2Conv

        self.dropout = dropout
        self.last_input = LastInput(normalised)
        self.lin_in = nn.Linear(in_channels, hidden_channels)
        self.convs = nn.ModuleList(
            GCN2Conv(self.last_input, hidden_channels, alpha, theta, layer, shared_weights)
            for layer in range(1, num_layers + 1)
        )
        self.lin_out = nn.Linear(hidden_channels, out_channels)

    @property
    def same_in_training(self) -> bool:
        return self.dropout == 0

    def encode(self, x: Tensor, edge_index: Tensor) -> Output:
        self.last_input.given(x)
        x = dropout(x, self.dropout, self.training)
        initial = self.last_input.apply(self.lin_in, x).relu()  # (N, d)
        x = dropout(initial, self.dropout, self.training)
        hidden = []
        for conv in self.convs:
            x = conv(x, initial, edge_index).relu()
            x = dropout(x, self.dropout, self.training)
            hidden.append(x)
        return Output(self.lin_out(x), hidden)

    def by_layer(self) -> LayerByLayer:
        first = Layer(lambda x, *_: self.lin_in(x).relu(), hidden=False, looks_around=False)
        last = Layer(lambda x, *_: self.lin_out(x), hidden=False, looks_around=False)
        inner = [Layer(partial(self._convolved, conv)) for conv in self.convs]
        return LayerByLayer([first, *inner, last], normalised, needs_first=True)

    def _convolved(self, conv: Any, x: Tensor, edges: Any, first: Tensor) -> Tensor:
        out: Tensor = conv(x, first, edges).relu()
        return out

    def extra_repr(self) -> str:
        sizes = f"{self.lin_in.in_features} → {self.lin_in.out_features} → {self.lin_out.out_features}"
        return f"{sizes}, num_layers={len(self.convs)}, dropout={self.dropout}"


@models.register
class GCNIIConfig(ModelConfig):
    """Deep graph convolutions with initial residual and identity mapping."""

    title: ClassVar[str] = "GCNII"
    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 64, "num_layers": 64}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 4, "num_layers": 4}
    training_defaults: ClassVar[dict[str, Any]] = {"learning_rate": 0.01}

    name: Literal["gcnii"] = "gcnii"
    hidden_channels: int = Option(
        64, help="Width of every hidden layer.", ge=1, le=8192, search=Search(4, 256, log=True)
    )
    num_layers: int = Option(64, help="Number of graph convolutions between linear layers.", ge=1, le=128)
    alpha: float = Option(0.1, help="Share of the initial features in a layer.", ge=0, le=1, search=Search(0.05, 0.5))
    theta: float = Option(0.5, help="How far layer l may leave the identity: log(theta / l + 1).", gt=0, le=10)
    shared_weights: bool = Option(
        True, help="One weight matrix per layer for neighbours and initial features alike.", advanced=True
    )
    dropout: float = Option(0.6, help="Dropout on the input and every layer.", ge=0, lt=1, search=Search(0, 0.8))

    def build(self, in_channels: int, out_channels: int) -> GCNII:
        return GCNII(
            in_channels,
            self.hidden_channels,
            out_channels,
            self.num_layers,
            self.alpha,
            self.theta,
            self.shared_weights,
            self.dropout,
        )
