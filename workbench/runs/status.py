"""How a run is doing: one small file, replaced atomically, readable at any moment."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import psutil

from workbench.runs.files import read_json, write_json

State = Literal["queued", "running", "done", "failed", "stopped", "lost"]
ALIVE: tuple[State, ...] = ("queued", "running")
HEARTBEAT_SECONDS = 2.0
SILENCE_SECONDS = 60.0  # without a heartbeat from another machine, its run counts as lost
HOST = socket.gethostname()


@dataclass(frozen=True)
class Status:
    """What ``status.json`` says. Times are Unix seconds; ``eta_seconds`` is None while it cannot be known."""

    state: State = "queued"
    stage: str = "waiting"
    epoch: int = 0
    epochs: int = 0
    eta_seconds: float | None = None
    message: str = ""
    device: str = ""
    pid: int = 0
    process_started: float = 0.0
    host: str = ""
    in_process: bool = False  # trained inside someone's own Python, not by a worker
    device_memory: int = 0  # bytes of a GPU that the process has reserved; 0 where it computes on the CPU
    elapsed: float = 0.0  # seconds of work, over all processes that worked on the run
    created: float = 0.0
    updated: float = 0.0
    warnings: list[str] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        return self.state in ALIVE

    def of_this_process(self, in_process: bool) -> Status:
        started = psutil.Process().create_time()
        return replace(self, pid=os.getpid(), process_started=started, host=HOST, in_process=in_process)


def write_status(folder: Path, status: Status) -> Status:
    """Store ``status`` with the present time; FileNotFoundError where the folder is gone."""
    status = replace(status, updated=time.time())
    write_json(folder / "status.json", asdict(status))
    return status


def read_status(folder: Path) -> Status:
    """The stored status, or ``lost`` when its process has vanished or its file is missing or damaged."""
    document = read_json(folder / "status.json")
    try:
        return judge(parse_status(document))
    except ValueError:
        return Status(state="lost", message="the run folder is damaged or gone: its status.json cannot be read")


def parse_status(document: Any) -> Status:
    """The status in ``document``, whose unknown keys are left aside; ValueError where it holds none."""
    if not isinstance(document, dict):
        raise ValueError(f"a status is a mapping, not {document!r}")
    found = {f.name: document[f.name] for f in fields(Status) if f.name in document}
    for f in fields(Status):
        if f.name in found and not _KINDS[str(f.type)](found[f.name]):
            raise ValueError(f"{f.name} of a status is {f.type}, not {found[f.name]!r}")
    return Status(**found)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and abs(value) <= sys.float_info.max  # neither NaN nor infinite


# By annotation. Written out because listing runs should not have to import pydantic.
_KINDS: dict[str, Callable[[Any], bool]] = {
    "State": lambda value: value in get_args(State),
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and 0 <= value < 2**63,
    "float": _is_number,
    "float | None": lambda value: value is None or _is_number(value),
    "bool": lambda value: isinstance(value, bool),
    "list[str]": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
}


def judge(status: Status) -> Status:
    """A status that says ``running`` of a process that is not there any more is ``lost``."""
    if not status.alive or process_is_there(status):
        return status
    message = "its process has vanished; resume it to go on from the last checkpoint"
    return replace(status, state="lost", message=message, eta_seconds=None)


def process_is_there(status: Status) -> bool:
    """Whether the very process that wrote ``status`` still lives (a pid alone may have been used again)."""
    if status.host and status.host != HOST:
        return time.time() - status.updated < SILENCE_SECONDS
    if status.pid == 0:  # just launched: the worker has not written its pid yet
        return time.time() - status.updated < SILENCE_SECONDS
    try:
        process = psutil.Process(status.pid)
        same = abs(process.create_time() - status.process_started) < 1.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
