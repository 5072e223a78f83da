"""The form of a run: dataset, teacher, student, method and training, as the document of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

import streamlit as st

from workbench.datasets.base import DatasetConfig, data_root
from workbench.errors import WorkbenchError
from workbench.methods.base import Method
from workbench.options import describe
from workbench.pages.budget_dial import Target, budget_dial
from workbench.pages.forms import KEEP, option_field, option_form
from workbench.pages.wording import count, plain
from workbench.registry import Registry, datasets, methods, models
from workbench.spec import Spec, Training
from workbench.training.device import available_devices

Role = Literal["teacher", "student"]


def dataset_part(start: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Choose a dataset; shows its card."""
    st.subheader("Dataset")
    name = _pick("Dataset", datasets, start["name"], f"{key}-dataset", lambda n: datasets[n].card.title)
    config: type[DatasetConfig] = datasets[name]
    card = config.card
    st.markdown(plain(card.summary))
    facts = [f"{count(number)} {what}" for what, number in card.published.items()]
    facts += ["synthetic"] if card.synthetic else [f"licence: {plain(card.licence)}"]
    st.caption(" · ".join(facts), help=plain(card.citation))
    chosen = {"name": name, **option_form(config, f"{key}-dataset-{name}", start=_same(start, name))}
    with suppress(WorkbenchError):  # the whole spec is checked later, and says what is wrong
        if not config.parse(chosen).is_ready(data_root()):
            st.caption(":material/download: Not on this disk yet: it is downloaded when the run is launched.")
    return chosen


def teacher_part(start: Mapping[str, Any], key: str) -> dict[str, Any]:
    st.subheader("Teacher")
    return _model("teacher", start, key)


def student_part(start: Mapping[str, Any], key: str) -> tuple[dict[str, Any], Target]:
    """Choose a student and its size, by hand or by a budget."""
    st.subheader("Student")
    name = _pick("Architecture", models, start["name"], f"{key}-student", lambda n: models[n].title)
    target = budget_dial(f"{key}-budget")
    fixed = {} if target.unit == "by hand" else {models[name].width_option: None}
    return _model_options("student", name, start, key, fixed), target


def method_part(start: list[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    """Choose one or several methods; each with its formula, paper and options."""
    st.subheader("Method")
    known = {part["name"]: part for part in start if part["name"] in methods}
    names = st.multiselect(
        "Methods (several add up)",
        methods.names(),
        default=list(known),
        format_func=lambda n: methods[n].title or n,
        key=f"{key}-methods",
        persist_state=KEEP,
    )
    chosen = []
    for name in names:
        config: type[Method] = methods[name]
        with st.expander(plain(config.title or name), expanded=len(names) == 1):
            if config.formula:
                for line in config.formula.split(r", \quad "):  # a long one would be cut at the right
                    st.latex(line)
            paper = getattr(config, "paper", None)
            if paper is not None:
                st.caption(
                    f"[{plain(paper.authors)}: {plain(paper.title)}]({paper.url}), {plain(paper.venue)} {paper.year}"
                )
            if config.decisions:
                with st.popover("Where the papers are silent", icon=":material/info:"):
                    for decision in config.decisions:
                        st.markdown(f"- {plain(decision)}")
            options = option_form(config, f"{key}-method-{name}", start=known.get(name))
            chosen.append({"name": name, **options})
    return chosen


def training_part(start: Mapping[str, Any], teacher: str, student: str, key: str) -> dict[str, dict[str, Any]]:
    """Training options of both models; only what differs from the model's own defaults is returned."""
    found = {}
    for field, role, name in (("teacher_training", "teacher", teacher), ("training", "student", student)):
        st.markdown(f"**Training of the {role}**")
        usual = models[name].usual_training(role)
        found[field] = option_form(
            Training, f"{key}-{field}-{name}", usual, {**usual, **(start.get(field) or {})}, columns=2
        )
    return {field: options for field, options in found.items() if options}


def control_part(start: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Whether the teacher is a control, untrained or trained on permuted labels; nothing where it is a teacher."""
    (info,) = (info for info in describe(Spec) if info.name == "teacher_control")
    control = option_field(info, f"{key}-{info.name}", start.get(info.name, info.default))
    return {} if control == info.default else {info.name: control}


def run_part(start: Mapping[str, Any], seeds: int, key: str) -> tuple[list[int], str, bool]:
    """Seeds, device, and whether the UMAP is wanted."""
    first_cell, count_cell = st.columns(2)
    first = first_cell.number_input(
        "First seed", 0, 2**31 - 101, int(start.get("seed", 0)), key=f"{key}-seed", persist_state=KEEP
    )
    number = count_cell.number_input(
        "Number of seeds", 1, 100, seeds, key=f"{key}-seeds", persist_state=KEEP, help="One run per seed."
    )
    device_cell, umap_cell = st.columns(2, vertical_alignment="bottom")
    device = device_cell.selectbox("Device", ["auto", *available_devices()], key=f"{key}-device", persist_state=KEEP)
    umap = umap_cell.checkbox(
        "Also compute the UMAP",
        value=bool(start.get("umap")),
        key=f"{key}-umap",
        persist_state=KEEP,
        help="Of both embeddings, when the run ends: seconds to minutes. Their PCA is always there.",
    )
    return list(range(first, first + number)), device, umap


def _model(role: Role, start: Mapping[str, Any], key: str) -> dict[str, Any]:
    name = _pick("Architecture", models, start["name"], f"{key}-{role}", lambda n: models[n].title)
    return _model_options(role, name, start, key, {})


def _model_options(
    role: Role, name: str, start: Mapping[str, Any], key: str, fixed: Mapping[str, Any]
) -> dict[str, Any]:
    preset = getattr(models[name], f"{role}_preset")
    shown = {**preset, **_same(start, name)}
    return {"name": name, **option_form(models[name], f"{key}-{role}-{name}", preset, shown, fixed)}


def _pick(label: str, registry: Registry, start: str, key: str, words: Any) -> str:
    names = registry.names()
    index = names.index(start) if start in names else 0
    return st.selectbox(
        label,
        names,
        index=index,
        format_func=lambda n: f"{words(n)} ({n})" if words(n) else n,
        key=key,
        persist_state=KEEP,
    )


def _same(start: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The values to start with, as long as they are of the component that is chosen."""
    return start if start["name"] == name else {}
