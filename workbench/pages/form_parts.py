"""The boxes of the form of a run. In class mode each can be left out; what it would begin with then holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.pages import class_mode, set_up
from workbench.pages.budget_dial import BY_HAND, Target
from workbench.pages.method_choice import method_part
from workbench.pages.starts import Start, preset_of, start_for

Options = dict[str, Any]


class Parts(NamedTuple):
    """What the boxes hold: parts of a spec as plain data, the student's budget, whether methods are compared."""

    of: Start
    dataset: Options
    teacher: Options
    student: Options
    target: Target
    method: list[Options]
    compare: bool


def form_parts(start: Mapping[str, Any], key: str, left: DeltaGenerator, right: DeltaGenerator) -> Parts:
    """Draw the boxes of dataset, teacher, student and method."""
    if class_mode.hidden("dataset", "Box of the dataset"):
        dataset: Options = dict(start["dataset"])
        of = start_for(start, dataset["name"], preset_of(start), key)
    else:
        with left, st.container(border=True):
            dataset, of = set_up.dataset_part(start, key)
    if class_mode.hidden("teacher", "Box of the teacher"):
        teacher: Options = dict(of.shown["teacher"])
    else:
        with left, st.container(border=True):
            teacher = set_up.teacher_part(of)
    if class_mode.hidden("student", "Box of the student"):
        student, target = dict(of.shown["student"]), BY_HAND
    else:
        with left, st.container(border=True):
            student, target = set_up.student_part(of)
    if class_mode.hidden("method", "Box of the method"):
        method, compare = [dict(part) for part in of.shown["method"]], False
    else:
        with right, st.container(border=True):
            method, compare = method_part(of)
    return Parts(of, dataset, teacher, student, target, method, compare)


def training_options(of: Start, teacher: str, student: str) -> Options:
    """Training of both models and what stands in the teacher's place, folded away."""
    if class_mode.hidden("training", "Training options"):
        names = ("teacher_training", "training", "teacher_control")
        return {name: of.shown[name] for name in names if of.shown.get(name)}
    with st.expander("Training options", icon=":material/tune:"):
        return {**set_up.training_part(of, teacher, student), **set_up.control_part(of)}
