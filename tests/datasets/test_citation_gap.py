"""The drawn citation graph shows what it was made to show, with the workbench's own models, training and GLNN."""

import numpy as np
import pytest

import workbench as wb

SEEDS = 3
STUDENTS = {
    "small": ({"name": "gcn", "hidden_channels": 4}, "none"),
    "plain": ("mlp", "none"),
    "distilled": ("mlp", "glnn"),
}
TRAINING = {"patience": 50, "keep_every": 0}
TEACHER_TRAINING = {"epochs": 100}  # attention costs the most here, and is as good by then


@pytest.fixture(scope="module")
def accuracies(tmp_path_factory):
    """Mean test accuracy over the seeds, of the teacher and of every student; one teacher per seed serves all."""
    root = tmp_path_factory.mktemp("runs")
    rows = []
    for seed in range(SEEDS):
        row = {}
        for name, (student, method) in STUDENTS.items():
            run = wb.distill(
                "builtin-citation", "gat", student, method, seed, root=root, device="cpu",
                training=TRAINING, teacher_training=TEACHER_TRAINING,
            )  # fmt: skip
            for role, key in (("teacher", "teacher"), ("student", name)):
                row[key] = run.result[role]["metrics"]["test"]["accuracy"]
        rows.append(row)
    return {key: np.mean([row[key] for row in rows]) for key in rows[0]}


@pytest.mark.slow
def test_a_graph_teacher_beats_a_small_graph_student(accuracies):
    assert accuracies["teacher"] - accuracies["small"] >= 0.05


@pytest.mark.slow
def test_a_graph_teacher_beats_a_model_without_edges(accuracies):
    assert accuracies["teacher"] - accuracies["plain"] >= 0.05


@pytest.mark.slow
def test_glnn_closes_at_least_half_of_the_gap_without_edges(accuracies):
    gap = accuracies["teacher"] - accuracies["plain"]
    assert accuracies["distilled"] - accuracies["plain"] >= gap / 2
