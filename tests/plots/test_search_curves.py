"""The history of a search: the running maximum of what was tried."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.errors import UsageError
from workbench.plots.search_curves import best_so_far, draw


def test_the_line_is_the_running_maximum_and_failures_leave_it_as_it_is() -> None:
    assert best_so_far([0.5, 0.25, None, 0.75, 0.5]) == [0.5, 0.5, 0.5, 0.75, 0.75]
    assert best_so_far([None, 0.25]) == [None, 0.25]
    assert best_so_far([]) == []


def test_every_method_has_a_line_and_its_dots() -> None:
    figure = draw({"kd": [0.5, 0.75], "none": [0.5, 0.25]}, "AUC")
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    assert [trace.name for trace in lines] == ["kd", "none"]
    assert [list(trace.y) for trace in lines] == [[0.5, 0.75], [0.5, 0.5]]
    assert [list(trace.y) for trace in dots] == [[0.5, 0.75], [0.5, 0.25]]
    assert list(lines[0].x) == [1, 2]
    assert lines[0].line.color != lines[1].line.color
    assert "AUC on validation" in figure.layout.yaxis.title.text


def test_nothing_to_draw_is_a_message() -> None:
    with pytest.raises(UsageError, match=r"wb\.search"):
        wb.plots.search_history([])
