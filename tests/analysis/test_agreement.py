"""The four cases of teacher and student."""

import numpy as np

from workbench.analysis.agreement import CASES, agreement, shares


def test_every_node_is_one_of_the_four_cases():
    cases = agreement(teacher=[0, 0, 1, 1], student=[0, 1, 0, 1], labels=[0, 0, 0, 0])
    assert [CASES[case] for case in cases] == ["both right", "teacher only", "student only", "both wrong"]


def test_shares_add_up_to_one():
    found = shares(np.array([0, 0, 0, 3], dtype=np.int8))
    assert found == {"both right": 0.75, "teacher only": 0.0, "student only": 0.0, "both wrong": 0.25}


def test_shares_of_no_nodes_are_zero():
    assert set(shares(np.array([], dtype=np.int8)).values()) == {0.0}
