"""One shape as teacher and student see it: distances in their features, and the graphs that their layers build."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from workbench.errors import UsageError
from workbench.plots import point_clouds
from workbench.plots.cloud_arrays import Clouds, Layers, check_same_shapes, read_clouds
from workbench.runs.folder import Run


def feature_distances(
    run: Run, shape: int = 0, point: int = 0, layer: int | None = None, plain: Run | None = None
) -> go.Figure:
    """One of the stored test shapes, coloured by distance from ``point`` in the features of teacher and student.

    This is the picture of the LSP paper (Yang et al., CVPR 2020): how near a model brings the points of a shape to one
    of them. ``shape`` and ``point`` count from 0; ``layer`` counts the edge convolutions from 1, None is the last one
    of each model. Of a model with fewer layers the last one is shown, and its title says so. ``plain`` is another
    run, whose student stands beside: the one without distillation, say. It must have stored the same shapes.

    Raises UsageError for a shape, point or layer that there is not and where ``plain`` has other shapes (saying
    where), RunError where a run has no clouds (yet).
    """
    clouds = read_clouds(run)
    other = None if plain is None else read_clouds(plain)
    if plain is not None and other is not None:
        check_same_shapes(run.id, clouds, plain.id, other)
    return draw_distances(clouds, shape, point, layer, other)


def cloud_graphs(run: Run, shape: int = 0, layer: int | None = None, point: int = 0) -> go.Figure:
    """The graph of nearest neighbours that a layer of teacher and of student builds on one of the stored test shapes.

    Arguments are those of :func:`feature_distances`; the neighbours of ``point`` stand out. A layer's graph links the
    points that are nearest in what it reads: of the first one the coordinates, of a later one the features of the one
    before. Raises UsageError for a shape, point or layer that there is not, RunError where the run has no clouds.
    """
    return draw_graphs(read_clouds(run), shape, layer, point)


def draw_distances(
    clouds: Clouds, shape: int, point: int, layer: int | None = None, plain: Clouds | None = None
) -> go.Figure:
    """The panels of :func:`feature_distances`; ``plain`` holds the same shapes."""
    panels = [*_models(clouds), *([] if plain is None else _models(plain)[1:])]
    _check(clouds, panels, shape, layer, point)
    points = clouds.points[shape].astype(np.float32)
    chosen = [(_titled(name, of, layer), points, of.features[of.place(layer)][shape]) for name, of in panels]
    return _to_the_left(point_clouds.distances(chosen, point))


def draw_graphs(clouds: Clouds, shape: int, layer: int | None, point: int) -> go.Figure:
    """The panels of :func:`cloud_graphs`."""
    panels = _models(clouds)
    _check(clouds, panels, shape, layer, point)
    points = clouds.points[shape].astype(np.float32)
    chosen = []
    for name, of in panels:
        place = of.place(layer)
        title = f"{_titled(name, of, layer)}, k = {of.neighbours[place].shape[2]}"
        chosen.append((title, points, of.edge_index(shape, place)))
    return _to_the_left(point_clouds.neighbour_graphs(chosen, point))


def _models(clouds: Clouds) -> list[tuple[str, Layers]]:
    return [("Teacher", clouds.teacher), (f"Student {clouds.taught}".rstrip(), clouds.student)]


def _check(clouds: Clouds, panels: list[tuple[str, Layers]], shape: int, layer: int | None, point: int) -> None:
    """Raises UsageError for a shape, layer or point that there is not."""
    shapes, points = clouds.points.shape[:2]
    if not _within(shape, 0, shapes - 1):
        raise UsageError(f"there is no shape {shape!r}: the run has stored the shapes 0 to {shapes - 1}")
    if not _within(point, 0, points - 1):
        raise UsageError(f"there is no point {point!r}: a shape of this run has the points 0 to {points - 1}")
    deepest = max(len(of) for _, of in panels)
    if layer is not None and not _within(layer, 1, deepest):
        raise UsageError(
            f"there is no layer {layer!r}: choose one of 1 to {deepest}, or None for the last one of each model"
        )


def _within(number: int, low: int, high: int) -> bool:
    return isinstance(number, int | np.integer) and low <= number <= high


def _titled(name: str, of: Layers, layer: int | None) -> str:
    """Whose layer it is and which, with a note where that model has no such layer."""
    note = f" (there is no {layer})" if layer is not None and layer > len(of) else ""
    return f"{name}<br>EdgeConv {of.place(layer) + 1} of {len(of)}{note}"


def _to_the_left(figure: go.Figure) -> go.Figure:
    """Titles have two lines, and stand on the left of their panels."""
    return figure.update_annotations(align="left")
