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


@pytest.mark.parametrize(
    ("number", "count", "size"),
    [
        (0.4, "0", "0 B"),
        (999, "999", "999 B"),
        (999.6, "1,000", "1 kB"),
        (9_999, "9,999", "10 kB"),
        (12_345, "12.3 k", "12.3 kB"),
        (999_499, "999 k", "999 kB"),
        (999_999, "1 M", "1 MB"),
        (999_999_999, "1 G", "1 GB"),
        (5e12, "5,000 G", "5,000 GB"),
    ],
)
def test_large_numbers_have_three_digits_and_the_unit_that_fits(number, count, size):
    assert (wording.count(number), wording.size(number)) == (count, size)


@pytest.mark.parametrize(("seconds", "words"), [(59.4, "59 s"), (59.7, "1 min 0 s"), (3600, "1 h 0 min")])
def test_a_duration_has_no_sixty_seconds(seconds, words):
    assert wording.duration(seconds) == words


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
