"""Your own graph: a folder with two CSV files, or one NumPy archive.

**A folder** holds ``nodes.csv`` and ``edges.csv``, each with a header line.

``nodes.csv``: one line per node, with the columns ``id`` (any text, each once), ``label`` (0, 1, 2, … without
gaps; empty or −1 for a node without one), ``split`` (``train``, ``val``, ``test``, or empty for a node in none of
them) and at least one more. Every further column is a feature: a finite number in every line::

    id,height,weight,label,split
    ann,1.71,64,0,train
    bob,1.80,75,1,test

``edges.csv``: one line per edge, with the columns ``src`` and ``dst``, which are ids of ``nodes.csv``. Further
columns are left aside::

    src,dst
    ann,bob

**An archive** (``.npz``, written by ``numpy.savez``) holds plain arrays: ``x`` (N, F) of numbers, ``edge_index``
(2, E) of whole numbers from 0 to N − 1, ``y`` (N,) of whole numbers (−1 for a node without a label), and either
``split`` (N,), as words like above or as 0 none, 1 train, 2 val, 3 test, or the three boolean arrays ``train_mask``,
``val_mask`` and ``test_mask`` (N,). Arrays of Python objects are refused: reading them could run a program.

A class needs a training node, and no part of the split may be empty.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from workbench.datasets.arrays import as_data, normalise_rows, symmetrise
from workbench.datasets.base import Card, DatasetConfig, Progress
from workbench.datasets.measure import check
from workbench.datasets.own_csv import EDGES, NODES, read_folder
from workbench.datasets.own_npz import read_archive
from workbench.errors import UsageError
from workbench.options import Option
from workbench.paths import expanded
from workbench.registry import datasets

if TYPE_CHECKING:
    from torch_geometric.data import Data

MOST_BYTES = 4 << 30  # per file; larger graphs do not fit the full-batch loop either


@datasets.register
class OwnConfig(DatasetConfig):
    """Your own graph, from a folder with nodes.csv and edges.csv or from one .npz."""

    title: ClassVar[str] = "Your own graph"
    card: ClassVar[Card] = Card(
        title="Your own graph",
        task="node classification",
        summary=(
            "A folder with nodes.csv (id, features, label, split) and edges.csv (src, dst), or one .npz with x, "
            "edge_index, y and split. A run remembers the SHA-256 of what it read."
        ),
        citation="Yours to add.",
        licence="That of your data.",
    )

    name: Literal["own"] = "own"
    path: str = Option("", help="A folder with nodes.csv and edges.csv, or an .npz file.")
    undirected: bool = Option(True, help="Take every edge in both directions, each once.")
    normalise_features: bool = Option(False, help="Scale every node's features to a sum of one.")
    sha256: str | None = Option(
        None, help="Digest of the files; filled in at launch. Other contents are then refused.", advanced=True
    )

    def load(self, root: Path, progress: Progress | None = None) -> Data:
        """Read the files; a relative ``path`` is meant from the current folder. Raises UsageError for every fault."""
        given = self.files()
        if self.sha256 is not None and (found := digest(given)) != self.sha256:
            raise UsageError(
                f"{self.path} has changed since the run was defined: its SHA-256 is {found}, expected {self.sha256}; "
                f"put the old files back, or start a new run"
            )
        arrays = read_archive(*given) if len(given) == 1 else read_folder(*given)
        x, edge_index = arrays["x"], arrays["edge_index"]
        if self.normalise_features:
            arrays["x"] = normalise_rows(x)
        if self.undirected:
            arrays["edge_index"] = symmetrise(edge_index, len(x))
        data = as_data(**arrays)
        check(data, self.path)
        return data

    def is_ready(self, root: Path) -> bool:
        try:
            return bool(self.files())
        except UsageError:
            return False

    def wanted(self, root: Path) -> str:
        try:
            self.files()
        except UsageError as error:
            return str(error)
        return ""

    def pinned(self) -> Self:
        """This config with an absolute path and the digest of what is there now."""
        found = digest(self.files())
        if self.sha256 not in (None, found):
            raise UsageError(f"{self.path} has the SHA-256 {found}, expected {self.sha256}: leave sha256 out to accept")
        return self.replace(path=str(expanded(self.path).absolute()), sha256=found)

    def files(self) -> list[Path]:
        """The archive, or nodes.csv and edges.csv; raises UsageError where there is nothing to read."""
        if not self.path:
            raise UsageError("your own graph needs a path: a folder with nodes.csv and edges.csv, or an .npz file")
        path = expanded(self.path)
        if os.path.isdir(path):  # unlike Path.is_dir, no path is too long for it
            found = [path / NODES, path / EDGES]
        elif path.suffix == ".npz" or not os.path.exists(path):
            found = [path]
        else:
            raise UsageError(f"{path} is neither a folder with {NODES} and {EDGES} nor an .npz file")
        for file in found:
            if not os.path.isfile(file):
                raise UsageError(f"{file} does not exist: expected a folder with {NODES} and {EDGES}, or an .npz file")
            size = file.stat().st_size
            if size > MOST_BYTES:
                raise UsageError(f"{file} is {size / 2**30:.1f} GiB: at most {MOST_BYTES >> 30} GiB are read")
        return found


def digest(files: list[Path]) -> str:
    """SHA-256 (64 hexadecimal digits) of the contents of ``files``; their place on the disk does not matter."""
    sha = hashlib.sha256()
    for file in files:
        try:
            with file.open("rb") as stream:
                sha.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None
    return sha.hexdigest()
