"""What a run on point clouds has stored, read for the figures of its shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.errors import RunError, UsageError
from workbench.plots.stored_arrays import ANY, INTEGERS, SOME, TEXT, checked, damaged
from workbench.runs.folder import Run

CLOUDS = "clouds"
WITHOUT = "without distillation"


@dataclass(frozen=True)
class Layers:
    """What a model makes of M shapes of n points: ``logits`` (M, C) and, of each edge convolution in turn, features
    (M, n, d) of the points and the numbers (M, n, k) of those that its graph links to each point."""

    logits: NDArray[np.floating]
    features: list[NDArray[np.floating]]
    neighbours: list[NDArray[np.integer]]

    def __len__(self) -> int:
        return len(self.features)

    def place(self, layer: int | None) -> int:
        """Where ``layer``, counted from 1 as for people, stands; of None and of one past the end, the last."""
        return len(self) - 1 if layer is None else min(layer, len(self)) - 1

    def edge_index(self, shape: int, place: int) -> NDArray[np.integer]:
        """Edges (2, n·k) of one shape's graph, from neighbours to centres."""
        table = self.neighbours[place][shape].astype(np.int64)  # (n, k)
        return np.stack([table.reshape(-1), np.repeat(np.arange(len(table)), table.shape[1])])


@dataclass(frozen=True)
class Clouds:
    """The M stored test shapes of a run: ``points`` (M, n, 3), ``labels`` (M,), ``shapes`` (M,) their numbers in the
    dataset, and what both models make of them. ``taught`` says how the student was: ``with lsp``."""

    points: NDArray[np.floating]
    labels: NDArray[np.integer]
    shapes: NDArray[np.integer]
    class_names: tuple[str, ...]
    teacher: Layers
    student: Layers
    taught: str

    def __len__(self) -> int:
        return len(self.points)

    def predicted(self, of: Layers) -> list[str]:
        """The class that a model says, shape by shape."""
        return [self.class_names[best] for best in of.logits.argmax(axis=1)]

    @property
    def true(self) -> list[str]:
        return [self.class_names[label] for label in self.labels]


def has_clouds(run: Run) -> bool:
    """Whether the run is one on point clouds and has stored some."""
    return CLOUDS in run.array_names()


def read_clouds(run: Run) -> Clouds:
    """The stored shapes and layers; RunError where the run has none or they do not fit together."""
    if not has_clouds(run):
        raise RunError(f"run {run.id} has no point clouds (yet): distil on shapes, as builtin-shapes")
    stored = run.arrays(CLOUDS)
    points = checked(run, stored, "points", (SOME, SOME, 3))
    names = tuple(str(name) for name in checked(run, stored, "class_names", (SOME,), TEXT))
    labels = checked(run, stored, "labels", points.shape[:1], INTEGERS, range(len(names)))
    shapes = checked(run, stored, "shapes", points.shape[:1], INTEGERS)
    teacher, student = (_layers(run, role, points.shape[:2], len(names)) for role in ("teacher", "student"))
    return Clouds(points, labels, shapes, names, teacher, student, _taught(run))


def check_same_shapes(run: str, one: Clouds, plain: str, other: Clouds) -> None:
    """Raises UsageError, which says where they differ, unless both runs have stored the same points of the same
    shapes."""
    if one.points.shape != other.points.shape:
        sizes = [f"{len(of)} shapes of {of.points.shape[1]} points" for of in (one, other)]
        difference = f"{run} has {sizes[0]}, {plain} has {sizes[1]}"
    elif (apart := _first(one.shapes != other.shapes)) is not None:
        numbers = [int(of.shapes[apart]) for of in (one, other)]
        difference = f"shape {apart} is number {numbers[0]} of the dataset in {run}, and number {numbers[1]} in {plain}"
    elif (apart := _first((one.points != other.points).any(axis=(1, 2)))) is not None:
        difference = f"the points of shape {apart} (a {one.true[apart]} and a {other.true[apart]}) are others"
    else:
        return
    raise UsageError(
        f"runs {run} and {plain} cannot be shown side by side: {difference}; choose a run on the same dataset"
    )


def _first(mask: NDArray[np.bool_]) -> int | None:
    return int(mask.argmax()) if mask.any() else None


def _layers(run: Run, role: str, points: tuple[int, ...], classes: int) -> Layers:
    """What a model makes of shapes and their ``points`` (M, n)."""
    stored = run.arrays(role)
    layers = range(sum(name.startswith("features_") for name in stored))
    if not layers:
        raise damaged(run, "features")
    logits = checked(run, stored, "logits", (points[0], classes))
    features = [checked(run, stored, f"features_{i}", (*points, SOME)) for i in layers]
    linked = range(points[1])  # by their numbers
    neighbours = [checked(run, stored, f"neighbours_{i}", (*points, ANY), INTEGERS, linked) for i in layers]
    return Layers(logits, features, neighbours)


def _taught(run: Run) -> str:
    try:
        names = [method["name"] for method in run.document["method"]]
    except (KeyError, TypeError):
        return ""
    return WITHOUT if names == ["none"] else f"with {' + '.join(names)}"
