"""ABKD at work: every layer of both models is projected, paired and compared; see :mod:`workbench.methods.abkd`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.methods.abkd import ABKD, abkd_attention, abkd_dissimilarity, abkd_loss
from workbench.methods.base import Objective, Terms, chosen_nodes, sampled_nodes, take
from workbench.methods.gcrd import gcrd_loss
from workbench.methods.layers import LayerProjections, freeze_orthogonal, normalised
from workbench.methods.rows import check_some_nodes

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.models.base import Output


class LayerAttention(Objective):
    """The objective of ABKD, with its trained projections; the map and the dissimilarities are its pictures."""

    def __init__(self, config: ABKD, teacher_widths: tuple[int, ...], student_widths: tuple[int, ...]) -> None:
        super().__init__()
        self.config = config
        width, shared, frozen = config.projection, config.share_projection, config.frozen_teacher
        learned = config.attention == "learned"
        self.teacher_query = LayerProjections(teacher_widths, width, shared) if learned else None
        self.student_key = LayerProjections(student_widths, width, shared) if learned else None
        self.teacher_value = LayerProjections(teacher_widths, width, shared, frozen)
        self.student_value = LayerProjections(student_widths, width, shared)
        self.subspace = nn.Linear(width, config.subspace, bias=False) if config.subspace else None
        if frozen and self.subspace is not None:
            freeze_orthogonal(self.subspace)
        self.last: dict[str, Tensor] = {}

    def targets(self, teacher: Output, batch: Data) -> dict[str, list[Tensor]]:
        layers = self._layers(teacher, batch)
        check_some_nodes(layers[0], "abkd")
        return {"layers": layers, "pooled": [t.mean(0) for t in layers]}

    def forward(self, student: Output, targets: Any, batch: Data) -> Terms:
        layers = self._layers(student, batch)
        dissimilarity = self._dissimilarity(
            self._project(self.teacher_value, targets["layers"]), self._project(self.student_value, layers)
        )
        if self.teacher_query is not None and self.student_key is not None:
            pooled = [s.mean(0) for s in layers]
            attention = abkd_attention(self.teacher_query(targets["pooled"]), self.student_key(pooled))
        else:
            attention = torch.full_like(dissimilarity, 1 / dissimilarity.shape[1])
        self.last = {"attention": attention.detach(), "dissimilarity": dissimilarity.detach()}
        return {"abkd": abkd_loss(attention, dissimilarity)}

    def weights(self) -> dict[str, float]:
        return {"abkd": self.config.weight}

    def pictures(self) -> dict[str, Tensor]:
        return self.last

    def _layers(self, output: Output, batch: Data) -> list[Tensor]:
        index = chosen_nodes(batch, self.config.nodes)
        return [take(features, index) for features in self.config.take_part(output.layers)]

    def _project(self, values: LayerProjections, layers: list[Tensor]) -> list[Tensor]:
        subspace = None if self.subspace is None else self.subspace.weight
        return [normalised(features, self.config.normalise) for features in values(layers, subspace)]

    def _dissimilarity(self, teacher: list[Tensor], student: list[Tensor]) -> Tensor:
        distance = abkd_dissimilarity(teacher, student, self.config.pool)  # (T_l, S_l)
        if self.config.structure == 0:
            return distance
        index = sampled_nodes(student[0].shape[0], self.config.structure_samples, student[0].device)
        teacher, student = [take(t, index) for t in teacher], [take(s, index) for s in student]
        contrast = torch.stack([torch.stack([gcrd_loss(s, t) for s in student]) for t in teacher])
        return distance + self.config.structure * contrast
