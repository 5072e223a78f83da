"""Time and memory of two ways to compute the same thing, measured so that both meet the same conditions."""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from workbench.errors import RunError

Step = Callable[[], Any]
VARIANTS = ("ours", "textbook")
CHILD_STEPS = 2  # the second one finds the buffers that the first one left


def alternate(steps: Mapping[str, Step], repeats: int) -> dict[str, float]:
    """Median seconds of every step. They take turns, so that a slow moment of the machine hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(repeats):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in seconds.items()}


def peak_bytes(make: Callable[..., tuple[Any, Callable[[Any], Step]]], *arguments: Any) -> int | None:
    """Bytes by which a process of its own grows while it prepares the step and takes it.

    ``make(*arguments)`` returns the inputs, which do not count, and the function that prepares the step for them.
    None where the system does not tell. Raises RunError when the process does not survive it.
    """
    if sys.platform == "win32":
        return None
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([make.__module__])
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(there, make, arguments), daemon=True)
    child.start()
    there.close()
    try:
        answer: int | str = here.recv()
    except EOFError:  # killed, most likely for its memory
        answer = "it ran out of memory"
    finally:
        child.join()
        here.close()
    if isinstance(answer, str):
        raise RunError(answer)
    return answer


def _child(answer: Connection, make: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    import psutil

    try:
        inputs, prepare = make(*arguments)
        _forget_high_water_mark()
        before = psutil.Process().memory_info().rss
        step = prepare(inputs)
        for _ in range(CHILD_STEPS):
            step()
        answer.send(max(_high_water_mark() - before, 0))
    except Exception as error:
        text = str(error).strip()
        answer.send(text.splitlines()[0] if text else "it ran out of memory")


def _forget_high_water_mark() -> None:
    """Begin anew, where the system (Linux) allows it: what it took to make the inputs does not count."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _high_water_mark() -> int:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB


def compare(
    name: str,
    make: Callable[..., tuple[Any, Callable[[Any], Step]]],
    arguments: tuple[Any, ...],
    repeats: int,
    needs: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Measure both variants of ``make(variant, *arguments)``, whose steps return the value they computed.

    ``first_milliseconds`` is what preparing the step and the first step take together: what is computed once is there.
    The processes that measure memory go first: a variant that does not fit fails there, and is not timed. One that
    ``needs`` more bytes than there are free is not tried, because the system might end another process for it.
    """
    entry: dict[str, Any] = {"name": name}
    steps: dict[str, Step] = {}
    for variant in VARIANTS:
        try:
            _check_room((needs or {}).get(variant, 0))
            entry[variant] = {"milliseconds": None, "peak_bytes": peak_bytes(make, variant, *arguments)}
        except RunError as error:
            entry[variant] = {"milliseconds": None, "peak_bytes": None, "error": str(error)}
            continue
        inputs, prepare = make(variant, *arguments)
        started = time.perf_counter()
        steps[variant] = prepare(inputs)
        steps[variant]()
        entry[variant]["first_milliseconds"] = 1000 * (time.perf_counter() - started)
    for variant, seconds in alternate(steps, repeats).items():
        entry[variant]["milliseconds"] = 1000 * seconds
    ours, textbook = (entry[variant] for variant in VARIANTS)
    entry["speedup"] = _ratio(textbook["milliseconds"], ours["milliseconds"])
    entry["memory_ratio"] = _ratio(textbook["peak_bytes"], ours["peak_bytes"])
    return entry


def _check_room(needed: int) -> None:
    """Raises RunError when fewer than ``needed`` bytes are free."""
    import psutil

    free = psutil.virtual_memory().available
    if needed > free:
        raise RunError(f"needs {needed / 1e9:,.0f} GB, {free / 1e9:,.0f} GB are free")


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below
