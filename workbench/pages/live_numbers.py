"""The numbers of a run that is going on: its pace, the time that is left, where it runs, what it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psutil
import streamlit as st

from workbench.pages.wording import NONE, dig, duration, plain, size
from workbench.runs.folder import Run
from workbench.runs.status import HOST, Status, process_is_there

LATEST = 20  # epochs of which the pace is taken


def live_numbers(run: Run, status: Status, records: Sequence[Mapping[str, Any]]) -> None:
    """Four numbers of a living run; of an ended one what is known of its memory."""
    if not status.alive:
        peak = dig(run.result, "peak_memory_bytes")
        if isinstance(peak, int | float):
            st.caption(f"Peak memory: {size(peak)}")
        return
    pace, left, device, memory = st.columns(4)
    pace.metric(
        "Epochs per second", _number(epochs_per_second(records)), help=f"Over the last {LATEST} epochs at most."
    )
    left.metric("Time left, at most", duration(status.eta_seconds), help="Of this stage; it may stop earlier.")
    device.metric("Device", plain(status.device) or NONE, help="Where the models and the graph are.")
    on_gpu = status.device_memory > 0
    memory.metric(
        "GPU memory" if on_gpu else "Memory",
        size(status.device_memory if on_gpu else worker_memory(status)),
        help=f"What the process of the run holds of the {'GPU' if on_gpu else 'machine'}'s memory now.",
    )


def epochs_per_second(records: Sequence[Mapping[str, Any]]) -> float | None:
    """The pace of the last epochs of the present stage; None before there is one."""
    stage = records[-1].get("stage") if records else None
    latest = [record.get("seconds") for record in records if record.get("stage") == stage][-LATEST:]
    seconds = [second for second in latest if isinstance(second, int | float) and second > 0]
    return len(seconds) / sum(seconds) if seconds else None


def worker_memory(status: Status) -> int | None:
    """Bytes that the run's process holds in memory; None where it is not on this machine, or is not there."""
    if status.host not in ("", HOST) or not status.pid or not process_is_there(status):
        return None
    try:
        return int(psutil.Process(status.pid).memory_info().rss)
    except psutil.Error:
        return None


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.0f}" if value >= 9.95 else f"{value:.2g}"
