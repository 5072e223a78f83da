"""How large the models of a spec are. Counting needs the models' libraries: seconds for the first one, then nothing."""

from __future__ import annotations

import json

import streamlit as st

from workbench.datasets.base import DatasetConfig, data_root
from workbench.datasets.load import load_dataset
from workbench.models.base import ModelConfig
from workbench.registry import models
from workbench.runs.model_widths import BothWidths, Widths, model_widths
from workbench.spec import Spec


def widths_of(spec: Spec) -> BothWidths | None:
    """Inputs and outputs of both models; None while the data is not on this disk and nothing is published about it."""
    dataset = spec.dataset
    published = dataset.card.published
    if not dataset.card.synthetic and {"features", "classes"} <= published.keys():
        return BothWidths(*[(int(published["features"]), int(published["classes"]))] * 2)
    if not dataset.is_ready(data_root()):
        return None
    follows = (getattr(spec.teacher, "window", None), spec.protocol.last)  # of snapshots: which ones are learned from
    return _measured(f"{_as_text(dataset)} {follows}", spec)


def parameters(model: ModelConfig, widths: Widths) -> int:
    """Number of trainable parameters of ``model`` with these inputs and outputs."""
    return _counted(_as_text(model), *widths)


def _as_text(config: DatasetConfig | ModelConfig) -> str:
    return json.dumps(config.model_dump(mode="json"), sort_keys=True)


@st.cache_data(show_spinner="Reading the dataset …")
def _measured(key: str, _spec: Spec) -> BothWidths:
    return model_widths(_spec, load_dataset(_spec.dataset, data_root()))


@st.cache_data(show_spinner="Counting parameters …")
def _counted(model: str, inputs: int, outputs: int) -> int:
    document = json.loads(model)
    config: ModelConfig = models[document["name"]].parse(document)
    return config.count_parameters(inputs, outputs)
