"""The teacher of a run on one graph: taken from the content-addressed cache, or trained once and put there.

No gradient ever reaches a teacher: its output is computed without gradients, and no optimiser of a
student's training knows its parameters.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from workbench.runs.live import with_encode
from workbench.runs.teacher_cache import WEIGHTS, cached_teacher, own_teacher
from workbench.runs.teacher_control import keep_untrained, labels_still_true, permuted_labels
from workbench.runs.trained import Job, Trained, measure, train
from workbench.training.distiller import Distiller
from workbench.training.random_state import seed_everything

if TYPE_CHECKING:
    from torch_geometric.data import Data


def obtain_teacher(job: Job) -> Trained:
    """The teacher of a run; ``info["reused"]`` says whether it was there already, ``hash`` which one it is.

    A teacher that is a control (see :mod:`workbench.runs.teacher_control`) has ``info["control"]``; of a
    ``shuffled`` one the metrics on training and validation nodes are against the labels that it was given, and
    ``info["labels_still_true"]`` holds the shares of them that are true by chance.
    """
    spec, live = job.spec, job.live
    seed_everything(spec.seed, spec.teacher_training.deterministic)
    if live.teacher is not None and not live.train_teacher:
        module = with_encode(live.teacher).to(job.device)
        info = {"best_epoch": None, "epochs": 0, "seconds": 0.0, "reused": True, "hash": spec.teacher_id}
        return measure(job, "teacher", module, job.batch, spec.teacher_training, info)
    module = (
        with_encode(live.teacher)
        if live.teacher is not None
        else spec.teacher.build(job.batch.num_features, job.classes)
    )
    module = module.to(job.device)
    batch = job.suited(module)

    def make(folder: Path) -> dict[str, Any]:
        return _make(job, module, batch, folder)

    if live.data is not None or live.teacher is not None:
        info = own_teacher(job.recorder, cache_key(job), make)
    else:
        info = cached_teacher(job.recorder, cache_key(job), job.fingerprint, module, make)
    return Trained(module, job.output(module, batch, spec.teacher_training), info)


def cache_key(job: Job) -> str:
    """What the teacher depends on: dataset, architecture, training, control, seed, and the kind of device."""
    return f"{job.spec.teacher_id}-{job.device.type}"


def _make(job: Job, module: nn.Module, batch: Data, folder: Path) -> dict[str, Any]:
    """Train the teacher, or do with it what the spec's control wants; its weights go into ``folder``."""
    control = job.spec.teacher_control
    taught = permuted_labels(batch, job.spec.seed) if control == "shuffled" else batch
    if control == "untrained":
        made = keep_untrained(job, module, batch, folder / WEIGHTS)
    else:
        distiller = Distiller(module, None, job.task)
        made = train(job, "teacher", distiller, taught, None, job.spec.teacher_training, folder / WEIGHTS)
    if control != "none":
        made.info["control"] = control
    if control == "shuffled":
        made.info["labels_still_true"] = labels_still_true(batch, taught)
    return made.info
