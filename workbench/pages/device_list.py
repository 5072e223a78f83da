"""The devices of this machine, with what is free of each; torch is imported here and by nothing else of the form."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterable

import psutil
import streamlit as st

from workbench.errors import WorkbenchError
from workbench.pages.forms import KEEP
from workbench.pages.wording import plain
from workbench.runs.folder import Run

FRESH_SECONDS = 10  # for so long nobody asks the driver again


def device_field(key: str, runs: Iterable[Run]) -> str:
    """Choose a device; below, what is free of each, and how many of ``runs`` are on it or wait for it."""
    from workbench.training.device import available_devices

    devices = available_devices()
    device = st.selectbox(
        "Device",
        ["auto", *devices],
        key=key,
        persist_state=KEEP,
        help="auto takes the first accelerator, or the CPU. One run at a time has a device; others wait in line.",
    )
    busy, free = Counter(_taken(runs)), facts(tuple(devices))
    for name in devices:
        number = busy[name]
        line = f"{number} run{'s' if number > 1 else ''} on it" if number else "no run on it"
        st.caption(f"**{name}** · {plain(free[name])} · {line}")
    return device


def _taken(runs: Iterable[Run]) -> Iterable[str]:
    for run in runs:
        try:
            if run.status.alive:
                yield str(run.document.get("device"))
        except WorkbenchError:  # its folder has gone
            continue


@st.cache_data(ttl=FRESH_SECONDS, show_spinner=False)
def facts(devices: tuple[str, ...]) -> dict[str, str]:
    """What there is of each device and what is free of it, in words."""
    return {name: _of_cuda(int(name.partition(":")[2])) if ":" in name else _of_machine() for name in devices}


def _of_machine() -> str:
    """The processors, and the memory that they share with an ``mps`` device."""
    cores, memory = psutil.cpu_count() or 1, psutil.virtual_memory()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else cores * psutil.cpu_percent() / 100
    busy = f"{cores} core{'s' if cores > 1 else ''}, {min(load / cores, 1):.0%} busy"
    return f"{busy}, {_gigabytes(memory.available)} of {_gigabytes(memory.total)} free"


def _of_cuda(index: int) -> str:
    import torch

    card = torch.cuda.get_device_properties(index)
    free = _free_memory().get(str(getattr(card, "uuid", "")).removeprefix("GPU-"))
    of = _gigabytes(card.total_memory)
    return f"{card.name}, {of}" if free is None else f"{card.name}, {_gigabytes(free)} of {of} free"


def _free_memory() -> dict[str, int]:
    """Free bytes by the UUID of a card, as the driver's own tool says; asking torch would take some for itself."""
    command = ["nvidia-smi", "--query-gpu=uuid,memory.free", "--format=csv,noheader,nounits"]
    try:
        lines = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.splitlines()
        cells = [[cell.strip() for cell in line.split(",")] for line in lines]
        return {uuid.removeprefix("GPU-"): int(free) << 20 for uuid, free in cells if free.isdigit()}
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}


def _gigabytes(number: float) -> str:
    return f"{number / 1e9:.3g} GB"
