"""Devices by name, and what to say when one is missing or out of memory."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from workbench.errors import RunError, UsageError


def available_devices() -> list[str]:
    """Names that ``--device`` accepts on this machine, ``cpu`` first."""
    found = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    return [*found, "mps"] if torch.backends.mps.is_available() else found


def resolve_device(name: str) -> torch.device:
    """``auto`` takes the first accelerator, or the CPU. Raises UsageError for a device that is not here."""
    known = available_devices()
    if name == "auto":
        return torch.device(known[1] if len(known) > 1 else "cpu")
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in known:
        raise UsageError(f"device {name!r} is not on this machine: choose auto or one of {', '.join(known)}")
    return torch.device(wanted)


def device_name(device: torch.device) -> str:
    """The card's or processor's name, for people."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was given, so that a clock tells the truth."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


@contextmanager
def memory_advice(device: torch.device) -> Iterator[None]:
    """Turn an out-of-memory fault into a RunError that says what to lower."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not isinstance(error, RuntimeError) or _is_out_of_memory(error):
            raise RunError(
                f"out of memory on {device}: lower hidden_channels, heads or num_layers of the larger model, "
                f"take a smaller graph, or choose another device ({', '.join(available_devices())})"
            ) from error
        raise


def _is_out_of_memory(error: RuntimeError) -> bool:
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in text or "out of memory" in text
