"""Slots of a sweep on this machine: a few processes that live as long as the sweep, so that imports are paid once.

How the slots fit with the queue of the devices (:mod:`workbench.runs.queue`, one run at a time per device): slots that
share a device – all on the CPU, or more slots than GPUs – do so on purpose. They do not stand in its queue, each
computes with its own few threads, and a single run that is launched meanwhile starts at once and shares the device with
them too. A slot that has a GPU for itself takes a turn in that GPU's queue for every run, so that single runs come
between those of the sweep, first come first served. Latencies that are measured beside other work are longer than
those of a run alone.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import psutil

from workbench.runs.launch import STOP_SECONDS, worker_environment
from workbench.runs.store import private_folder
from workbench.runs.sweep_progress import FOLDER

if TYPE_CHECKING:
    from workbench.spec import Spec

THREADS = "OMP_NUM_THREADS"
LOG = "slots.log"  # what slots print between their runs


@dataclass(frozen=True)
class News:
    """What became of an order: the run has ended, belongs to somebody else, its process died, or there was a fault."""

    id: str
    word: Literal["ended", "elsewhere", "died", "fault"]
    message: str = ""


@dataclass(frozen=True)
class Share:
    """How a sweep shares the machine: slots, threads of each, and the GPUs that they have."""

    slots: int
    threads: int
    gpus: tuple[str, ...] = ()

    @property
    def turns(self) -> bool:
        """Whether every slot has a GPU for itself, and takes turns there with other runs."""
        return bool(self.gpus) and self.slots <= len(self.gpus)


def share_of(slots: int | None, gpus: tuple[str, ...] = ()) -> Share:
    """The usual share: one slot per GPU, else as many as there are cores for their threads.

    A slot has as many threads as ``OMP_NUM_THREADS`` says, else its part of the cores where ``slots`` are given, else
    one: small graphs gain nothing from a second.
    """
    cores = usable_cores()
    given = os.environ.get(THREADS, "").partition(",")[0].strip()
    wanted = int(given) if given.isdecimal() and int(given) else None
    if slots is None:
        slots = len(gpus) or max(1, cores // (wanted or 1))
        return Share(slots, wanted or max(1, cores // slots), gpus)
    return Share(slots, wanted or max(1, cores // slots), gpus)


def usable_cores() -> int:
    """Cores that this process may use."""
    with suppress(AttributeError, psutil.Error):  # macOS cannot tell
        return len(psutil.Process().cpu_affinity() or ()) or (os.cpu_count() or 1)
    return os.cpu_count() or 1


class Slot:
    """One process, the run that it works on, and a thread that reads its answers."""

    def __init__(
        self, root: Path, device: str | None, share: Share, log: Path, news: queue.SimpleQueue[Answer]
    ) -> None:
        self.id: str | None = None  # of the run that it works on
        self.device = device  # of the runs that may run on any GPU
        self.ended = False
        command = [sys.executable, "-m", "workbench.runs.sweep_slot", str(root), *(["turns"] if share.turns else [])]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env={**worker_environment(), THREADS: str(share.threads)},
                start_new_session=True,  # stopping a run by force reaches its slot alone, and Ctrl-C the sweep alone
                text=True,
                encoding="utf-8",
            )
        self._news = news
        threading.Thread(target=self._listen, name="slot", daemon=True).start()

    def order(self, id: str, spec: Spec) -> None:
        self.id = id
        with suppress(BrokenPipeError):  # it has died; the answer will say so
            print(json.dumps({"id": id, "spec": spec.to_yaml()}), file=self._stream(self.process.stdin), flush=True)

    def let_go(self) -> None:
        """No more orders: it stops its run, with a checkpoint, and leaves."""
        with suppress(OSError):
            self._stream(self.process.stdin).close()

    def wait(self, deadline: float) -> None:
        """Return when it has left; at ``deadline`` (monotonic seconds) it is killed, with what it started."""
        try:
            self.process.wait(max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(self.process.pid, signal.SIGKILL)
                else:
                    self.process.kill()
            self.process.wait()

    def _listen(self) -> None:
        for line in self._stream(self.process.stdout):
            answer = json.loads(line)
            self._news.put((self, answer["id"], answer["word"]))
        self._news.put((self, None, _how_it_ended(self.process.wait())))

    @staticmethod
    def _stream(stream: IO[str] | None) -> IO[str]:
        assert stream is not None  # both are pipes
        return stream


Answer = tuple[Slot, str | None, str]


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"signal {signal.Signals(-code).name}" + (", for want of memory perhaps" if code == -9 else "")
    return f"signal {-code}"


class LocalSlots:
    """The local engine of a sweep. Use as a context manager: leaving it stops what is going on, with checkpoints."""

    name = "local"
    retries = 1  # of a run whose slot has died

    def __init__(self, root: Path, share: Share) -> None:
        self.root, self.share, self.slots = root, share, share.slots
        self._pool: list[Slot] = []
        self._news: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def __enter__(self) -> LocalSlots:
        return self

    def __exit__(self, *_: object) -> None:
        for slot in self._pool:
            slot.let_go()
        deadline = time.monotonic() + STOP_SECONDS
        for slot in self._pool:
            slot.wait(deadline)

    def device(self, name: str) -> str:
        """The device of this machine that a spec means."""
        from workbench.training.device import resolve_device

        return str(resolve_device(name))

    def has_room(self) -> bool:
        return sum(slot.id is not None for slot in self._pool) < self.share.slots

    def start(self, id: str, spec: Spec, roams: bool) -> None:
        """Give the run to a free slot, or to a new one; one that ``roams`` runs on the slot's own GPU."""
        slot = next((slot for slot in self._pool if slot.id is None), None) or self._new_slot()
        if roams and slot.device is not None and spec.device.startswith("cuda"):
            spec = spec.replace(device=slot.device)
        slot.order(id, spec)

    def news(self, seconds: float) -> list[News]:
        """What has happened, after ``seconds`` at most."""
        found: list[News] = []
        with suppress(queue.Empty):
            found += self._read(self._news.get(timeout=seconds))
            while True:
                found += self._read(self._news.get_nowait())
        return found

    def _read(self, answer: Answer) -> list[News]:
        slot, id, word = answer
        if id is not None:
            slot.id = None
            words: Mapping[str, Literal["ended", "elsewhere"]] = {"ended": "ended", "elsewhere": "elsewhere"}
            return [News(id, words[word]) if word in words else News(id, "fault", word)]
        self._pool.remove(slot)
        slot.let_go()
        return [] if slot.id is None else [News(slot.id, "died", word)]

    def _new_slot(self) -> Slot:
        free = [gpu for gpu in self.share.gpus if gpu not in [slot.device for slot in self._pool]]
        gpus = free or self.share.gpus
        device = gpus[len(self._pool) % len(gpus)] if gpus else None
        slot = Slot(self.root, device, self.share, private_folder(self.root, FOLDER) / LOG, self._news)
        self._pool.append(slot)
        return slot
