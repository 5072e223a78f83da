"""The form of a run: dataset, teacher, student and training, as the document of a spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

import streamlit as st

from workbench.datasets.base import USUAL_PRESET, Card, DatasetConfig, data_root
from workbench.errors import WorkbenchError
from workbench.options import describe
from workbench.pages.budget_dial import Target, budget_dial
from workbench.pages.device_list import device_field
from workbench.pages.forms import KEEP, option_field, option_form
from workbench.pages.snippets import OWN
from workbench.pages.starts import LAST_SEED, Start, preset_of, start_for
from workbench.pages.upload import upload_part
from workbench.pages.wording import count, plain
from workbench.registry import datasets, models
from workbench.runs.folder import Run
from workbench.spec import Online, Spec, Training

Role = Literal["teacher", "student"]
HELP = {
    "Dataset": "What is learned from; models and methods below are those of its task.",
    "Architecture": "Teacher and student may be of different kinds; the teacher is trained first and then frozen.",
}


def dataset_part(start: Mapping[str, Any], key: str) -> tuple[dict[str, Any], Start]:
    """Choose a dataset and its preset; shows its card. Returns the dataset, and where the rest of the form stands."""
    st.subheader("Dataset")
    name = _pick("Dataset", datasets, start["dataset"]["name"], f"{key}-dataset", lambda n: datasets[n].card.title)
    config: type[DatasetConfig] = datasets[name]
    st.markdown(plain(config.card.summary))
    st.caption(" · ".join(_facts(config.card)), help=plain(config.card.citation))
    of = start_for(start, name, _preset(config, start if start["dataset"]["name"] == name else {}, key), key)
    usual, shown = of.same("dataset", name)
    upload_part(name, f"{of.key}-dataset-{name}-path")  # before that field is drawn, which it fills in
    chosen = {"name": name, **option_form(config, f"{of.key}-dataset-{name}", usual, {**usual, **shown})}
    with suppress(WorkbenchError):  # the whole spec is checked later, and says what is wrong
        _where(config.parse({**usual, **chosen}))
    return chosen, of


def _facts(card: Card) -> Iterable[str]:
    yield from (f"{count(number)} {what.replace('_', ' ')}" for what, number in card.published.items())
    yield "synthetic" if card.synthetic else f"licence: {plain(card.licence)}"


def _preset(config: type[DatasetConfig], start: Mapping[str, Any], key: str) -> str | None:
    """The preset that is chosen, where there are some besides the usual one."""
    named = [name for name in config.presets if name != USUAL_PRESET]
    if not named:
        return None
    choices, first = [USUAL_PRESET, *named], preset_of(start)
    chosen = st.selectbox(
        "Preset",
        choices,
        index=choices.index(first) if first in choices else 0,
        key=f"{key}-preset-{config.model_fields['name'].default}",
        persist_state=KEEP,
        help="Sizes and training for this dataset; everything below can still be changed.",
    )
    return None if chosen == USUAL_PRESET else chosen


def _where(dataset: DatasetConfig) -> None:
    """What is to be done for data that is not on this disk."""
    root = data_root()
    if dataset.is_ready(root):
        return
    if not (wanted := dataset.wanted(root)):
        st.caption(":material/download: Not on this disk yet: it is downloaded when the run is launched.")
    elif dataset.name in OWN:
        st.caption(f":material/folder_open: {plain(wanted)}")
    else:
        where = f"expected in {plain(root)}, and never downloaded: {plain(wanted)}"
        st.caption(f":material/folder_open: Not on this disk; {where}.")


def teacher_part(start: Start) -> dict[str, Any]:
    st.subheader("Teacher")
    name = _pick_model("teacher", start)
    return _model_options("teacher", name, start, {})


def student_part(start: Start) -> tuple[dict[str, Any], Target]:
    """Choose a student and its size, by hand or by a budget."""
    st.subheader("Student")
    name = _pick_model("student", start)
    target = budget_dial(f"{start.key}-budget")
    fixed = {} if target.unit == "by hand" else {models[name].width_option: None}
    return _model_options("student", name, start, fixed), target


def training_part(start: Start, teacher: str, student: str) -> dict[str, dict[str, Any]]:
    """Training options of both models; only what differs from what is usual is returned."""
    found = {}
    for field, role, name in (("teacher_training", "teacher", teacher), ("training", "student", student)):
        st.markdown(f"**Training of the {role}**")
        usual = {**models[name].usual_training(role), **(start.usual.get(field) or {})}
        shown = {**usual, **(start.shown.get(field) or {})}
        found[field] = option_form(Training, f"{start.key}-{field}-{name}", usual, shown)
    return {field: options for field, options in found.items() if options}


def online_part(start: Start) -> dict[str, Any]:
    """How the student follows snapshots; nothing where there are none, or where all is as usual."""
    if start.task != "link prediction":
        return {}
    with st.expander("Online protocol", icon=":material/timeline:"):
        usual = start.usual.get("online") or {}
        options = option_form(Online, f"{start.key}-online", usual, {**usual, **(start.shown.get("online") or {})})
    return {"online": options} if options else {}


def control_part(start: Start) -> dict[str, Any]:
    """Whether the teacher is a control, untrained or trained on permuted labels; nothing where it is a teacher."""
    (info,) = (info for info in describe(Spec) if info.name == "teacher_control")
    if start.task == "link prediction":  # there are no labels to permute
        info = replace(info, choices=tuple(choice for choice in info.choices if choice != "shuffled"))
    control = option_field(info, f"{start.key}-{info.name}", start.shown.get(info.name, info.default))
    return {} if control == info.default else {info.name: control}


def run_part(
    start: Mapping[str, Any], seeds: int, key: str, with_umap: bool, runs: Sequence[Run]
) -> tuple[list[int], str, bool]:
    """Seeds, device, and whether the UMAP is wanted, for runs that have one; ``runs`` may take the devices up."""
    first_cell, count_cell = st.columns(2)
    first = first_cell.number_input(
        "First seed",
        0,
        LAST_SEED,
        int(start.get("seed", 0)),
        key=f"{key}-seed",
        persist_state=KEEP,
        help="Seeds every random number of the run: initial weights, dropout, mini-batches.",
    )
    number = count_cell.number_input(
        "Number of seeds", 1, 100, seeds, key=f"{key}-seeds", persist_state=KEEP, help="One run per seed."
    )
    device_cell, umap_cell = st.columns(2)
    with device_cell:
        device = device_field(f"{key}-device", runs)
    umap = with_umap and umap_cell.checkbox(
        "Also compute the UMAP",
        value=bool(start.get("umap")),
        key=f"{key}-umap",
        persist_state=KEEP,
        help="Of both embeddings, when the run ends: seconds to minutes. Their PCA is always there.",
    )
    return list(range(first, first + number)), device, umap


def _pick_model(role: Role, start: Start) -> str:
    fitting = [name for name in models if models[name].fits(datasets[start.dataset])]
    return _pick("Architecture", fitting, start.shown[role]["name"], f"{start.key}-{role}", lambda n: models[n].title)


def _model_options(role: Role, name: str, start: Start, fixed: Mapping[str, Any]) -> dict[str, Any]:
    usual, shown = start.same(role, name)
    usual = {**getattr(models[name], f"{role}_preset"), **usual}
    return {
        "name": name,
        **option_form(models[name], f"{start.key}-{role}-{name}", usual, {**usual, **shown}, fixed),
    }


def _pick(label: str, names: Iterable[str], start: str, key: str, words: Any) -> str:
    names = list(names)
    index = names.index(start) if start in names else 0
    return st.selectbox(
        label,
        names,
        index=index,
        format_func=lambda n: f"{words(n)} ({n})" if words(n) else n,
        key=key,
        persist_state=KEEP,
        help=HELP[label],
    )
