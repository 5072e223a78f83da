"""The arrays that views of point clouds draw: some test shapes, with the features and graphs of both models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from workbench.runs.files import half
from workbench.runs.folder import Run
from workbench.training.whole_graphs import encode_batch

if TYPE_CHECKING:
    from workbench.datasets.point_clouds import PointClouds

SHAPES = 12  # at most so many are stored
INT16 = 2**15  # points that int16 can number


def store_clouds(clouds: PointClouds, models: Mapping[str, nn.Module], run: Run) -> None:
    """Write ``clouds``, and one file per model, below ``arrays/``.

    ``clouds``: points (M, n, 3) float16, labels (M,), class_names, shapes (M,) their numbers in the dataset. A model's:
    logits (M, C) and, of every layer, ``features_<layer>`` (M, n, d) float16 and ``neighbours_<layer>`` (M, n, k)
    int16 (int32 where there are more points): the numbers of the points that its graph joins to each point.
    """
    shapes = _one_of_each(clouds)
    run.store_arrays(
        "clouds",
        points=half(clouds.points[shapes].cpu().numpy()),
        labels=clouds.labels[shapes].cpu().numpy().astype(np.int16),
        class_names=np.array(clouds.class_names),
        shapes=shapes.cpu().numpy().astype(np.int32),
    )
    for role, model in models.items():
        run.store_arrays(role, **_layers(clouds, model, shapes))


def _one_of_each(clouds: PointClouds) -> Tensor:
    """The first test shapes of every class in turn, :data:`SHAPES` in all."""
    test = clouds.of_split("test")
    labels = clouds.labels[test]
    rank = torch.zeros_like(labels)
    for label in torch.unique(labels):
        own = labels == label
        rank[own] = torch.arange(int(own.sum()), device=labels.device)
    order = (rank * (int(labels.max()) + 1) + labels).argsort(stable=True)
    return test[order[:SHAPES]]


@torch.no_grad()
def _layers(clouds: PointClouds, model: nn.Module, shapes: Tensor) -> dict[str, np.ndarray]:
    count, points = shapes.numel(), clouds.points.shape[1]
    output = encode_batch(model.eval(), clouds.mini_batch(shapes))
    arrays = {"logits": output.logits.float().cpu().numpy()}
    first = points * torch.arange(count, device=shapes.device)[:, None, None]
    for layer, (features, edges) in enumerate(zip(output.hidden, output.edges or [], strict=True)):
        arrays[f"features_{layer}"] = half(features.view(count, points, -1).float().cpu().numpy())
        table = edges[0].view(count, points, -1) - first  # edges are sorted by centre
        arrays[f"neighbours_{layer}"] = table.cpu().numpy().astype(np.int16 if points <= INT16 else np.int32)
    return arrays
