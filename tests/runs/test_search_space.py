"""What a search may try is what the options themselves declare."""

from __future__ import annotations

import math

import pytest

from workbench.errors import UsageError
from workbench.options import describe
from workbench.registry import datasets, methods
from workbench.runs.search_space import Range, applied, count, search_space, values_of
from workbench.spec import Spec

TRAINING = ["training.learning_rate", "training.weight_decay", "student.dropout"]


def spec(method: str = "lsp", **more: object) -> Spec:
    return Spec.parse({"dataset": "builtin-karate", "teacher": "gcn", "student": "gcn", "method": method, **more})


def test_a_method_is_searched_in_its_own_options() -> None:
    weight, kernel, sigma = search_space(spec("lsp"))
    assert (weight.place, weight.kind, weight.low, weight.high, weight.log) == ("lsp.weight", "float", 1, 1000, True)
    assert (kernel.place, kernel.kind, kernel.choices) == ("lsp.kernel", "choice", ("rbf", "l2", "poly", "linear"))
    assert (sigma.place, sigma.low, sigma.high, sigma.log) == ("lsp.sigma", 0.1, 10, True)
    assert [each.default for each in (weight, kernel, sigma)] == [100.0, "rbf", 1.0]


@pytest.mark.parametrize("name", [name for name in methods if "node classification" in methods[name].tasks])
def test_every_method_has_a_space_made_of_its_options(name: str) -> None:
    declared = [f"{name}.{info.name}" for info in describe(methods[name]) if info.search is not None]
    space = search_space(spec(name))
    assert [each.place for each in space] == (declared or TRAINING)
    for each in space:
        assert each.value(each.nearest_default) == each.nearest_default
        assert applied(spec(name), {each.place: each.nearest_default}).objective.name == name


@pytest.mark.parametrize("name", [name for name in datasets if not name.startswith("own")])
def test_the_usual_method_of_every_dataset_can_be_searched_with_its_training(name: str) -> None:
    usual = Spec.parse({"dataset": name})
    space = search_space(usual, ["training"])
    assert {"training.learning_rate", "training.weight_decay"} < {each.place for each in space}
    assert applied(usual, values_of(usual, space)) == usual


def test_a_sum_is_searched_in_the_options_of_each_part() -> None:
    places = [each.place for each in search_space(spec("kd+gcrd"))]
    assert places == ["kd.alpha", "kd.temperature", "gcrd.weight", "gcrd.temperature"]


def test_the_student_alone_is_searched_in_its_training() -> None:
    assert [each.place for each in search_space(spec("none"))] == TRAINING
    assert search_space(spec("none")) == search_space(spec("none"), ["training"])


def test_the_training_is_searched_when_wanted_and_what_was_given_is_not() -> None:
    places = [each.place for each in search_space(spec("at"), ["training"])]
    assert places == ["at.weight", *TRAINING]
    assert [e.place for e in search_space(spec("at"), ["training"], ["student.dropout", "at.weight"])] == TRAINING[:2]


def test_values_are_put_into_their_parts_and_nothing_else_changes() -> None:
    before = spec("kd+lsp")
    after = applied(before, {"lsp.kernel": "poly", "training.learning_rate": 0.02, "student.dropout": 0.25})
    assert after.method[1] == before.method[1].replace(kernel="poly")
    assert after.method[0] == before.method[0]
    assert after.training == before.training.replace(learning_rate=0.02)
    assert after.student == before.student.replace(dropout=0.25)
    assert (after.dataset, after.teacher, after.teacher_training) == (
        before.dataset,
        before.teacher,
        before.teacher_training,
    )
    assert applied(before, {}) == before


def test_numbers_are_tried_with_three_digits_and_stay_in_their_range() -> None:
    weight = Range("lsp.weight", "float", 100.0, 1.0, 1000.0, True)
    assert [weight.value(drawn) for drawn in (37.4251, 1.0, 999.96, 123.456)] == [37.4, 1.0, 1000.0, 123.0]
    narrow = Range("x.y", "float", 0.5, 0.1234, 0.9876)
    assert [narrow.value(drawn) for drawn in (0.1234, 0.9876)] == [0.1234, 0.9876]  # three digits lie outside
    assert Range("x.y", "int", 4, 1, 8).value(3) == 3


def test_a_default_outside_its_range_is_met_by_the_nearest_value() -> None:
    assert Range("training.weight_decay", "float", 0.0, 1e-6, 1e-2, True).nearest_default == 1e-6
    assert Range("gsp.kernel", "choice", "linear", choices=("cosine", "poly")).nearest_default == "cosine"


def test_configurations_are_counted() -> None:
    two, three = Range("a.b", "choice", 1, choices=(1, 2)), Range("a.c", "int", 1, 1, 3)
    assert count([two, three]) == 6
    assert count([two, Range("a.d", "float", 0.5, 0.0, 1.0)]) == math.inf
    assert count([]) == 1


def test_only_the_training_can_be_searched_beside() -> None:
    with pytest.raises(UsageError, match="training"):
        search_space(spec(), ["teacher"])
