"""How large the models of a spec are. Counting needs the models' libraries: seconds for the first one, then nothing."""

from __future__ import annotations

import json

import streamlit as st

from workbench.datasets.base import DatasetConfig, data_root
from workbench.datasets.load import load_dataset
from workbench.models.base import ModelConfig
from workbench.registry import datasets, models

Widths = tuple[int, int]  # input features, classes


def widths_of(dataset: DatasetConfig) -> Widths | None:
    """Features and classes of a dataset; None while it is not on this disk and nothing is published about it."""
    published = dataset.card.published
    if not dataset.card.synthetic and {"features", "classes"} <= published.keys():
        return int(published["features"]), int(published["classes"])
    return _measured(_as_text(dataset)) if dataset.is_ready(data_root()) else None


def parameters(model: ModelConfig, widths: Widths) -> int:
    """Number of trainable parameters of ``model`` on a dataset with these features and classes."""
    return _counted(_as_text(model), *widths)


def _as_text(config: DatasetConfig | ModelConfig) -> str:
    return json.dumps(config.model_dump(mode="json"), sort_keys=True)


@st.cache_data(show_spinner="Reading the dataset …")
def _measured(dataset: str) -> Widths:
    document = json.loads(dataset)
    data = load_dataset(datasets[document["name"]].parse(document), data_root())
    return int(data.num_features), int(data.y.max()) + 1


@st.cache_data(show_spinner="Counting parameters …")
def _counted(model: str, features: int, classes: int) -> int:
    document = json.loads(model)
    config: ModelConfig = models[document["name"]].parse(document)
    return config.count_parameters(features, classes)
