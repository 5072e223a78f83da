"""Dotted options: taken from anywhere, read in the type that the option declares."""

from typing import Literal

import pytest

from workbench.cli.flags import expected, read_flags, split_flags
from workbench.errors import UsageError
from workbench.options import Config, Option, describe


class Part(Config):
    hidden_channels: int = Option(4, help="Width.", ge=1, le=100)
    rate: float = Option(0.1, help="Rate.", gt=0, lt=1)
    batch_norm: bool = Option(False, help="Norm.")
    order: Literal["first", "second"] = Option("first", help="Order.")
    hops: Literal[1, 2] = Option(1, help="Hops.")
    clip: float | None = Option(None, help="Clip.", gt=0)
    note: str = Option("", help="Note.")


def read(*arguments):
    flags, rest = split_flags(arguments)
    return read_flags(flags, {"student": Part}).get("student", {}), rest


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (("--student.hidden-channels", "16"), {"hidden_channels": 16}),
        (("--student.hidden_channels=16",), {"hidden_channels": 16}),
        (("--student.rate", "5e-1"), {"rate": 0.5}),
        (("--student.batch-norm",), {"batch_norm": True}),
        (("--student.batch-norm", "false"), {"batch_norm": False}),
        (("--student.batch-norm=yes",), {"batch_norm": True}),
        (("--no-student.batch-norm",), {"batch_norm": False}),
        (("--student.no-batch-norm",), {"batch_norm": False}),
        (("--student.order", "second"), {"order": "second"}),
        (("--student.hops", "2"), {"hops": 2}),
        (("--student.clip", "none"), {"clip": None}),
        (("--student.clip", "0.5"), {"clip": 0.5}),
        (("--student.note=a=b",), {"note": "a=b"}),
        (("--student.batch-norm", "--student.rate", "0.5"), {"batch_norm": True, "rate": 0.5}),
        (("--student.rate", "0.5", "--student.rate", "0.25"), {"rate": 0.25}),
    ],
)
def test_a_value_has_the_type_of_its_option(arguments, values):
    assert read(*arguments) == (values, [])


def test_dotted_options_are_taken_from_between_the_others():
    values, rest = read("--student.rate", "0.5", "cora", "--seeds", "0-4", "--student.batch-norm", "--json")
    assert values == {"rate": 0.5, "batch_norm": True}
    assert rest == ["cora", "--seeds", "0-4", "--json"]


def test_after_two_dashes_nothing_is_an_option():
    assert read("--", "--student.rate", "0.5") == ({}, ["--", "--student.rate", "0.5"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--student.hiden-channels", "4"), "did you mean 'hidden-channels'"),
        (("--studnet.rate", "0.5"), "did you mean 'student'"),
        (("--student.rate",), "--student.rate needs a value: a number > 0 and < 1"),
        (("--student.rate", "--json"), "needs a value"),
        (("--student.rate", "1"), "> 0 and < 1 (got 1)"),
        (("--student.rate", "nan"), "(got nan)"),
        (("--student.rate", "fast"), "takes a number > 0 and < 1 (got 'fast')"),
        (("--student.hidden-channels", "0"), "a whole number ≥ 1 and ≤ 100 (got 0)"),
        (("--student.hidden-channels", "-3"), "(got -3)"),
        (("--student.hidden-channels", "2.5"), "(got '2.5')"),
        (("--student.batch-norm", "maybe"), "takes true or false"),
        (("--student.order", "scond"), "did you mean 'second'"),
        (("--no-student.rate",), "rate is no switch"),
        (("--kd.alpha", "0.8"), "kd is not among the methods of this run"),
    ],
)
def test_what_cannot_be_read_is_explained(arguments, message):
    with pytest.raises(UsageError) as error:
        read(*arguments)
    assert message in str(error.value)


def test_what_an_option_takes_is_said_in_words():
    words = {info.name: expected(info) for info in describe(Part)}
    assert words["hidden_channels"] == "a whole number ≥ 1 and ≤ 100"
    assert words["clip"] == "a number > 0 or none"
    assert words["order"] == "one of first, second"
    assert words["batch_norm"] == "true or false"
    assert words["note"] == "a text"
