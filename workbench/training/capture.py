"""An epoch as a CUDA graph: recorded once, then launched as a whole instead of kernel by kernel.

Follows torch's notes on CUDA graphs: some epochs run on a side stream first, so that libraries have set
themselves up; what is recorded reads and writes the same memory each time, draws from the default random
generator, and never waits for the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import torch

from workbench.training.optimiser import FUSED
from workbench.training.step import Done, Step

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.spec import Training
    from workbench.training.distiller import Distiller
    from workbench.training.state import Learner

WARM_UP = 3  # epochs; the last of them must not wait for the device

Work = Callable[[], Done]


class Recording(Protocol):
    """What a captured step asks of the device; :class:`CudaGraphs` does it."""

    def warm_up(self, work: Work, strict: bool) -> Done:
        """Do ``work``; with ``strict``, raise RuntimeError where it waits for the device."""

    def record(self, work: Work) -> Work:
        """What does ``work`` again each time it is called, into the same memory; RuntimeError where it cannot be."""


class CapturedStep:
    """A :class:`Step` that is recorded after its warm-up: once for plain epochs, once for those with the lens.

    Where that fails, the learner is put back to where it was, ``warn`` is told why, and the epochs go on one
    kernel at a time.
    """

    def __init__(self, step: Step, recording: Recording, warn: Callable[[str], None]) -> None:
        self.learner = step.learner
        self._step = step
        self._recording: Recording | None = recording
        self._warn = warn
        self._warm = 0
        self._recorded: dict[bool, tuple[Work, dict[str, float]]] = {}

    def run(self, lens: bool) -> Done:
        """One epoch. What it gave is overwritten by the next one."""
        work = partial(self._step.run, lens)
        if self._recording is None:
            return work()
        if self._warm < WARM_UP:
            self._warm += 1
            if self._warm < WARM_UP:
                return self._recording.warm_up(work, strict=False)
            return self._or_plainly(partial(self._recording.warm_up, work, strict=True), work)
        if lens not in self._recorded:
            return self._or_plainly(partial(self._record, lens, work), work)
        replay, weights = self._recorded[lens]
        every = self._step.distiller.weights()
        # Weights are numbers in the recording: one that has changed since needs an epoch of its own.
        return replay() if weights == {name: every[name] for name in weights} else work()

    def _record(self, lens: bool, work: Work) -> Done:
        assert self._recording is not None
        replay = self._recording.record(work)
        done = replay()
        self._recorded[lens] = replay, done.weights
        return done

    def _or_plainly(self, attempt: Work, work: Work) -> Done:
        before = self.learner.snapshot()
        try:
            return attempt()
        except RuntimeError as error:  # torch's; a fault of the epoch itself comes again below
            self._recording = None
            self._recorded.clear()
            self.learner.restore(before)
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            self._warn(f"the epoch could not be captured as a CUDA graph ({reason}): training goes on without")
            return work()


class CudaGraphs:
    """Warm-up and capture on the learner's CUDA device."""

    def __init__(self, learner: Learner) -> None:
        self._optimiser = learner.optimiser
        self._device = learner.device
        self._stream = torch.cuda.Stream(learner.device)  # type: ignore[no-untyped-call]

    def warm_up(self, work: Work, strict: bool) -> Done:
        mode = torch.cuda.get_sync_debug_mode()
        here = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(here)
        try:
            if strict:  # what waits is found here, where a fault is harmless: a capture that fails leaves traces
                torch.cuda.set_sync_debug_mode("error")
            with torch.cuda.stream(self._stream):
                done = work()
        finally:
            torch.cuda.set_sync_debug_mode(mode)
            here.wait_stream(self._stream)
        return done

    def record(self, work: Work) -> Work:
        graph = torch.cuda.CUDAGraph()
        here = torch.cuda.current_stream(self._device)
        try:
            with (
                torch.cuda.device(self._device),
                _capturable(self._optimiser),
                torch.cuda.graph(graph, stream=self._stream),
            ):
                done = work()
        except Exception:
            torch.cuda.set_stream(here)  # a capture that cannot be ended does not leave its stream
            self._clean_up(graph)
            raise

        def replay() -> Done:
            graph.replay()
            return done

        return replay

    def _clean_up(self, graph: torch.cuda.CUDAGraph) -> None:
        """A failed capture leaves the random generator believing that it is still being captured: give it a new state.

        Its numbers are put back by the caller.
        """
        with suppress(RuntimeError):
            graph.reset()
        generator = torch.cuda.default_generators[self._device.index or 0]
        generator.graphsafe_set_state(torch.Generator(self._device).graphsafe_get_state())


@contextmanager
def _capturable(optimiser: torch.optim.Optimizer) -> Iterator[None]:
    """Adam wants to be told of a capture; told earlier, it would warn of every step that is none."""
    groups: list[dict[str, Any]] = [group for group in optimiser.param_groups if "capturable" in group]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group in groups:
            group["capturable"] = False


def make_step(
    distiller: Distiller, batch: Data, targets: Any, training: Training, warn: Callable[[str], None]
) -> Step | CapturedStep:
    """The step of a training; captured where ``training.cuda_graph`` asks for it and it can be."""
    device = batch.x.device
    if not training.cuda_graph:
        return Step(distiller, batch, targets, training)
    if device.type != "cuda" or training.optimizer not in FUSED:
        reason = f"on {device}" if device.type != "cuda" else f"with {training.optimizer}"
        warn(f"cuda_graph has no effect {reason}: it needs a CUDA device and one of the optimisers {', '.join(FUSED)}")
        return Step(distiller, batch, targets, training)
    step = Step(distiller, batch, targets, training, reuse=False)  # one recording holds both forward passes
    return CapturedStep(step, CudaGraphs(step.learner), warn)
