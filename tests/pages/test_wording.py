"""Numbers in words: and what is no number, in a file that somebody damaged, is a dash."""

import pytest

from workbench.pages import wording

WRITTEN = (
    wording.percent, wording.count, wording.size, wording.times, wording.relative_size, wording.milliseconds,
    wording.duration,
)  # fmt: skip


@pytest.mark.parametrize("write", WRITTEN)
@pytest.mark.parametrize("wrong", [None, "big", [2], {}, True, float("nan"), float("inf"), 10**400], ids=lambda v: "")
def test_what_is_no_number_is_a_dash(write, wrong):
    assert write(wrong) == "–"


def test_numbers_are_short():
    assert [wording.percent(0.8163), wording.count(1_234_567), wording.size(16_400)] == ["81.6 %", "1.23 M", "16.4 kB"]
    assert [wording.relative_size(16), wording.duration(75)] == ["16.0 × smaller", "1 min 15 s"]


def scored(test, **more):
    return {"teacher": {"metrics": {"test": test}}, "student": {"metrics": {"test": test}}, "compression": 2.0, **more}


@pytest.mark.parametrize("test", [{"accuracy": "x"}, {"accuracy": [1]}, {"auc": {}}, "auc", 3, None, ["auc"]])
def test_a_score_that_is_no_number_is_none(test):
    assert wording.score(scored(test), "student") is None
    assert "not been measured completely" in wording.story(scored(test))


@pytest.mark.parametrize("wrong", ["big", [2], {}, -3, 0])
def test_a_compression_that_cannot_be_has_no_story(wrong):
    assert "not been measured completely" in wording.story(scored({"accuracy": 0.5}, compression=wrong))


def test_a_teacher_with_a_strange_control_is_a_teacher():
    result = scored({"accuracy": 0.5})
    result["teacher"]["control"] = ["untrained"]
    assert wording.story(result) == "The student is 2.0 × smaller and as accurate as its teacher."
