"""What a frozen teacher gives for every node of a large graph: written once as float16, read by node, never whole.

Kept beside the cache of teachers, by what it depends on: the weights, the graph and the number format. Runs that have
the same teacher share it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor, nn

from workbench.errors import RunError
from workbench.models.base import Output
from workbench.runs.files import half, read_json, write_json
from workbench.runs.store import private_folder

if TYPE_CHECKING:
    from workbench.training.layerwise import Room

RECORD = "outputs.json"
BLOCK = 2**22  # numbers that are converted at a time

Make = Callable[["Room"], Output]  # computes the output on the whole graph, every layer put where Room says


class TeacherArrays:
    """The logits and hidden layers of a folder that :func:`teacher_arrays` has written."""

    def __init__(self, folder: Path, hidden: bool = True) -> None:
        """Without ``hidden`` only logits are read. Raises RunError for a folder that is not whole."""
        record = read_json(folder / RECORD)
        if not is_whole(folder, record):
            raise RunError(f"{folder} is not whole: delete it and run again")
        names = list(record["layers"]) if hidden else list(record["layers"])[-1:]  # logits are last
        self._layers = [np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in names]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """(N, d) of every layer that is read, logits last."""
        return [layer.shape for layer in self._layers]

    def __call__(self, nodes: Tensor) -> Output:
        """The outputs on the nodes (n,) as float32, in their order; read from the files in that of the nodes there."""
        order = nodes.cpu().argsort()
        ascending = nodes.cpu()[order].numpy()
        *hidden, logits = [_placed(layer[ascending], order) for layer in self._layers]
        return Output(logits, hidden)


def teacher_arrays(root: Path, key: str, make: Make, hidden: bool = True) -> TeacherArrays:
    """The outputs of the teacher of ``key`` below the runs ``root``, made now where they are not there yet.

    A second run that needs the same waits for the first. ``hidden`` says what is read: all is written. Values beyond
    float16 are clipped. Raises RunError for an output that is not finite.
    """
    folder = private_folder(root, "teacher_outputs", key)
    with FileLock(folder / "lock"):
        if not is_whole(folder, read_json(folder / RECORD)):
            _write(folder, make)
    return TeacherArrays(folder, hidden)


def key_of(module: nn.Module, data: str, number_format: str) -> str:
    """What the outputs depend on: class, structure and weights of the module, the data's fingerprint, the format."""
    digest = hashlib.sha256(repr((type(module).__qualname__, repr(module), data, number_format)).encode())
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:24]


def is_whole(folder: Path, record: Any) -> bool:
    """Whether a record was read and its files have the sizes that it says."""
    if not isinstance(record, dict):
        return False
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.npy")}
    return all(sizes.get(name) == size for name, size in record["layers"].items())


def room_in(folder: Path) -> Room:
    """Room for layers in float32 files of a folder, so that they need no memory of the process."""

    def room(number: int, rows: int, width: int) -> Tensor:
        return torch.from_numpy(np.memmap(folder / f"layer-{number}", np.float32, "w+", shape=(rows, width)))

    return room


def _write(folder: Path, make: Make) -> None:
    with TemporaryDirectory(dir=folder, prefix="exact-") as exact:
        output = make(room_in(Path(exact)))
        sizes = {}
        for number, layer in enumerate(output.layers):
            name = "logits.npy" if layer is output.logits else f"hidden_{number}.npy"
            _write_half(folder / name, layer)
            sizes[name] = (folder / name).stat().st_size
        del output
    write_json(folder / RECORD, {"layers": sizes})  # last: files without a record do not count


def _write_half(path: Path, layer: Tensor) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    rows = max(1, BLOCK // max(layer.shape[1], 1))
    try:
        file = np.lib.format.open_memmap(temporary, "w+", np.float16, tuple(layer.shape))
        for start in range(0, layer.shape[0], rows):
            block = layer[start : start + rows].float().cpu()
            if not bool(torch.isfinite(block).all()):
                raise RunError("the teacher's output is not finite: train it with a lower learning rate")
            file[start : start + rows] = half(block.numpy())
        file.flush()
        del file
        os.replace(temporary, path)
    except OSError as error:
        raise RunError(f"{path} cannot be written ({error.strerror}): make room and run again") from None
    finally:
        temporary.unlink(missing_ok=True)


def _placed(rows: np.ndarray, order: Tensor) -> Tensor:
    """Rows (n, d) in ascending order of nodes, put back to the places ``order`` (n,) that they were asked for at."""
    found = torch.empty(rows.shape)
    found[order] = torch.from_numpy(rows.astype(np.float32))
    return found
