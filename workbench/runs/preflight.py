"""What can be known to be wrong before a run starts: found here, so that nothing is half-written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.datasets.base import Progress, data_root, held_by
from workbench.datasets.load import load_dataset
from workbench.runs.live import Live
from workbench.runs.ways import way_of
from workbench.training.device import resolve_device

if TYPE_CHECKING:
    from workbench.spec import Spec


def settle(spec: Spec) -> Spec:
    """The spec with nothing left open: ``auto`` is a device of this machine, own files have their hash."""
    return spec.replace(device=str(resolve_device(spec.device)), dataset=spec.dataset.pinned())


def preflight(spec: Spec, progress: Progress | None = None, live: Live | None = None) -> list[str]:
    """Load the data, build both models and the method once, and run a user's own modules; returns notes.

    Raises UsageError for anything that cannot work. Downloads the dataset where it is missing.
    """
    live = live or Live()
    data = live.data if live.data is not None else load_dataset(spec.dataset, data_root(), progress)
    return way_of(held_by(spec.dataset)).check(spec, data, live)
