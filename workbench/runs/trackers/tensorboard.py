"""A run as TensorBoard's event files: a folder with its parameters and result, and one below it per model.

The models are TensorBoard runs of their own, so that their losses and scores share a chart. The files are written here
record by record, for which TensorBoard's own package is enough: torch is not imported.
"""

# mypy: disable-error-code="import-untyped,import-not-found"
from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.hparams.api_pb2 import Status
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.plugins.text import metadata as text
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util

from workbench.paths import expanded
from workbench.runs.trackers.told import Ended, Facts, Point

FOLDER = "tensorboard"  # beside the runs
FILES = "events.out.tfevents."
STATES = {"done": Status.STATUS_SUCCESS, "running": Status.STATUS_RUNNING}


class TensorBoard:
    """``<place>/<run>`` and, for its curves, ``<place>/<run>/teacher``, ``student`` and ``plain``.

    A curve that is told anew replaces its file, so that no epoch is there twice.
    """

    def __init__(self, facts: Facts, at: str | None, root: Path) -> None:
        self._facts = facts
        self._folder = (expanded(at).absolute() if at else root / FOLDER) / facts.id
        self._curves: dict[str, EventFile] = {}
        self._write_run([])

    def curve(self, stage: str, points: Sequence[Point]) -> None:
        if stage in self._curves:
            self._curves.pop(stage).close()
        self._curves[stage] = EventFile(self._folder / stage)
        self.add(stage, points)

    def add(self, stage: str, points: Sequence[Point]) -> None:
        file = self._curves[stage]
        for point in points:
            values = [Summary.Value(tag=tag, simple_value=value) for tag, value in point.values.items()]
            file.write(Event(wall_time=point.time, step=point.epoch, summary=Summary(value=values)))
        file.flush()

    def end(self, ended: Ended) -> None:
        state = STATES.get(ended.state, Status.STATUS_FAILURE)
        info = HParamsPluginData(session_end_info=SessionEndInfo(status=state, end_time_secs=ended.time))
        words = "\n\n".join([f"{ended.state}: {ended.message}".removesuffix(": "), *ended.warnings])
        values = [
            _value(hparams.SESSION_END_INFO_TAG, hparams.NULL_TENSOR, hparams.create_summary_metadata(info)),
            _value("how it ended", _string(words), text.create_summary_metadata("", "")),
            *(Summary.Value(tag=tag, simple_value=value) for tag, value in ended.values.items()),
        ]
        self._write_run([Event(wall_time=ended.time, step=0, summary=Summary(value=values))])

    def close(self) -> None:
        for file in self._curves.values():
            file.close()

    def _write_run(self, more: Iterable[Any]) -> None:
        """The run's own file, new: its parameters, and what else is known of it."""
        facts = self._facts
        start = hparams_pb(dict(facts.parameters), trial_id=facts.id, start_time_secs=facts.created)
        start.value.append(
            _value("run", _string(f"{facts.title}\n\n{facts.path}"), text.create_summary_metadata("", ""))
        )
        file = EventFile(self._folder)
        for event in (Event(wall_time=facts.created, step=0, summary=start), *more):
            file.write(event)
        file.close()


class EventFile:
    """A new event file in ``folder``, in the place of those that are there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        before = list(folder.glob(f"{FILES}*"))
        name = f"{FILES}{time.time_ns() // 1000}.{socket.gethostname()}.{os.getpid()}"
        self._file = (folder / name).open("wb")
        self._records = RecordWriter(self._file)
        self.write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        for old in before:
            old.unlink(missing_ok=True)

    def write(self, event: Any) -> None:
        self._records.write(event.SerializeToString())

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _value(tag: str, tensor: Any, metadata: Any) -> Any:
    return Summary.Value(tag=tag, tensor=tensor, metadata=metadata)


def _string(words: str) -> Any:
    return tensor_util.make_tensor_proto([words.encode()], dtype=DT_STRING, shape=(1,))
