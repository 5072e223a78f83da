"""Writes what happens in a run to its folder: status, metrics, kept epochs, checkpoints."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal

from workbench.errors import RunError
from workbench.runs.files import half, write_text
from workbench.runs.folder import Run
from workbench.runs.layer_arrays import KEPT_LIMIT, layer_arrays
from workbench.runs.status import HEARTBEAT_SECONDS, Status, read_status, write_status

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.models.base import Output
    from workbench.runs.trackers.feeds import Feeds
    from workbench.training.checkpoint import Checkpoint

Stage = Literal["teacher", "student", "plain"]  # plain: a student without distillation beside the other one
STATUS_SECONDS = 0.25  # between two writes of status.json while training
CHECKPOINT_SECONDS = 5.0
TRACKERS = "WORKBENCH_TRACKERS"  # see workbench.runs.trackers
UMAP_OF = "UMAP of the"  # how the log says which one is being made


class RunRecorder:
    """The loop's Recorder, and the run's voice. Use as a context manager: it beats while it is open."""

    def __init__(self, run: Run, *, in_process: bool = False) -> None:
        self.run = run
        before = read_status(run.path)
        self.status = replace(before, message="", eta_seconds=None, epoch=0, epochs=0).of_this_process(in_process)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._metrics: IO[str] | None = None
        self._stage: Stage = "teacher"
        self._told = self._saved = 0.0
        self._folder = self._folder_number()
        self._since: float | None = None
        self._stop = False
        self._feeds: Feeds | None = None

    def __enter__(self) -> RunRecorder:
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        if self._metrics is not None:
            self._metrics.close()
        if self._feeds is not None:
            self._feeds.end(self.status, self.run.result)
            with suppress(RunError):  # the folder is gone, as has been said
                self._warn_of_feeds(self._feeds)

    def start_clock(self) -> None:
        """The run has its device: the time from now on counts."""
        self._since = time.monotonic()
        self._before = self.status.elapsed
        self._feed()

    def elapsed(self) -> float:
        """Seconds of work on this run, those of earlier processes included."""
        return self._before + time.monotonic() - self._since if self._since is not None else self.status.elapsed

    # -- the run's voice ---------------------------------------------------------------------------

    def say(self, **changes: Any) -> Status:
        """Change the status and store it; RunError when the run folder has been deleted."""
        with self._lock:
            self.status = replace(self.status, elapsed=self.elapsed(), **changes)
            return self._write()

    def log(self, message: str) -> None:
        """A line of ``log.txt`` (where a worker's output goes too)."""
        try:
            with (self.run.path / "log.txt").open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%H:%M:%S')} {message}\n")
        except OSError:  # the folder is gone or cannot be written: the next status says so
            return

    def warn(self, message: str) -> None:
        """Something a person should know; shown with the run and stored in its result."""
        if message not in self.status.warnings:
            self.log(f"warning: {message}")
            self.say(warnings=[*self.status.warnings, message])

    def begin(self, stage: Stage, title: str, epochs: int, resumed_at: int = 0) -> None:
        """A training starts (or goes on after epoch ``resumed_at``): later records are dropped from the metrics."""
        self._stage = stage
        self._saved = self._saved or time.monotonic()  # short trainings one after another are stored as a long one is
        if self._metrics is not None:
            self._metrics.close()
        path = self.run.path / "metrics.jsonl"
        records = [r for r in self.run.metrics() if r["stage"] != stage or r["epoch"] <= resumed_at]
        self._guard(lambda: write_text(path, "".join(json.dumps(record) + "\n" for record in records)))
        self._metrics = path.open("a", encoding="utf-8")
        if feeds := self._feed():
            feeds.begin(stage, resumed_at, [record for record in records if record["stage"] == stage])
        self.say(state="running", stage=title, epoch=resumed_at, epochs=epochs, eta_seconds=None)
        self.log(f"{title}: up to {epochs} epochs" + (f", going on after epoch {resumed_at}" if resumed_at else ""))

    def replay(self, records: list[dict[str, Any]]) -> None:
        """Store the curve of a training that was done earlier (a cached teacher's)."""
        self.begin("teacher", "reusing the teacher", len(records))
        for record in records:
            self._append({"stage": "teacher", **record})
        if self._feeds is not None:
            self._feeds.curve("teacher", records)

    # -- the loop's Recorder -----------------------------------------------------------------------

    def epoch(self, record: dict[str, Any]) -> None:
        self._append({"stage": self._stage, **record})
        if self._feeds is not None:
            self._feeds.epoch(self._stage, record)
            self._warn_of_feeds(self._feeds)
        now = time.monotonic()
        if now - self._told >= STATUS_SECONDS:
            from workbench.runs.environment import reserved_memory

            self._told = now
            self.flush()
            left = max(self.status.epochs - record["epoch"], 0) * record["seconds"]
            self.say(epoch=record["epoch"], eta_seconds=round(left, 1), device_memory=reserved_memory())

    def keep(self, epoch: int, output: Output, pictures: dict[str, Tensor]) -> None:
        if self._stage != "student":
            return
        arrays = {key: value.float().cpu().numpy() for key, value in pictures.items()}
        embedding = output.layers[-2] if output.hidden else output.logits
        arrays["embedding"] = half(embedding.float().cpu().numpy())
        arrays["logits"] = half(output.logits.float().cpu().numpy())
        arrays |= layer_arrays(output, KEPT_LIMIT)
        self.run.store_arrays(f"epoch-{epoch:05d}", **arrays)

    def checkpoint(self, make: Callable[[], Checkpoint]) -> None:
        now = time.monotonic()
        if now - self._saved < CHECKPOINT_SECONDS and not self.stop_requested():
            return
        from workbench.training.checkpoint import save_tensors

        self._saved = now
        self.flush()  # the metrics must reach at least as far as the checkpoint
        made = make()
        header = {**made.header, "stage": self._stage}
        self._guard(lambda: save_tensors(self.run.path / "checkpoint.safetensors", made.tensors, header))

    def stop_requested(self) -> bool:
        return self._stop or (self.run.path / "stop").exists()

    def request_stop(self) -> None:
        self._stop = True

    # -- inside ------------------------------------------------------------------------------------

    def _append(self, record: dict[str, Any]) -> None:
        if self._metrics is None:
            raise RuntimeError("begin() a stage before recording its epochs")
        self._metrics.write(json.dumps(record, allow_nan=False) + "\n")

    def flush(self) -> None:
        """Let readers of the metrics see every epoch so far."""
        if self._metrics is not None:
            self._metrics.flush()

    def _feed(self) -> Feeds | None:
        """The trackers that the environment names, from the first moment of work on; None where it names none."""
        if self._feeds is None and (wanted := os.environ.get(TRACKERS)):
            from workbench.runs.trackers.feeds import Feeds

            self._feeds = Feeds(self.run, wanted)
            self._warn_of_feeds(self._feeds)
        return self._feeds

    def _warn_of_feeds(self, feeds: Feeds) -> None:
        for fault in feeds.new_faults():
            self.warn(fault)

    def _write(self) -> Status:
        def write() -> None:
            self.status = write_status(self.run.path, self.status)

        self._guard(write)
        return self.status

    def _folder_number(self) -> int:
        return self.run.path.stat().st_ino

    def _guard(self, write: Callable[[], None]) -> None:
        try:
            if self._folder_number() != self._folder:  # deleted, and made again for another worker
                raise FileNotFoundError
            write()
        except FileNotFoundError:
            raise RunError(f"the run folder {self.run.path} was deleted while the run was going on: given up") from None
        except OSError as error:
            raise RunError(f"cannot write to {self.run.path}: {error.strerror or error}") from None

    def _beat(self) -> None:
        """Show that the process lives even while one step takes long."""
        while not self._closed.wait(HEARTBEAT_SECONDS):
            with self._lock:
                try:
                    if self.status.alive:
                        self._write()
                except RunError:
                    return  # the training thread will meet the same fault and report it
