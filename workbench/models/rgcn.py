"""Relational graph convolutional network (Schlichtkrull et al., ESWC 2018, arXiv 1703.06103), as OGB has it for MAG."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from workbench.datasets.base import Holds
from workbench.datasets.hetero.features import HeteroChannels, HeteroFeatures, NodeType
from workbench.models.base import GraphModel, ModelConfig, Output
from workbench.models.features import dropout
from workbench.models.layers.last_input import LastInput
from workbench.models.layers.relations import RelationalConv
from workbench.options import Option, Search
from workbench.registry import models

PLAIN = "node"  # the only type of a graph of one type


class RGCN(GraphModel):
    r"""Layers :math:`h'_i = W_{t(i)} h_i + b_{t(i)} + \sum_r \mathrm{mean}_{j \in N_r(i)} W_r h_j`, ReLU and dropout
    between them.

    Types of nodes without features have a learned embedding for each node. In the last layer only what reaches target
    nodes is computed: the weights there that lead to other types exist, as in the published counts, and learn nothing.

    Shapes: x :class:`HeteroFeatures`, edge_index is not read -> logits (N, out_channels) of the N target nodes;
    ``hidden`` are theirs too. A tensor x (N, F) with an edge_index (2, E) is a graph of one type and one relation.
    """

    takes_sparse = True

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        dropout: float = 0.5,
        embedding_channels: int = 128,
    ) -> None:
        super().__init__()
        channels = in_channels if isinstance(in_channels, HeteroChannels) else _plain_channels(in_channels)
        self.target = channels.target
        self.dropout = dropout
        self.widths = (int(channels), *[hidden_channels] * (num_layers - 1), out_channels)
        featureless = [each for each in channels.types if each.channels == 0]
        self.featureless = [each.name for each in featureless]
        self.embeddings = nn.ModuleList(nn.Embedding(each.count, embedding_channels) for each in featureless)
        self.inputs = {each.name: LastInput() for each in channels.types}
        widths = {each.name: each.channels or embedding_channels for each in channels.types}
        self.convs = nn.ModuleList()
        for width in self.widths[1:]:
            self.convs.append(RelationalConv(channels, widths, width))
            widths = dict.fromkeys(widths, width)
        self._draw_embeddings()

    @property
    def same_in_training(self) -> bool:
        return self.dropout == 0

    @property
    def embedding_parameters(self) -> int:
        """Parameters that belong to single nodes and not to the model's size."""
        return sum(p.numel() for p in self.embeddings.parameters())

    def encode(self, x: HeteroFeatures | Tensor, edge_index: Tensor) -> Output:
        if isinstance(x, Tensor):
            relations = {(PLAIN, "to", PLAIN): edge_index}
            x = HeteroFeatures(PLAIN, {PLAIN: x.shape[0]}, {PLAIN: x}, relations)
        hidden, h = [], self._inputs(x)
        for layer, conv in enumerate(self.convs):
            last = layer == len(self.convs) - 1
            h = conv(h, x, self.inputs, [self.target] if last else list(x.counts))
            if not last:
                h = {name: dropout(each.relu(), self.dropout, self.training) for name, each in h.items()}
                hidden.append(h[self.target])  # (N, d)
        return Output(h[self.target], hidden)

    def _inputs(self, x: HeteroFeatures) -> dict[str, Tensor]:
        for name, features in x.features.items():
            self.inputs[name].given(features)
        given = {name: dropout(features, 0.0, self.training) for name, features in x.features.items()}  # dense in half
        tables: list[Any] = [*self.embeddings]
        return given | {name: table.weight for name, table in zip(self.featureless, tables, strict=True)}

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self._draw_embeddings()

    def _draw_embeddings(self) -> None:
        for embedding in self.embeddings:
            assert isinstance(embedding, nn.Embedding)
            nn.init.xavier_uniform_(embedding.weight)

    def extra_repr(self) -> str:
        return f"{' → '.join(map(str, self.widths))}, {len(self.inputs)} types, dropout={self.dropout}"


def _plain_channels(in_channels: int) -> HeteroChannels:
    return HeteroChannels((NodeType(PLAIN, 0, in_channels),), ((PLAIN, "to", PLAIN),), PLAIN)


@models.register
class RGCNConfig(ModelConfig):
    """Relational graph convolutional network, for nodes and edges of several types."""

    title: ClassVar[str] = "R-GCN"
    takes: ClassVar[frozenset[Holds] | None] = frozenset({"hetero"})
    teacher_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 128, "num_layers": 2}
    student_preset: ClassVar[dict[str, Any]] = {"hidden_channels": 8, "num_layers": 2}
    training_defaults: ClassVar[dict[str, Any]] = {"learning_rate": 0.005}

    name: Literal["rgcn"] = "rgcn"
    hidden_channels: int = Option(
        64, help="Width of every hidden layer.", ge=1, le=8192, search=Search(4, 512, log=True)
    )
    num_layers: int = Option(2, help="Number of layers, the output layer included.", ge=1, le=64)
    dropout: float = Option(0.5, help="Dropout after every hidden layer.", ge=0, lt=1, search=Search(0, 0.8))
    embedding_channels: int = Option(
        128, help="Width of the learned embeddings of nodes without features.", ge=1, le=4096
    )

    def build(self, in_channels: int, out_channels: int) -> RGCN:
        sizes = {key: getattr(self, key) for key in RGCNConfig.model_fields if key != "name"}
        return RGCN(in_channels, out_channels=out_channels, **sizes)

    def count_parameters(self, in_channels: int, out_channels: int) -> int:
        """Without the embeddings of single nodes, as published: they grow with the graph and not with the model."""
        with torch.device("meta"):
            model = self.build(in_channels, out_channels)
        return sum(p.numel() for p in model.parameters() if p.requires_grad) - model.embedding_parameters
