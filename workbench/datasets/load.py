"""One way to every dataset: load it by its config and refuse what cannot be learned from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from workbench.datasets.base import DatasetConfig, Progress, data_root
from workbench.datasets.measure import check
from workbench.paths import expanded
from workbench.registry import datasets

if TYPE_CHECKING:
    from torch_geometric.data import Data


def load_dataset(
    config: DatasetConfig | str, root: str | os.PathLike[str] | None = None, progress: Progress | None = None
) -> Data:  # of other tasks what their configs load: a SnapshotSequence, PointClouds
    """The graph of ``config`` (or of a dataset's name, with its default options), checked.

    ``root`` is the data root (default: :func:`workbench.datasets.base.data_root`); ``progress`` hears
    of downloads. Raises UsageError where the data is missing, broken or not fit for learning.
    """
    chosen: DatasetConfig = datasets[config].parse({}) if isinstance(config, str) else config
    data = chosen.load(data_root() if root is None else expanded(root), progress)
    check(data, f"dataset {chosen.name!r}")
    return data
