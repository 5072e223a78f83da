"""A person's own files as they were uploaded: checked by the reader of a run, then kept below the data root."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from workbench.datasets.base import DATA_ROOT, data_root
from workbench.datasets.measure import measure
from workbench.datasets.own import OwnConfig, digest
from workbench.datasets.own_csv import EDGES, NODES
from workbench.datasets.own_events import OwnEventsConfig, read_events
from workbench.errors import UsageError

MOST_MEGABYTES = 100  # of 2**20 bytes: all files of one upload together, and a table when it is decompressed
MOST_BYTES = MOST_MEGABYTES << 20
MOST_UNPACKED = 4 * MOST_BYTES  # all arrays of an archive
FOLDER = "own"  # below the data root
ARCHIVE, EVENTS = "graph.npz", "events.csv"  # as they are called while they are read
ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"


class Given(Protocol):
    """A file as it was uploaded."""

    name: str

    def getvalue(self) -> bytes: ...


@dataclass(frozen=True)
class Stored:
    """Where the data lie now, what they were called (for people only), and how much there is of what."""

    path: Path
    name: str
    sizes: Mapping[str, float]


def store(dataset: str, given: Sequence[Given], root: Path | None = None) -> Stored:
    """Check files as the dataset ``own`` or ``own-events`` reads them, and keep them below ``<data root>/own``.

    They are called by the SHA-256 of their contents, never by a name that came with them. Raises UsageError for every
    fault, with nothing left behind.
    """
    root = root or data_root()
    total = sum(len(file.getvalue()) for file in given)
    if total > MOST_BYTES:
        raise UsageError(f"these files are {total / 2**20:.0f} MB: at most {MOST_MEGABYTES} are taken; give their path")
    parts = _parts_of_graph(given) if dataset == "own" else _parts_of_events(given)
    with _staged(root / FOLDER, parts) as (folder, files):
        try:
            sizes = _sizes_of_graph(folder, files) if dataset == "own" else _sizes_of_events(files)
            path = _keep(root / FOLDER, folder, files)
        except UsageError as error:
            raise UsageError(_in_their_words(str(error), folder, parts)) from None
    return Stored(path, " and ".join(shown(file.name) for file in parts.values()), sizes)


def shown(name: str) -> str:
    """A file's name to be shown: its last part, with nothing in it that could be anything else than a name."""
    return re.sub(r"[^\w .+()-]", "_", re.split(r"[\\/]", name)[-1])[:80] or "your file"


def _parts_of_graph(given: Sequence[Given]) -> dict[str, Given]:
    """The files by what they are, which their contents say."""
    if len(given) == 1 and given[0].getvalue().startswith(ZIP):
        return {ARCHIVE: given[0]}
    parts = {NODES if "id" in _columns(file) else EDGES: file for file in given}
    if len(given) != 2 or len(parts) != 2:
        names = ", ".join(shown(file.name) for file in given)
        raise UsageError(
            f"a graph is one .npz archive, or two tables together: {NODES} (with a column id) and {EDGES} (with src "
            f"and dst, and no id); these are {names}"
        )
    return {name: parts[name] for name in (NODES, EDGES)}


def _columns(file: Given) -> list[str]:
    header = file.getvalue()[: 1 << 20].split(b"\n", 1)[0].decode("utf-8-sig", "replace")
    return [name.strip().strip('"') for name in header.split(",")]


def _parts_of_events(given: Sequence[Given]) -> dict[str, Given]:
    if len(given) != 1:
        raise UsageError(f"events are one CSV file with the columns src, dst and t, and these are {len(given)}")
    return {f"{EVENTS}.gz" if given[0].getvalue().startswith(GZIP) else EVENTS: given[0]}


@contextmanager
def _staged(own: Path, parts: Mapping[str, Given]) -> Iterator[tuple[Path, list[Path]]]:
    """The files in a folder of their own, which is gone afterwards with whatever is still in it."""
    folder = own / f".new-{os.getpid()}-{time.time_ns()}"
    try:
        folder.mkdir(parents=True)
        for name, file in parts.items():
            (folder / name).write_bytes(file.getvalue())
        yield folder, [folder / name for name in parts]
    except OSError as error:
        raise UsageError(
            f"cannot write below {own} ({error.strerror or error}): set {DATA_ROOT} to a writable folder"
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if own.is_dir() and not any(own.iterdir()):
            own.rmdir()


def _sizes_of_graph(folder: Path, files: Sequence[Path]) -> dict[str, float]:
    alone = files[0].name == ARCHIVE
    if alone:
        _refuse_large_archive(files[0])
    found = measure(OwnConfig(path=str(files[0] if alone else folder)).load(data_root()))
    return {name: found[name] for name in ("nodes", "edges", "features", "classes")}


def _sizes_of_events(files: Sequence[Path]) -> dict[str, float]:
    (file,) = files
    if file.suffix == ".gz":
        _refuse_large_table(file)
    events, names = read_events(OwnEventsConfig(path=str(file)).file())
    return {"events": len(events["src"]), "nodes": len(names)}


def _refuse_large_archive(file: Path) -> None:
    try:
        with zipfile.ZipFile(file) as members:
            total = sum(member.file_size for member in members.infolist())  # no member unpacks to more than it says
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UsageError(f"{file} is cut off or damaged ({error}): write it again with numpy.savez") from None
    if total > MOST_UNPACKED:
        raise UsageError(
            f"{file} unpacks to {total / 2**20:,.0f} MB: at most {MOST_UNPACKED >> 20} are taken here; give its path"
        )


def _refuse_large_table(file: Path) -> None:
    try:
        with gzip.open(file) as stream:
            total = 0
            while block := stream.read(1 << 20):
                total += len(block)
                if total > MOST_BYTES:
                    raise UsageError(f"{file} unpacks to more than the {MOST_MEGABYTES} MB taken here; give its path")
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{file} is cut off or damaged ({error}): compress it again") from None


def _keep(own: Path, folder: Path, files: Sequence[Path]) -> Path:
    """Move what was checked to where its contents say; the same contents are kept once."""
    sha = digest(list(files))
    alone = len(files) == 1
    target = own.absolute() / (sha[:16] + ("".join(files[0].suffixes) if alone else ""))
    there = [target] if alone else [target / file.name for file in files]
    if all(file.is_file() for file in there) and digest(there) == sha:
        return target
    if target.is_dir():  # whatever it is, it is not what its name says
        shutil.rmtree(target)
    os.replace(files[0] if alone else folder, target)
    return target


def _in_their_words(message: str, folder: Path, parts: Mapping[str, Given]) -> str:
    """``message`` with the names that the files came with, in place of where they lay while they were read."""
    for name, file in parts.items():
        message = message.replace(str(folder / name), f"“{shown(file.name)}”")
    return message.replace(str(folder), "the graph")
