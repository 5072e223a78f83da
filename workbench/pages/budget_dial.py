"""The student's budget dial: a target size in, the width that meets it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import streamlit as st

from workbench.models.base import ModelConfig
from workbench.models.budget import BYTES_PER_MEGABYTE, BYTES_PER_PARAMETER, Budget, solve_budget
from workbench.pages.forms import KEEP
from workbench.pages.sizes import parameters
from workbench.runs.model_widths import BothWidths

Unit = Literal["by hand", "parameters", "MB", "× smaller"]


@dataclass(frozen=True)
class Target:
    """What the dial is set to; ``by hand`` leaves the student's options as they are."""

    unit: Unit
    value: float

    def solve(self, student: ModelConfig, teacher: ModelConfig, widths: BothWidths) -> Budget:
        """The widest student within the target; UsageError where not even the narrowest one fits."""
        size = parameters(teacher, widths.teacher)
        keyword = {"parameters": "parameters", "MB": "megabytes", "× smaller": "compression"}[self.unit]
        target: dict[str, Any] = {keyword: int(self.value) if self.unit == "parameters" else self.value}
        return solve_budget(student, *widths.student, teacher_parameters=size, **target)


def budget_dial(key: str) -> Target:
    """The dial itself: a unit and a number."""
    unit: Unit = st.segmented_control(
        "Size of the student",
        get_args(Unit),
        default="by hand",
        required=True,
        key=f"{key}-unit",
        persist_state=KEEP,
        help="Choose the sizes below by hand, or give a budget from which the width is computed.",
    )
    return Target(unit, 0 if unit == "by hand" else _amount(unit, f"{key}-{unit}"))


def _amount(unit: Unit, key: str) -> float:
    if unit == "parameters":
        return st.number_input("At most this many parameters", 1, 10**9, 5000, step=500, key=key, persist_state=KEEP)
    if unit == "MB":
        tiny = BYTES_PER_PARAMETER / BYTES_PER_MEGABYTE
        return st.number_input(
            "At most this many MB", tiny, 4000.0, 0.02, step=0.01, format="%g", key=key, persist_state=KEEP
        )
    return st.number_input(
        "Smaller than the teacher by", 0.01, 1e6, 10.0, step=1.0, format="%g", key=key, persist_state=KEEP
    )
