"""The student's budget dial: a target size or latency in, the width that meets it out; and what that means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import streamlit as st

from workbench.errors import UsageError
from workbench.models.base import ModelConfig
from workbench.models.budget import BYTES_PER_MEGABYTE, BYTES_PER_PARAMETER, parameter_bytes, solve_budget
from workbench.pages import sizes
from workbench.pages.forms import KEEP
from workbench.pages.past_cloud import past_cloud
from workbench.pages.wording import duration, milliseconds, relative_size, size, title_of
from workbench.runs.folder import Run
from workbench.runs.model_widths import BothWidths
from workbench.runs.past_cost import Role, past_cost
from workbench.spec import Spec

Unit = Literal["by hand", "parameters", "MB", "× smaller", "ms"]
ROLES: tuple[Role, ...] = ("teacher", "student")


@dataclass(frozen=True)
class Target:
    """What the dial is set to; ``by hand`` leaves the student's options as they are."""

    unit: Unit
    value: float

    def solve(self, spec: Spec, widths: BothWidths) -> tuple[ModelConfig, float | None]:
        """The widest student within the target, and the milliseconds that it took where these are the target.

        Raises UsageError where not even the narrowest one fits.
        """
        if self.unit == "ms":
            return sizes.quick_enough(spec, self.value)
        large = sizes.parameters(spec.teacher, widths.teacher)
        keyword = {"parameters": "parameters", "MB": "megabytes", "× smaller": "compression"}[self.unit]
        target: dict[str, Any] = {keyword: int(self.value) if self.unit == "parameters" else self.value}
        return solve_budget(spec.student, *widths.student, teacher_parameters=large, **target).config, None

    def on_axis(self, large: int) -> float:
        """The target in parameters, bytes or milliseconds; ``large`` is the teacher's number of parameters."""
        factor = {"MB": BYTES_PER_MEGABYTE}.get(self.unit, 1)
        return large / self.value if self.unit == "× smaller" else factor * self.value


BY_HAND = Target("by hand", 0)


def budget_dial(key: str) -> Target:
    """The dial itself: a unit and a number."""
    unit: Unit = st.segmented_control(
        "Size of the student",
        get_args(Unit),
        default="by hand",
        required=True,
        key=f"{key}-unit",
        persist_state=KEEP,
        help="Choose the sizes below by hand, or give a budget from which the width is computed: a number of "
        "parameters, their size in memory, how much smaller than the teacher, or the milliseconds of one inference.",
    )
    return Target(unit, 0 if unit == "by hand" else _amount(unit, f"{key}-{unit}"))


def _amount(unit: Unit, key: str) -> float:
    help = "The student becomes as wide as this allows; everything else of it stays as it is below."
    common: dict[str, Any] = {"key": key, "persist_state": KEEP, "help": help}
    if unit == "parameters":
        return st.number_input("At most this many parameters", 1, 10**9, 5000, step=500, **common)
    if unit == "MB":
        tiny = BYTES_PER_PARAMETER / BYTES_PER_MEGABYTE
        return st.number_input("At most this many MB", tiny, 4000.0, 0.02, step=0.01, format="%g", **common)
    if unit == "ms":
        return st.number_input("At most this many ms a pass", 0.001, 1000.0, 2.0, step=0.5, format="%g", **common)
    return st.number_input("Smaller than the teacher by", 0.01, 1e6, 10.0, step=1.0, format="%g", **common)


def size_up(spec: Spec, document: dict[str, Any], target: Target, runs: Sequence[Run]) -> None:
    """Show what both models are and cost; where a budget is set, put the width that meets it into ``document``."""
    widths = sizes.widths_of(spec)
    if widths is None:
        if target.unit != "by hand":
            raise UsageError("a budget needs the dataset, which is not on this disk: choose the student's size by hand")
        st.caption("Sizes are known once the dataset is on this disk.")
        return
    student, took = (spec.student, None) if target.unit == "by hand" else target.solve(spec, widths)
    if target.unit != "by hand":
        option = student.width_option
        document["student"] = {**document["student"], option: getattr(student, option)}
        spec = spec.replace(student=student)
    large, small = sizes.parameters(spec.teacher, widths.teacher), sizes.parameters(student, widths.student)
    cells = st.columns([1, 1, 1.4])
    cells[0].metric("Teacher", f"{large:,}", help=f"Trainable parameters; {size(parameter_bytes(large))} in float32.")
    cells[1].metric("Student", f"{small:,}", help=f"Trainable parameters; {size(parameter_bytes(small))} in float32.")
    cells[2].metric("The student is", relative_size(large / small))
    if target.unit != "by hand":
        _how_it_was_met(student, took)
    if small > large:
        st.warning("The student is larger than its teacher. That is allowed, but it is no compression.")
    _cost(spec, runs)
    if target.unit != "by hand":
        past_cloud(spec, target.unit, target.on_axis(large), runs)


def _how_it_was_met(student: ModelConfig, took: float | None) -> None:
    width = f"{title_of(student.width_option)} {getattr(student, student.width_option)} is the widest that fits"
    if took is None:
        st.caption(f"{width}.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{width}: {milliseconds(took)} a pass, measured on this machine with fresh weights. It is noisy, and "
            "whatever else runs here is in it.",
            width="content",
        )
        if st.button("Measure again", icon=":material/timer:", type="tertiary", key="time-anew"):
            sizes.time_anew()
            st.rerun()


def _cost(spec: Spec, runs: Sequence[Run]) -> None:
    """How long it will take, as far as earlier runs tell."""
    from workbench.training.device import resolve_device

    device = resolve_device(spec.device).type
    found = {role: past_cost(spec, role, runs, device) for role in ROLES}
    told = [
        f"{role} {duration(cost.seconds) if cost.seconds >= 1 else 'under 1 s'} "
        f"({cost.runs} earlier run{'s' if cost.runs > 1 else ''})"
        for role, cost in found.items()
        if cost is not None
    ]
    if told:
        st.caption(
            f":material/schedule: Training, at most: {', '.join(told)}.",
            help="All epochs, at the median pace of finished runs here on the same data with the same models. Training "
            "may stop earlier, and a teacher that was trained before is taken from the cache.",
        )
