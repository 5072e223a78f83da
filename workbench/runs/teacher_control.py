"""Teachers without the knowledge that one should have, to hold a distilled student against: *is it real?*

``untrained`` keeps the initial weights that its training would have started from. ``shuffled`` is trained
and selected on labels permuted among the training and among the validation nodes: it is as sure of
itself as a trained network, and sees the same class frequencies, but its labels are true only by chance:
the share that stays is about the sum of the squared class shares, and is recorded with the teacher.
The student of either learns from the true labels.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from workbench.errors import UsageError
from workbench.runs.live import Live
from workbench.runs.trained import Job, Trained, measure
from workbench.training.checkpoint import save_tensors

if TYPE_CHECKING:
    from torch import nn
    from torch_geometric.data import Data

ABOVE_EVERY_SEED = 2**31  # of a run, so that the permutation has a stream of random numbers to itself


def keep_untrained(job: Job, module: nn.Module, batch: Data, weights: Path) -> Trained:
    """Judge ``module`` with the weights it was built with, which are written to ``weights``; nothing is trained."""
    job.recorder.say(stage="taking the teacher untrained")
    save_tensors(weights, module.state_dict())
    info = {"best_epoch": None, "epochs": 0, "seconds": 0.0}
    return measure(job, "teacher", module, batch, job.spec.teacher_training, info)


def permuted_labels(batch: Data, seed: int) -> Data:
    """``batch`` with the labels of its training nodes permuted among these, and likewise of its validation nodes.

    The class frequencies of both parts stay, and so does every other label: what is measured on the test
    nodes is measured against the truth. The permutation depends on ``seed`` alone, not on the device.
    """
    generator = torch.Generator().manual_seed(ABOVE_EVERY_SEED + seed)
    permuted = copy.copy(batch)
    permuted.y = batch.y.clone()  # (N,)
    for mask in (batch.train_mask, batch.val_mask):
        nodes = mask.nonzero().view(-1)
        order = torch.randperm(nodes.numel(), generator=generator).to(nodes.device)
        permuted.y[nodes] = batch.y[nodes[order]]
    return permuted


def labels_still_true(batch: Data, permuted: Data) -> dict[str, float]:
    """The shares (0..1) of the training and of the validation labels that the permutation left true, by chance."""
    same = permuted.y == batch.y  # (N,)
    return {split: float(same[batch[f"{split}_mask"]].double().mean()) for split in ("train", "val")}


def check_control(control: str, live: Live) -> None:
    """Raises UsageError for a control that a person's own teacher cannot be."""
    if control == "none" or live.teacher is None:
        return
    if control == "untrained":
        raise UsageError(
            "teacher_control='untrained' needs a teacher that is built here: give its name or config, "
            "or pass your own module freshly built with train_teacher=False and leave teacher_control out"
        )
    if not live.train_teacher:
        raise UsageError(
            f"teacher_control={control!r} trains the teacher on permuted labels, and train_teacher=False leaves it "
            f"as it is: leave one of them out"
        )
