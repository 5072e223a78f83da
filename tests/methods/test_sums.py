"""Sums of methods: weights, defaults inside a sum, and what does not add up."""

import pytest

from workbench.errors import UsageError
from workbench.methods import GCRD, GLNN, KD, LSP, NoDistillation, Sum, Widths
from workbench.methods.base import Objective, SumObjective
from workbench.spec import parse_method


def test_gcrd_weighs_less_in_a_sum_unless_it_is_told():
    assert GCRD().weight == 0.1
    assert Sum((GCRD(),)).build(Widths((4,), 3), Widths((4,), 3)).weights() == {"task": 1.0, "gcrd": 0.1}
    assert (KD() + GCRD())[1].weight == 0.01
    assert (KD() + GCRD(weight=0.1))[1].weight == 0.1
    assert (GCRD(temperature=0.5) + KD())[0] == GCRD(temperature=0.5, weight=0.01)
    assert parse_method("kd+gcrd")[1].weight == 0.01


def test_weights_of_a_sum_are_those_of_its_parts():
    total = (GLNN(lam=0.25) + LSP()).build(Widths((4,), 3), Widths((4,), 3))
    assert total.weights() == {"task": 0.25, "glnn": 0.75, "lsp": 100.0}
    assert Sum((NoDistillation(),)).build(Widths((), 3), Widths((), 3)).weights() == {"task": 1.0}


def test_two_methods_that_rescale_the_task_do_not_add_up():
    with pytest.raises(UsageError, match="kd and glnn both set"):
        KD() + GLNN()


def test_none_stands_alone():
    with pytest.raises(UsageError, match="'none' is the student alone"):
        KD() + NoDistillation()


def test_a_term_that_exists_already_is_refused(toy):
    class Echo(Objective):
        def forward(self, student, targets, batch):
            return {"lsp": student.logits.sum()}

    objective = SumObjective({"lsp": LSP().build(*toy.widths()), "echo": Echo()})
    with pytest.raises(UsageError, match="'lsp' that exists already"):
        toy.terms(objective)
