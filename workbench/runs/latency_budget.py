"""The widest student whose inference takes no longer than so many milliseconds, on this machine."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from workbench.datasets.base import Holds, held_by
from workbench.errors import UsageError
from workbench.models.budget import possible_widths, solve_budget
from workbench.models.snapshot_window import SnapshotWindow
from workbench.runs.model_widths import model_widths
from workbench.runs.online_data import Stage, last_step
from workbench.runs.trained import LATENCY_REPEATS, suited
from workbench.runs.whole_graphs import LATENCY_GRAPHS
from workbench.training.device import memory_advice, resolve_device, synchronise
from workbench.training.loop import encode
from workbench.training.random_state import surroundings_kept
from workbench.training.whole_graphs import predict

if TYPE_CHECKING:
    from workbench.datasets.snapshots import SnapshotSequence
    from workbench.models.base import ModelConfig
    from workbench.spec import Spec

WARM_UP = 2
FEWEST, PATIENCE_SECONDS = 3, 0.5  # of a slow model fewer passes are timed than of a quick one
MOST_PARAMETERS = 50_000_000  # a wider student than that is not tried: it would be built in the memory of this process

Pass = Callable[[], object]


@dataclass(frozen=True)
class LatencyBudget:
    """A model that is quick enough: its config, what was measured of it, and every width that was tried."""

    config: ModelConfig
    milliseconds: float
    tried: dict[int, float]  # width -> milliseconds


def solve_latency(spec: Spec, data: Any, milliseconds: float) -> LatencyBudget:
    """The student of ``spec`` as wide as one inference on ``data`` lasts at most so many milliseconds.

    ``data`` is what the dataset's ``load`` returned. The time is that of the result of a run: the median of warm
    passes over the whole graph, over some shapes at once, or over the last window of snapshots, with the device waited
    for. Weights are fresh, since a latency does not depend on them. It is measured here and now, so it is noisy, and
    whatever else the machine does is in it.

    Raises UsageError where the target is not positive, where the narrowest student takes longer, and for a device that
    is not here; RunError where memory runs out.
    """
    if not milliseconds > 0:
        raise UsageError(f"a latency must be a positive number of milliseconds, not {milliseconds!r}")
    student, device = spec.student, resolve_device(spec.device)
    inputs, outputs = model_widths(spec, data).student

    def config_at(width: int) -> ModelConfig:
        return student.replace(**{student.width_option: width})

    largest = solve_budget(student, inputs, outputs, parameters=MOST_PARAMETERS).config
    possible = possible_widths(student)
    widths = range(possible.start, getattr(largest, student.width_option) + 1, possible.step)
    with surroundings_kept(), memory_advice(device):
        one_pass = _PASSES[held_by(spec.dataset)](spec, data, device)

        def measured(width: int) -> float:
            return median_milliseconds(one_pass(config_at(width).build(inputs, outputs).to(device).eval()), device)

        found, tried = widest_within(measured, widths, milliseconds)
    if found is None:
        narrowest = min(tried)
        raise UsageError(
            f"no {student.title or student.name} answers within {milliseconds:g} ms here: the narrowest one "
            f"({student.width_option} {narrowest}) took {tried[narrowest]:.3g} ms; raise the budget, or choose another "
            f"architecture"
        )
    return LatencyBudget(config_at(found), tried[found], tried)


def widest_within(
    milliseconds: Callable[[int], float], widths: range, target: float
) -> tuple[int | None, dict[int, float]]:
    """The widest of ``widths`` that takes at most ``target``, or None; and what was measured, by width.

    The width is doubled until it takes too long, and the last doubling is halved: a model that is much too slow is
    never built. Where times rise with the width, no wider one would fit; a noisy clock may be a few widths off.
    """
    tried: dict[int, float] = {}

    def fits(index: int) -> bool:
        width = widths[index]
        tried[width] = milliseconds(width)
        return tried[width] <= target

    low, high = -1, 0  # as indices: the last one known to fit, and the one to be tried
    while high < len(widths) and fits(high):
        low, high = high, min(2 * high + 1, len(widths) - 1) if high < len(widths) - 1 else len(widths)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return (None if low < 0 else widths[low]), tried


def median_milliseconds(one_pass: Pass, device: torch.device) -> float:
    """Median of warm passes, as many as a result is measured by; of slow ones at least three."""
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < WARM_UP + LATENCY_REPEATS:
        if len(times) >= WARM_UP + FEWEST and time.perf_counter() - began > PATIENCE_SECONDS:
            break
        synchronise(device)
        started = time.perf_counter()
        one_pass()
        synchronise(device)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times[WARM_UP:])


def _on_graph(spec: Spec, data: Any, device: torch.device) -> Callable[[nn.Module], Pass]:
    moved = copy.copy(data).to(device)

    def of(module: nn.Module) -> Pass:
        batch = suited(module, moved)

        def one_pass() -> object:
            inputs = copy.copy(batch)
            inputs.x = batch.x.detach()  # a tensor that the model has not seen: nothing made of it is used again
            return encode(module, inputs, spec.training)

        return one_pass

    return of


def _on_many(spec: Spec, data: Any, device: torch.device) -> Callable[[nn.Module], Pass]:
    """On some of the test graphs, or of the test shapes, at once."""
    moved = data.to(device)
    chosen = moved.of_split("test")[:LATENCY_GRAPHS]
    return lambda module: partial(predict, module, moved, chosen, spec.training)


def _on_snapshots(spec: Spec, data: SnapshotSequence, device: torch.device) -> Callable[[Any], Pass]:
    stage = Stage(spec, data, max(last_step(spec, data), 0), {})

    def of(module: Any) -> Pass:
        window = SnapshotWindow.of(data, stage.window(module.window + 1), stage.nodes).to(device)
        return torch.no_grad()(partial(module.encode, window))

    return of


_PASSES: dict[Holds, Callable[[Any, Any, torch.device], Callable[[nn.Module], Pass]]] = {
    "graph": _on_graph,
    "hetero": _on_graph,
    "graphs": _on_many,
    "clouds": _on_many,
    "snapshots": _on_snapshots,
}
