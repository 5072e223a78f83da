"""``workbench.distill``: one run in the calling process, from names, configs or one's own objects."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock, Timeout
from torch import nn

from workbench.datasets.base import DatasetConfig, Progress
from workbench.errors import RunError, UsageError
from workbench.methods.base import Method, Sum
from workbench.models.base import ModelConfig
from workbench.runs.claim import claim
from workbench.runs.download_bar import DownloadBar
from workbench.runs.execute import execute
from workbench.runs.folder import Run
from workbench.runs.live import Live, as_live, is_data, live_dataset, live_model
from workbench.runs.pictures import add_umap
from workbench.runs.preflight import preflight, settle
from workbench.runs.recorder import RunRecorder
from workbench.runs.status import HOST, Status
from workbench.runs.store import runs_root
from workbench.runs.teacher_control import check_control
from workbench.runs.tuned import TUNED, with_tuned
from workbench.runs.worker import carry_out, in_turn
from workbench.settings import Online, Training
from workbench.spec import Spec
from workbench.training.random_state import surroundings_kept

if TYPE_CHECKING:
    from torch_geometric.data import Data, HeteroData

    from workbench.datasets.graph_collection import GraphCollection
    from workbench.datasets.point_clouds import PointClouds
    from workbench.datasets.snapshots import SnapshotSequence


def distill(
    dataset: (
        str
        | Path
        | dict[str, Any]
        | DatasetConfig
        | Data
        | HeteroData
        | GraphCollection
        | SnapshotSequence
        | PointClouds
    ),
    teacher: str | dict[str, Any] | ModelConfig | nn.Module | None = None,
    student: str | dict[str, Any] | ModelConfig | nn.Module | None = None,
    method: str | dict[str, Any] | Method | Sum | None = None,
    seed: int = 0,
    *,
    preset: str | None = None,
    training: dict[str, Any] | Training | None = None,
    teacher_training: dict[str, Any] | Training | None = None,
    online: dict[str, Any] | Online | None = None,
    device: str = "auto",
    umap: bool = False,
    train_teacher: bool = True,
    teacher_control: Literal["none", "untrained", "shuffled"] = "none",
    root: Path | str | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Train a teacher, distil it into a student, and return the finished run.

    Every part may be a name (``"cora"``, ``"gat"``, ``"kd+gcrd"``), a config (``wb.methods.LSP(kernel="rbf")``) or a
    mapping with a name; ``dataset`` also a path, a PyG ``Data`` with ``train_mask``, ``val_mask`` and ``test_mask``,
    a ``HeteroData`` one of whose types has ``y`` and those masks, a ``GraphCollection``, a ``SnapshotSequence`` or
    ``PointClouds`` (of ``workbench.datasets``); a model of one graph also any ``nn.Module`` that takes ``(x,
    edge_index)`` (give it hidden layers with ``wb.wrap`` where a method compares them).
    What is left out is what is usual for the dataset's task: gat, gcn and kd where nodes are classified (rgcn twice
    where there are several types of them), dysat and distill2vec for snapshots (whose ``online`` settings say how the
    student follows them), dgcnn and lsp for point clouds; a dataset's ``preset`` comes before that, and the preset
    ``"tuned"`` is what a search found best for these components on this dataset. Your own modules are trained in
    place; with ``train_teacher=False`` a teacher is used as it comes. ``teacher_control`` puts a teacher in its place
    that is untrained, or trained on permuted labels (true only by chance); :func:`workbench.controls` runs all
    controls.

    The run folder is the same that the command line and the app use: a spec that was finished before is
    not run again unless ``fresh``. Blocks until the run ends, and waits while another run has the device.
    ``progress`` hears of downloads, as (what, fraction done); without one a bar is drawn on stderr.

    Raises UsageError for wrong arguments (nothing is written) and RunError when the run fails.
    """
    live = Live(train_teacher=train_teacher)
    parts: dict[str, Any] = {"dataset": dataset, "teacher": teacher, "student": student}
    if is_data(dataset):
        live.data = as_live(dataset)
        parts["dataset"] = live_dataset(live.data)
    if not train_teacher and not isinstance(teacher, nn.Module):
        raise UsageError("train_teacher=False takes a teacher that is trained already: pass your module as teacher")
    if teacher is student and isinstance(teacher, nn.Module):
        raise UsageError("teacher and student are the same object: pass a copy (copy.deepcopy) as one of them")
    for role in ("teacher", "student"):
        if isinstance(parts[role], nn.Module):
            setattr(live, role, parts[role])
            parts[role] = live_model(parts[role], trained=role == "teacher" and not train_teacher)
    parts |= {"method": method, "training": training, "teacher_training": teacher_training, "online": online}
    parts |= {"preset": preset, "seed": seed, "device": device, "umap": umap, "teacher_control": teacher_control}
    values = {key: value for key, value in parts.items() if value is not None}
    if preset == TUNED:
        values, _ = with_tuned(values)
    spec = Spec.parse(values, "distill")
    return run_here(spec, live, root, fresh, progress)


def run_here(
    spec: Spec,
    live: Live | None = None,
    root: Path | str | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Carry out ``spec`` in the calling process, as :func:`distill` does, or hand back the finished run."""
    live = live or Live()
    check_control(spec.teacher_control, live)
    spec = settle(spec)
    with DownloadBar() as bar:
        preflight(spec, progress or bar, live)
    status = Status(device=spec.device, created=time.time(), host=HOST).of_this_process(in_process=True)
    run, made = claim(spec, Path(root).absolute() if root else runs_root(), status, fresh or live.any)
    if not made:
        finished = _settle_existing(run)
        if finished:
            if spec.umap and "umap" not in run.array_names():
                add_umap(run)
            return run
    return _carry_out(run, spec, live)


def _settle_existing(run: Run) -> bool:
    """Whether the run is finished already; raises UsageError while another process works on it."""
    state = run.status.state
    if state in ("queued", "running"):
        raise UsageError(f"run {run.id} is {state} in another process: wait for it, or stop it first")
    return state == "done"


def _carry_out(run: Run, spec: Spec, live: Live) -> Run:
    try:
        held = FileLock(run.path / "worker.lock").acquire(timeout=0)
    except Timeout:
        raise UsageError(f"run {run.id} is being worked on by another process") from None
    (run.path / "stop").unlink(missing_ok=True)
    with held, RunRecorder(run, in_process=True) as recorder:

        def work() -> None:
            with in_turn(recorder), surroundings_kept():
                execute(spec, recorder, live)

        if error := carry_out(recorder, work):
            raise RunError(f"run {run.id} {recorder.status.state}: {recorder.status.message}") from error
    return run
