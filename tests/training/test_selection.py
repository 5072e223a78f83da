from __future__ import annotations

import math

from workbench.training.selection import Selection


def best_of(*epochs: tuple[float, float]) -> int:
    selection = Selection()
    for epoch, (score, loss) in enumerate(epochs, 1):
        selection.update(epoch, score, loss)
    return selection.epoch


def test_the_highest_score_wins() -> None:
    assert best_of((0.5, 1.0), (0.7, 2.0), (0.6, 0.1)) == 2


def test_of_equal_scores_the_lower_loss_wins_and_then_the_earlier_epoch() -> None:
    assert best_of((0.7, 2.0), (0.7, 1.0), (0.7, 1.0)) == 2


def test_without_a_score_the_loss_alone_decides() -> None:
    assert best_of((math.nan, 1.0), (math.nan, 0.5), (math.nan, 0.7)) == 2


def test_an_epoch_with_a_score_beats_those_without() -> None:
    assert best_of((math.nan, 0.1), (0.2, 9.0), (math.nan, 0.1)) == 2


def test_an_epoch_whose_loss_is_not_finite_is_never_chosen() -> None:
    assert best_of((0.5, 1.0), (0.9, math.nan), (0.9, math.inf)) == 1
