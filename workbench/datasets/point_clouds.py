"""Point clouds with a label each: what a dataset of shapes gives, and its mini-batches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UsageError

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch_geometric.data import Data

SPLITS = {"train": 1, "val": 2, "test": 3}
UNIT = 1.001  # how far from the origin a point may lie: the unit ball, in half precision
SHARE_TO_VALIDATE = 0.1


@dataclass
class PointClouds:
    """M shapes of n points each.

    ``points`` (M, n, 3) float32 in the unit ball; ``labels`` (M,) int64, numbers of ``class_names``; ``split`` (M,)
    int8: 1 train, 2 validation, 3 test.
    """

    points: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    split: Tensor

    @classmethod
    def of_arrays(
        cls, points: NDArray[Any], labels: NDArray[Any], class_names: tuple[str, ...], split: NDArray[Any]
    ) -> PointClouds:
        """The same of NumPy arrays of these shapes."""
        import torch

        return cls(
            torch.from_numpy(np.ascontiguousarray(points, dtype=np.float32)),
            torch.from_numpy(np.ascontiguousarray(labels, dtype=np.int64)),
            class_names,
            torch.from_numpy(np.ascontiguousarray(split, dtype=np.int8)),
        )

    @property
    def num_features(self) -> int:
        """Features of a point: its coordinates."""
        return 3

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def __len__(self) -> int:
        """Number of shapes."""
        return self.points.shape[0]

    def of_split(self, split: str) -> Tensor:
        """Numbers (m,) of the shapes of ``train``, ``val`` or ``test``."""
        return (self.split == SPLITS[split]).nonzero().view(-1)

    def labels_of(self, shapes: Tensor) -> Tensor:
        """The labels (m,) of ``shapes`` (m,)."""
        return self.labels[shapes]

    def rows_of(self, shapes: Tensor) -> Tensor:
        """Which labels belong to ``shapes`` (m,): each has its own."""
        return shapes

    def with_labels(self, labels: Tensor) -> PointClouds:
        """The same shapes with other labels (M,)."""
        return PointClouds(self.points, labels, self.class_names, self.split)

    def to(self, device: torch.device | str) -> PointClouds:
        """The same on a device."""
        points, labels, split = (part.to(device) for part in (self.points, self.labels, self.split))
        return PointClouds(points, labels, self.class_names, split)

    def mini_batch(self, index: Tensor) -> Data:
        """The shapes ``index`` (B,) as one :func:`mini_batch`."""
        return mini_batch(self.points[index], self.labels[index])

    def check(self, where: str) -> None:
        """Raise one UsageError, headed by ``where``, that lists everything wrong with the shapes."""
        faults = _wrong_tensors(self) or _wrong_values(self)
        if faults:
            raise UsageError("\n".join([f"{where} cannot be learned from:", *(f"  - {fault}" for fault in faults)]))

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of points, labels, split and class names, with types and shapes."""
        sha = hashlib.sha256("\n".join(self.class_names).encode())
        for name in ("points", "labels", "split"):
            value = getattr(self, name).detach().cpu().contiguous()
            sha.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
            sha.update(value.numpy().tobytes())
        return sha.hexdigest()[:12]

    def measure(self) -> dict[str, float | int]:
        """Counts: shapes, points of each, features of a point, classes, and the shapes of each split."""
        return {
            "shapes": len(self),
            "points": int(self.points.shape[1]),
            "features": self.num_features,
            "classes": self.num_classes,
            **{name: len(self.of_split(name)) for name in SPLITS},
        }


def mini_batch(points: Tensor, labels: Tensor) -> Data:
    """Shapes (B, n, 3) with labels (B,) as one PyG ``Data``.

    It holds ``x`` (B·n, 3), ``batch`` (B·n,) the shape of every point, ``ptr`` (B + 1,) where each begins, ``y`` (B,).
    """
    import torch
    from torch_geometric.data import Data

    shapes, count, _ = points.shape
    number = torch.arange(shapes + 1, device=points.device)
    return Data(x=points.reshape(-1, 3), y=labels, batch=number[:-1].repeat_interleave(count), ptr=number * count)


def in_unit_ball(points: NDArray[Any]) -> NDArray[Any]:
    """Points (…, n, 3) moved so that their mean is the origin, and scaled so that the farthest has the distance one."""
    centred = points - points.mean(axis=-2, keepdims=True)
    reach = np.sqrt((centred**2).sum(-1).max(-1))[..., None, None]
    return centred / np.where(reach > 0, reach, 1)


def with_validation(random: np.random.RandomState, labels: NDArray[Any], share: float) -> NDArray[np.int8]:
    """The split (m,) of training shapes with these labels: of every class, ``share`` of the shapes validate, one at
    least."""
    split = np.full(len(labels), SPLITS["train"], dtype=np.int8)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        split[members[: max(1, round(share * len(members)))]] = SPLITS["val"]
    return split


def _wrong_tensors(clouds: PointClouds) -> list[str]:
    """Types and shapes first: values are looked at where those are right."""
    import torch

    expected = {"points": (torch.float32, 3, "(M, n, 3)"), "labels": (torch.int64, 1, "(M,)")}
    expected["split"] = (torch.int8, 1, "(M,)")
    faults = []
    for name, (dtype, dims, shape) in expected.items():
        value = getattr(clouds, name)
        if value.dtype != dtype or value.dim() != dims or (dims == 3 and value.shape[2] != 3):
            given = f"{tuple(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
            faults.append(f"{name} is {given}: expected {shape} of {str(dtype).removeprefix('torch.')}")
    if not faults and not len(clouds.points) == len(clouds.labels) == len(clouds.split):
        counts = f"{len(clouds.points):,} shapes, {len(clouds.labels):,} labels, {len(clouds.split):,} entries of split"
        faults.append(f"there are {counts}: expected one label and one entry per shape")
    if not faults and clouds.points.numel() == 0:
        faults.append(f"points has shape {tuple(clouds.points.shape)}: expected at least one shape and one point")
    return faults


def _wrong_values(clouds: PointClouds) -> list[str]:
    faults = []
    broken = ~clouds.points.isfinite().all(2).all(1)  # (M,)
    if broken.any():
        shape = int(broken.nonzero()[0])
        faults.append(f"{int(broken.sum()):,} shapes hold points that are NaN or infinite, the first is shape {shape}")
    else:
        reach = float(clouds.points.square().sum(2).max().sqrt())
        if reach > UNIT:
            faults.append(f"a point lies {reach:.4g} from the origin: centre every shape and scale it to the unit ball")
    low, high, classes = int(clouds.labels.min()), int(clouds.labels.max()), clouds.num_classes
    if classes < 2:
        faults.append(f"there is {classes} class: expected at least two")
    elif low < 0 or high >= classes:
        faults.append(f"labels go from {low} to {high}: expected 0 to {classes - 1}, numbers of the class names")
    else:
        seen = set(clouds.labels[clouds.of_split("train")].tolist())
        absent = [name for number, name in enumerate(clouds.class_names) if number not in seen]
        if absent and seen:
            faults.append(f"no training shape is {', '.join(absent[:8])}: a class that is never seen cannot be learned")
    low, high = int(clouds.split.min()), int(clouds.split.max())
    if low < 1 or high > len(SPLITS):
        faults.append(f"split goes from {low} to {high}: expected 1 (train), 2 (val) and 3 (test)")
    empty = [name for name in SPLITS if not len(clouds.of_split(name))]
    return faults + [f"the split {name!r} is empty" for name in empty]
