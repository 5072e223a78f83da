"""The raw files that somebody publishes: where they lie below the data root, and how missing ones are fetched."""

from __future__ import annotations

import os
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from workbench.datasets.base import DATA_ROOT, Progress
from workbench.errors import UsageError

TIMEOUT = 30.0  # seconds without a byte
CHUNK = 1 << 16

# (content, file name, where it came from): raises UsageError unless it is what should be there
Verify = Callable[[bytes, str, str], object]


@dataclass(frozen=True)
class RawFiles:
    """Files called ``names`` in the folder ``place`` (``Planetoid/Cora/raw``) below the data root.

    Each is published at the address ``source`` + ``/`` + its name.
    """

    source: str
    place: str
    names: tuple[str, ...]
    verify: Verify

    def folder(self, root: Path) -> Path:
        return root / self.place

    def missing(self, root: Path) -> list[str]:
        return [name for name in self.names if not (self.folder(root) / name).is_file()]

    def read(self, root: Path, name: str) -> bytes:
        """One file as it is on disk, not yet verified."""
        path = self.folder(root) / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None

    def fetch_missing(self, root: Path, progress: Progress | None = None) -> None:
        """Download what is not there: all of it, verified, or nothing.

        ``progress`` is called with what is being fetched and the fraction of files done. Raises UsageError
        where the folder cannot be written, and where the files cannot be fetched, with what to do by hand.
        """
        names, folder = self.missing(root), self.folder(root)
        if not names:
            return
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".download-", dir=folder.parent) as staging:
                for done, name in enumerate(names):
                    raw = self._fetch(name, names, done, folder, progress)
                    self.verify(raw, name, f"{self.source}/{name}")
                    Path(staging, name).write_bytes(raw)
                folder.mkdir(exist_ok=True)
                for name in names:  # each in one step; a second process that came first wrote the same bytes
                    os.replace(Path(staging, name), folder / name)
        except OSError as error:
            raise UsageError(
                f"{folder} cannot be written ({error.strerror or error}): set {DATA_ROOT} to a folder that can, "
                f"or {self._by_hand(names, folder)}"
            ) from None
        if progress is not None:
            progress("downloaded", 1.0)

    def _fetch(self, name: str, names: Sequence[str], done: int, folder: Path, progress: Progress | None) -> bytes:
        """One file, telling ``progress`` of every piece of it."""
        address, share = f"{self.source}/{name}", 1 / len(names)
        chunks: list[bytes] = []
        received = 0
        if progress is not None:
            progress(f"downloading {name}", done * share)
        try:
            with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:
                expected = int(answer.headers.get("Content-Length") or 0)
                while chunk := answer.read(CHUNK):
                    chunks.append(chunk)
                    received += len(chunk)
                    if progress is not None and expected:
                        progress(f"downloading {name}", share * (done + min(received / expected, 1.0)))
        except (OSError, HTTPException) as error:  # no network, no such host, no such file, time out
            reason = getattr(error, "reason", None) or error
            raise UsageError(f"{address} could not be fetched ({reason}): {self._by_hand(names, folder)}") from None
        return b"".join(chunks)

    def _by_hand(self, names: Sequence[str], folder: Path) -> str:
        return (
            f"put {', '.join(names)} from {self.source} into {folder}, "
            f"or set {DATA_ROOT} to a folder that has {'it' if len(names) == 1 else 'them'} in {self.place}"
        )
