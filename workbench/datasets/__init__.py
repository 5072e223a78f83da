"""Datasets: one file per family. A config says which graph, ``load_dataset`` reads and checks it.

torch and PyG are imported when a graph is loaded or measured, not before.
"""

from workbench.datasets.base import Card, DatasetConfig, data_root
from workbench.datasets.builtin_citation import BuiltinCitationConfig
from workbench.datasets.builtin_digits import BuiltinDigitsConfig
from workbench.datasets.builtin_karate import BuiltinKarateConfig
from workbench.datasets.load import load_dataset
from workbench.datasets.measure import check, fingerprint, measure, num_classes
from workbench.datasets.own import OwnConfig
from workbench.datasets.planetoid import CiteSeerConfig, CoraConfig, PubMedConfig

__all__ = [
    "BuiltinCitationConfig",
    "BuiltinDigitsConfig",
    "BuiltinKarateConfig",
    "Card",
    "CiteSeerConfig",
    "CoraConfig",
    "DatasetConfig",
    "OwnConfig",
    "PubMedConfig",
    "check",
    "data_root",
    "fingerprint",
    "load_dataset",
    "measure",
    "num_classes",
]
