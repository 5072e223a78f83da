"""Synthetic point clouds: ten kinds of surfaces and curves, turned at random, with noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.base import Card, DatasetConfig, Progress
from workbench.options import Option
from workbench.registry import datasets

if TYPE_CHECKING:
    from workbench.datasets.point_clouds import PointClouds

GRID = 2.0**14  # coordinates are multiples of 1 / GRID: last digits of a sine, which differ between machines, vanish
OF_TEN = (6, 2, 2)  # of ten shapes of a class, how many train, validate and test

Random = np.random.RandomState  # its stream is frozen for good
Points = NDArray[np.float64]  # (n, 3)
Rotation = Literal["any", "vertical", "none"]


def _ring(random: Random, count: int, turns: float = 1.0) -> tuple[NDArray[np.float64], ...]:
    """Angle (n,) of points on a circle, its cosine and its sine."""
    angle = 2 * np.pi * turns * random.random_sample(count)
    return angle, np.cos(angle), np.sin(angle)


def _sphere(random: Random, count: int, lowest: float = -1.0) -> Points:
    _, cos, sin = _ring(random, count)
    z = random.uniform(lowest, 1.0, count)  # Archimedes: equal areas between equally distant planes
    return np.stack([np.sqrt(1 - z**2) * cos, np.sqrt(1 - z**2) * sin, z], axis=1)


def _hemisphere(random: Random, count: int) -> Points:
    return _sphere(random, count, lowest=0.0)


def _cube(random: Random, count: int) -> Points:
    points = random.uniform(-1, 1, (count, 3))
    face = random.randint(0, 3, count)
    points[np.arange(count), face] = np.where(random.random_sample(count) < 0.5, -1.0, 1.0)
    return points


def _tetrahedron(random: Random, count: int) -> Points:
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=np.float64)
    left_out = random.randint(0, 4, count)
    faces = np.stack([np.delete(corners, each, axis=0) for each in range(4)])  # (face, corner, 3)
    root, along = np.sqrt(random.random_sample(count)), random.random_sample(count)
    weights = np.stack([1 - root, root * (1 - along), root * along], axis=1)  # uniform on a triangle
    return (weights[:, :, None] * faces[left_out]).sum(1)


def _cylinder(random: Random, count: int, lids: bool = True) -> Points:
    height = random.uniform(1.2, 2.8)
    on_lid = (random.random_sample(count) < 1 / (1 + height)) & lids  # areas 2π of both lids, 2π · height around
    _, cos, sin = _ring(random, count)
    radius = np.where(on_lid, np.sqrt(random.random_sample(count)), 1.0)
    z = random.uniform(-0.5, 0.5, count)
    return np.stack([radius * cos, radius * sin, height * np.where(on_lid, np.sign(z) / 2, z)], axis=1)


def _tube(random: Random, count: int) -> Points:
    return _cylinder(random, count, lids=False)


def _cone(random: Random, count: int) -> Points:
    height = random.uniform(1.2, 2.4)
    on_base = random.random_sample(count) < 1 / (1 + np.sqrt(1 + height**2))  # areas π and π · √(1 + height²)
    _, cos, sin = _ring(random, count)
    radius = np.sqrt(random.random_sample(count))
    return np.stack([radius * cos, radius * sin, np.where(on_base, 0.0, height * (1 - radius))], axis=1)


def _torus(random: Random, count: int) -> Points:
    tube = random.uniform(0.2, 0.45)
    around = np.empty(0)
    while len(around) < count:  # there is more surface outside than inside
        angle = 2 * np.pi * random.random_sample(count)
        fair = random.random_sample(count) * (1 + tube) < 1 + tube * np.cos(angle)
        around = np.concatenate([around, angle[fair]])
    around = around[:count]
    _, cos, sin = _ring(random, count)
    radius = 1 + tube * np.cos(around)
    return np.stack([radius * cos, radius * sin, tube * np.sin(around)], axis=1)


def _helix(random: Random, count: int) -> Points:
    turns, height = random.uniform(2, 4), random.uniform(1.5, 3)
    angle, cos, sin = _ring(random, count, turns)
    return np.stack([cos, sin, height * angle / (2 * np.pi * turns)], axis=1)


def _moebius_band(random: Random, count: int) -> Points:
    angle, cos, sin = _ring(random, count)
    across = random.uniform(0.25, 0.5) * random.uniform(-1, 1, count)
    radius = 1 + across * np.cos(angle / 2)
    return np.stack([radius * cos, radius * sin, across * np.sin(angle / 2)], axis=1)


SHAPES: dict[str, Callable[[Random, int], Points]] = {
    "sphere": _sphere,
    "hemisphere": _hemisphere,
    "cube": _cube,
    "tetrahedron": _tetrahedron,
    "cylinder": _cylinder,
    "tube": _tube,
    "cone": _cone,
    "torus": _torus,
    "helix": _helix,
    "Möbius band": _moebius_band,
}


def random_rotation(random: Random, how: Rotation) -> NDArray[np.float64]:
    """A rotation matrix (3, 3), drawn uniformly: of all, or of those around the third axis; or the identity."""
    if how == "none":
        return np.eye(3)
    w, x, y, z = random.standard_normal(4)  # a quaternion; its direction is uniform
    if how == "vertical":
        x = y = 0.0
    s = 2 / (w * w + x * x + y * y + z * z)
    return np.array(
        [
            [1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)],
            [s * (x * y + z * w), 1 - s * (x * x + z * z), s * (y * z - x * w)],
            [s * (x * z - y * w), s * (y * z + x * w), 1 - s * (x * x + y * y)],
        ]
    )


@datasets.register
class BuiltinShapesConfig(DatasetConfig):
    """Spheres, cubes, cones, tori, helices and the like as point clouds."""

    title: ClassVar[str] = "Shapes (synthetic)"
    card: ClassVar[Card] = Card(
        title="Shapes (synthetic)",
        task="graph classification",
        summary=(
            "Drawn, not collected: ten kinds of surfaces and curves of varying proportions, points uniform on each "
            "(along the circle for helix and Möbius band), turned at random, with Gaussian noise, in the unit ball. "
            "Of every class 60 % train, 20 % validate and 20 % test. Accuracies on it say nothing about real data. "
            "Ready without a network."
        ),
        citation="Drawn by the workbench.",
        licence="MIT, as the workbench",
        synthetic=True,
        measured={
            "shapes": 1000,
            "points": 256,
            "features": 3,
            "classes": 10,
            "train": 600,
            "val": 200,
            "test": 200,
        },
    )

    # Decided here, so that teacher and student take minutes on a CPU; the sizes of the paper are DGCNN's own presets.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "usual": {
            "teacher": {"name": "dgcnn", "hidden_channels": 32, "num_layers": 4, "embedding": 8, "k": 16},
            "student": {"name": "dgcnn", "hidden_channels": 8, "num_layers": 3, "embedding": 4, "k": 8},
            "teacher_training": {"optimizer": "adam", "learning_rate": 0.003, "epochs": 16},
            "training": {"optimizer": "adam", "learning_rate": 0.003, "epochs": 20},
        }
    }

    name: Literal["builtin-shapes"] = "builtin-shapes"
    shapes_per_class: int = Option(100, help="How many shapes of every class are drawn.", ge=5, le=10_000)
    points: int = Option(256, help="Points of every shape.", ge=16, le=8192)
    noise: float = Option(0.03, help="Standard deviation of the noise, in radii of the shape.", ge=0, le=0.5)
    rotation: Rotation = Option(
        "any", help="How shapes are turned: in any way, around the vertical axis only, or not at all."
    )
    graph_seed: int = Option(0, help="Which shapes are drawn; the seed of a run does not change them.", ge=0, lt=2**31)

    def load(self, root: Path, progress: Progress | None = None) -> PointClouds:
        from workbench.datasets.point_clouds import PointClouds

        random = Random(self.graph_seed)
        points = np.stack([self._draw(random, draw) for draw in SHAPES.values() for _ in range(self.shapes_per_class)])
        labels = np.repeat(np.arange(len(SHAPES)), self.shapes_per_class)
        part = np.repeat([1, 2, 3], OF_TEN)[np.arange(self.shapes_per_class) * 10 // self.shapes_per_class]
        return PointClouds.of_arrays(points, labels, tuple(SHAPES), np.tile(part, len(SHAPES)))

    def _draw(self, random: Random, draw: Callable[[Random, int], Points]) -> Points:
        from workbench.datasets.point_clouds import in_unit_ball

        points = in_unit_ball(draw(random, self.points) @ random_rotation(random, self.rotation).T)
        noisy = in_unit_ball(points + self.noise * random.standard_normal(points.shape))
        return np.round(noisy * GRID) / GRID
