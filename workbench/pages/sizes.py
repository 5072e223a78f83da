"""How large and how quick the models of a spec are. Counting needs their libraries: seconds once, then nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.datasets.base import DatasetConfig, data_root, held_by
from workbench.datasets.load import load_dataset
from workbench.errors import UsageError
from workbench.models.base import ModelConfig
from workbench.registry import models
from workbench.runs.model_widths import BothWidths, Widths, model_widths
from workbench.spec import Spec

ENTRIES = 100


def widths_of(spec: Spec) -> BothWidths | None:
    """Inputs and outputs of both models; None while the data is not on this disk and nothing is published about it."""
    dataset = spec.dataset
    published = dataset.card.published
    typed = held_by(dataset) == "hetero"  # whose models follow from all types of nodes
    if not (dataset.card.synthetic or typed) and {"features", "classes"} <= published.keys():
        return BothWidths(*[(int(published["features"]), int(published["classes"]))] * 2)
    if not dataset.is_ready(data_root()):
        return None
    return _measured(f"{_as_text(dataset)} {stamp(dataset)} {_follows(spec)}", spec)


def parameters(model: ModelConfig, widths: Widths) -> int:
    """Number of trainable parameters of ``model`` with these inputs and outputs."""
    return _counted(_as_text(model), *widths)


def quick_enough(spec: Spec, milliseconds: float) -> tuple[ModelConfig, float]:
    """The widest student within so many milliseconds, and what it took; measured once, until :func:`time_anew`.

    Raises UsageError where the dataset is not on this disk, or where no student is quick enough.
    """
    dataset, option = spec.dataset, spec.student.width_option
    if not dataset.is_ready(data_root()):
        raise UsageError("a budget in milliseconds needs the dataset, which is not on this disk: choose another unit")
    student = spec.student.model_dump(mode="json", exclude={option})
    training = (spec.training.precision, spec.training.batch_size)
    key = json.dumps([_as_text(dataset), stamp(dataset), _follows(spec), student, training, spec.device])
    width, took = _timed(key, milliseconds, spec)
    return spec.student.replace(**{option: width}), took


def time_anew() -> None:
    """Forget every latency: the next one is measured again."""
    _timed.clear()


def stamp(dataset: DatasetConfig) -> list[int]:
    """Changes whenever a person's own files do; empty for every other dataset."""
    given: Any = dataset
    try:
        files: list[Path] = given.files() if dataset.name == "own" else [given.file()]
        return [number for file in files for number in (file.stat().st_mtime_ns, file.stat().st_size)]
    except (AttributeError, UsageError, OSError):
        return []


def _follows(spec: Spec) -> list[int | None]:
    """Of snapshots: which ones are learned from."""
    return [getattr(spec.teacher, "window", None), spec.protocol.last]


def _as_text(config: DatasetConfig | ModelConfig) -> str:
    return json.dumps(config.model_dump(mode="json"), sort_keys=True)


@st.cache_data(max_entries=ENTRIES, show_spinner="Reading the dataset …")
def _measured(key: str, _spec: Spec) -> BothWidths:
    return model_widths(_spec, load_dataset(_spec.dataset, data_root()))


@st.cache_data(max_entries=ENTRIES, show_spinner="Counting parameters …")
def _counted(model: str, inputs: int, outputs: int) -> int:
    document = json.loads(model)
    config: ModelConfig = models[document["name"]].parse(document)
    return config.count_parameters(inputs, outputs)


@st.cache_data(max_entries=ENTRIES, show_spinner="Timing students of several widths on this machine …")
def _timed(key: str, milliseconds: float, _spec: Spec) -> tuple[int, float]:
    from workbench.runs.latency_budget import solve_latency

    found = solve_latency(_spec, load_dataset(_spec.dataset, data_root()), milliseconds)
    return getattr(found.config, found.config.width_option), found.milliseconds
