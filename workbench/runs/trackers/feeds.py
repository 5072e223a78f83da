"""Feeding trackers while a run is trained: each from a thread of its own, so that none of them holds it up."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from workbench.errors import UsageError
from workbench.runs.folder import Run
from workbench.runs.status import Status
from workbench.runs.trackers import Place, Tracker, open_tracker, parse_places
from workbench.runs.trackers.told import Facts, Point, ended_of, facts_of, point_of, points_until

PAUSE = 0.5  # seconds between two deliveries: the epochs in between travel together
LINGER = 30.0  # seconds without anything arriving after which a run that has ended waits no longer
TOGETHER = 100  # epochs in one delivery at most

Task = Callable[[Tracker], None]


class Feeds:
    """The trackers of a run. Nothing here raises or waits, but for :meth:`end`, which waits for a while."""

    def __init__(self, run: Run, wanted: str) -> None:
        self._run = run
        self._told: set[str] = set()
        self._reached: dict[str, int] = {}  # by stage, the epoch of the last record
        self._faults: list[str] = []
        self._feeds: list[Feed] = []
        try:
            self._feeds = [Feed(place, facts_of(run), run) for place in parse_places(wanted)]
        except UsageError as error:
            self._faults.append(f"nothing is sent to a tracker: {error}")

    def begin(self, stage: str, resumed_at: int, records: Sequence[Mapping[str, Any]]) -> None:
        """A stage begins, or goes on; ``records`` are its epochs so far, up to ``resumed_at``."""
        if self._reached.get(stage) != resumed_at:
            self.curve(stage, records)
            self._reached[stage] = resumed_at

    def curve(self, stage: str, records: Sequence[Mapping[str, Any]]) -> None:
        """The whole curve of a stage that was trained earlier."""
        points = points_until(time.time(), records)
        self._reached[stage] = points[-1].epoch if points else 0
        for feed in self._feeds:
            feed.curve(stage, points)

    def epoch(self, stage: str, record: Mapping[str, Any]) -> None:
        """An epoch has been made."""
        if not self._feeds:
            return
        point = point_of(record, time.time())
        self._reached[stage] = point.epoch
        for feed in self._feeds:
            feed.add(stage, point)

    def end(self, status: Status, result: Mapping[str, Any] | None) -> None:
        """Say how the run ended, and wait while things arrive, for :data:`LINGER` seconds of silence at most."""
        ended = ended_of(status, result)
        for feed in self._feeds:
            feed.finish(lambda tracker: tracker.end(ended))
        for feed in self._feeds:
            feed.wait()

    def new_faults(self) -> list[str]:
        """What has gone wrong and has not been told yet."""
        found = self._faults + [feed.fault for feed in self._feeds if feed.fault]
        new = [fault for fault in found if fault not in self._told]
        self._told |= set(new)
        return new


class Feed:
    """The thread that opens a tracker and tells it what happens, in order; the first fault ends it."""

    def __init__(self, place: Place, facts: Facts, run: Run) -> None:
        self._place, self._facts, self._run = place, facts, run
        self._tasks: SimpleQueue[Task | tuple[str, Point] | None] = SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"tracker {place.name}", daemon=True)
        self.fault = ""
        self._moved = self._asked = time.monotonic()  # when something arrived, and when the end was told
        self._thread.start()

    def curve(self, stage: str, points: Sequence[Point]) -> None:
        self._tasks.put(lambda tracker: tracker.curve(stage, points))

    def add(self, stage: str, point: Point) -> None:
        self._tasks.put((stage, point))

    def finish(self, last: Task) -> None:
        """Do ``last`` and then nothing more."""
        self._tasks.put(last)
        self._tasks.put(None)
        self._asked = time.monotonic()
        self._ending.set()

    def wait(self) -> None:
        self._moved = max(self._moved, self._asked)
        while self._thread.is_alive() and time.monotonic() - self._moved < LINGER:
            self._thread.join(0.1)
        if self._thread.is_alive() and not self.fault:
            self.fault = self._words(f"it did not answer within {LINGER:.0f} s")

    def _work(self) -> None:
        try:
            tracker = open_tracker(self._place, self._facts, self._run.path.parent)
            try:
                while self._deliver(tracker):
                    self._ending.wait(PAUSE)
            finally:
                tracker.close()
        except Exception as error:  # each package raises its own, and none may end a training
            self.fault = self._words(first_line(error))

    def _deliver(self, tracker: Tracker) -> bool:
        """Everything that waits now, points of one stage together; False after the last."""
        waiting = [self._tasks.get()]
        try:
            while True:
                waiting.append(self._tasks.get_nowait())
        except Empty:
            pass
        stage, points = "", list[Point]()
        for task in waiting:
            if isinstance(task, tuple) and task[0] == stage and len(points) < TOGETHER:
                points.append(task[1])
                continue
            self._add(tracker, stage, points)
            stage, points = (task[0], [task[1]]) if isinstance(task, tuple) else ("", [])
            if task is None:
                return False
            if not isinstance(task, tuple):
                task(tracker)
                self._moved = time.monotonic()
        self._add(tracker, stage, points)
        return True

    def _add(self, tracker: Tracker, stage: str, points: Sequence[Point]) -> None:
        if points:
            tracker.add(stage, points)
            self._moved = time.monotonic()

    def _words(self, what: str) -> str:
        at = f" --at {shlex.quote(self._place.at)}" if self._place.at else ""
        again = f"workbench track {self._run.id} --to {self._place.name}{at}"
        return f"tracking with {self._place} has ended, training goes on: {what}; `{again}` sends it afterwards"


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
