"""ModelNet10 and ModelNet40 (Wu et al., CVPR 2015) as point clouds, from plain npz files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.base import DATA_ROOT, Card, DatasetConfig, Progress
from workbench.errors import UsageError
from workbench.options import Option
from workbench.registry import datasets

if TYPE_CHECKING:
    from workbench.datasets.point_clouds import PointClouds

STORED = 1024  # points per shape in the files
PARTS = ("train", "test")
KEYS = ("points", "labels", "class_names")


class ModelNetConfig(DatasetConfig):
    """What both have in common; ``folder`` is the name below the data root."""

    folder: ClassVar[str]
    # Decided here, for a first look on a CPU; without it, the sizes and the 250 epochs of the paper are taken.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {
            "dataset": {"points": 256},
            "teacher_training": {"optimizer": "adam", "learning_rate": 0.001, "epochs": 4},
            "training": {"optimizer": "adam", "learning_rate": 0.001, "epochs": 4},
        }
    }

    points: int = Option(
        1024, help="Points of every shape: so many of the 1,024, the same ones of every shape.", ge=16, le=STORED
    )

    def files(self, root: Path) -> dict[str, Path]:
        """The file of the published training list and that of the test list."""
        return {part: root / self.folder / f"{self.folder.lower()}_{STORED}_{part}.npz" for part in PARTS}

    def is_ready(self, root: Path) -> bool:
        return all(path.is_file() for path in self.files(root).values())

    def wanted(self, root: Path) -> str:
        names = " and ".join(path.relative_to(root).as_posix() for path in self.files(root).values())
        return f"put {names} below the data root, or set {DATA_ROOT} to a folder that has them"

    def load(self, root: Path, progress: Progress | None = None) -> PointClouds:
        from workbench.datasets.point_clouds import SHARE_TO_VALIDATE, SPLITS, PointClouds, with_validation

        parts = [read_shapes(path) for path in self.files(root).values()]
        (points, labels, names), (test_points, test_labels, test_names) = parts
        if names != test_names:
            raise UsageError(f"{self.folder}: class_names of the training file are not those of the test file")
        random = np.random.RandomState(0)
        chosen = np.sort(random.permutation(STORED)[: self.points])
        split = with_validation(random, labels, SHARE_TO_VALIDATE)
        return PointClouds.of_arrays(
            np.concatenate([points[:, chosen], test_points[:, chosen]]),
            np.concatenate([labels, test_labels]),
            names,
            np.concatenate([split, np.full(len(test_labels), SPLITS["test"], dtype=np.int8)]),
        )


def read_shapes(path: Path) -> tuple[NDArray[Any], NDArray[Any], tuple[str, ...]]:
    """Points (m, 1024, 3) float32, labels (m,) and class names of one file; raises UsageError where it is not so."""
    layout = f"an npz file with points (m, {STORED}, 3) in the unit ball, labels (m,) and class_names"
    if not path.is_file():
        raise UsageError(
            f"{path} is missing: expected {layout}. Nothing is downloaded; put the file there, or set {DATA_ROOT}"
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [key for key in KEYS if key not in archive.files]
            if missing:
                raise UsageError(f"{path} has no {' and no '.join(missing)}: expected {layout}")
            points, labels, names = (archive[key] for key in KEYS)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{path} cannot be read ({error}): expected {layout}") from None
    if points.ndim != 3 or points.shape[1:] != (STORED, 3) or labels.shape != points.shape[:1]:
        raise UsageError(f"{path} holds points {points.shape} and labels {labels.shape}: expected {layout}")
    return points.astype(np.float32), labels.astype(np.int64), tuple(str(name) for name in names)


@datasets.register
class ModelNet10Config(ModelNetConfig):
    """Ten kinds of furniture as point clouds."""

    title: ClassVar[str] = "ModelNet10"
    folder: ClassVar[str] = "ModelNet10"
    card: ClassVar[Card] = Card(
        title="ModelNet10",
        task="graph classification",
        summary=(
            "4,899 pieces of furniture of ten kinds, 1,024 points sampled on the surface of each, in the unit ball; no "
            "normals. The test list is the published one. A tenth of every class of the published training list "
            "validates: that part of the split is the workbench's own. A stand-in for ModelNet40: its accuracies are "
            "not comparable with those published there. Read from files below the data root, never downloaded."
        ),
        citation=(
            "Wu, Song, Khosla, Yu, Zhang, Tang and Xiao, 3D ShapeNets: A Deep Representation for Volumetric Shapes, "
            "CVPR 2015."
        ),
        licence="none stated; offered for academic research",
        url="https://modelnet.cs.princeton.edu",
        published={"shapes": 4899, "features": 3, "classes": 10, "test": 908},
        measured={
            "shapes": 4899,
            "points": 1024,
            "features": 3,
            "classes": 10,
            "train": 3592,
            "val": 399,
            "test": 908,
        },
    )

    name: Literal["modelnet10"] = "modelnet10"


@datasets.register
class ModelNet40Config(ModelNetConfig):
    """Forty kinds of objects as point clouds: the benchmark of the LSP paper."""

    title: ClassVar[str] = "ModelNet40"
    folder: ClassVar[str] = "ModelNet40"
    card: ClassVar[Card] = Card(
        title="ModelNet40",
        task="graph classification",
        summary=(
            "12,311 objects of forty kinds, 1,024 points sampled on the surface of each, in the unit ball: the "
            "benchmark of DGCNN and of LSP. The test list is the published one; a tenth of every class of the training "
            "list validates. You bring the files, in the layout of ModelNet10's; nothing is downloaded."
        ),
        citation=(
            "Wu, Song, Khosla, Yu, Zhang, Tang and Xiao, 3D ShapeNets: A Deep Representation for Volumetric Shapes, "
            "CVPR 2015."
        ),
        licence="none stated; offered for academic research",
        url="https://modelnet.cs.princeton.edu",
        published={"shapes": 12311, "features": 3, "classes": 40, "test": 2468},
    )

    name: Literal["modelnet40"] = "modelnet40"
