"""Links that come and go, embeddings over time in one frame, and how far nodes drift."""

import numpy as np
import pytest

from workbench.analysis.evolution import (
    aligned_embeddings,
    aligned_pair,
    drift,
    link_changes,
    most_drifting,
    turned,
)
from workbench.errors import UsageError

ROTATION = np.array([[0.6, -0.8], [0.8, 0.6]])


def test_links_are_born_kept_and_dead_whatever_their_direction():
    born, kept, dead = link_changes(np.array([[0, 2, 5], [1, 1, 5]]), np.array([[1, 1, 4], [0, 3, 4]]))
    assert (born.tolist(), kept.tolist(), dead.tolist()) == ([[1, 4], [3, 4]], [[0], [1]], [[1, 5], [2, 5]])


def test_no_links_at_all_have_no_changes():
    none = np.zeros((2, 0), dtype=np.int32)
    assert [part.shape for part in link_changes(none, none)] == [(2, 0)] * 3


def test_embeddings_that_only_turn_and_shift_do_not_drift():
    points = np.random.default_rng(0).normal(size=(30, 2))
    aligned = aligned_embeddings([points, points @ ROTATION + 7, points * [-1, 1] @ ROTATION.T])
    assert drift(aligned) == pytest.approx(np.zeros((2, 30)), abs=1e-9)


def test_all_steps_have_one_scale():
    points = np.random.default_rng(0).normal(size=(30, 2))
    small, large = aligned_embeddings([points, 3 * points])
    spread = [((each - each.mean(axis=0)) ** 2).sum(axis=1).mean() for each in (small, large)]
    assert spread[1] / spread[0] == pytest.approx(9)
    assert np.mean(spread) == pytest.approx(1)


def test_new_nodes_do_not_turn_the_frame():
    points = np.random.default_rng(0).normal(size=(40, 2)) * [3, 1]
    points[30:] += [0, 40]  # the largest direction of the second step is another
    first, second = aligned_embeddings([points[:30], points])
    assert second[:30] == pytest.approx(first, abs=1e-9)
    assert np.linalg.norm(second[30:].mean(axis=0) - second[:30].mean(axis=0)) > 10 * np.linalg.norm(first.std(axis=0))


def test_a_turned_and_scaled_teacher_lies_on_its_student():
    student = np.random.default_rng(0).normal(size=(2, 30, 2))
    student[1] *= np.sqrt((student[0].var(0).sum()) / student[1].var(0).sum())
    teacher = [5 * step @ ROTATION + 1 for step in student]
    taught, learned = aligned_pair(teacher, list(student))
    for ours, theirs in zip(taught, learned, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_a_teacher_that_knows_fewer_nodes_is_turned_by_those():
    points = np.random.default_rng(0).normal(size=(30, 2))
    assert turned(points, points[:20] @ ROTATION) == pytest.approx(points[:20])


def test_drift_is_the_length_of_the_way_of_nodes_that_both_steps_have():
    steps = [np.zeros((2, 2)), np.array([[3.0, 4.0], [0, 0], [1, 1]]), np.array([[3.0, 4.0], [0, 2], [1, 1]])]
    moved = drift(steps)
    assert moved == pytest.approx(np.array([[5, 0, np.nan], [0, 2, 0]]), nan_ok=True)
    assert most_drifting(moved, 5).tolist() == [0, 1]  # the third never moves
    assert most_drifting(moved, 1).tolist() == [0]


def test_one_step_has_no_drift():
    assert drift([np.zeros((3, 2))]).shape == (0, 3)
    assert most_drifting(drift([np.zeros((3, 2))]), 2).tolist() == []


def test_features_that_are_not_finite_are_refused():
    with pytest.raises(UsageError, match="NaN"):
        aligned_embeddings([np.full((3, 2), np.nan)])
