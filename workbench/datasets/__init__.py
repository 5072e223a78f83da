"""Datasets: one file per family. A config says which graph, ``load_dataset`` reads and checks it.

torch and PyG are imported when a graph is loaded or measured, not before.
"""

from workbench.datasets.base import Card, DatasetConfig, data_root
from workbench.datasets.bitcoin import BitcoinAlphaConfig, BitcoinOTCConfig
from workbench.datasets.builtin_citation import BuiltinCitationConfig
from workbench.datasets.builtin_communities import BuiltinCommunitiesConfig
from workbench.datasets.builtin_digits import BuiltinDigitsConfig
from workbench.datasets.builtin_karate import BuiltinKarateConfig
from workbench.datasets.builtin_shapes import BuiltinShapesConfig
from workbench.datasets.dynamic_files import EnronConfig, ML10MConfig, UCIConfig
from workbench.datasets.event_lists import DiggReplyConfig, RadoslawEmailConfig
from workbench.datasets.load import load_dataset
from workbench.datasets.measure import check, fingerprint, measure, num_classes
from workbench.datasets.modelnet import ModelNet10Config, ModelNet40Config
from workbench.datasets.own import OwnConfig
from workbench.datasets.own_events import OwnEventsConfig
from workbench.datasets.planetoid import CiteSeerConfig, CoraConfig, PubMedConfig
from workbench.datasets.point_clouds import PointClouds, mini_batch
from workbench.datasets.snapshots import SnapshotSequence
from workbench.datasets.vgrnn import VGRNNDBLPConfig, VGRNNEnron10Config, VGRNNFacebookConfig

__all__ = [
    "BitcoinAlphaConfig",
    "BitcoinOTCConfig",
    "BuiltinCitationConfig",
    "BuiltinCommunitiesConfig",
    "BuiltinDigitsConfig",
    "BuiltinKarateConfig",
    "BuiltinShapesConfig",
    "Card",
    "CiteSeerConfig",
    "CoraConfig",
    "DatasetConfig",
    "DiggReplyConfig",
    "EnronConfig",
    "ML10MConfig",
    "ModelNet10Config",
    "ModelNet40Config",
    "OwnConfig",
    "OwnEventsConfig",
    "PointClouds",
    "PubMedConfig",
    "RadoslawEmailConfig",
    "SnapshotSequence",
    "UCIConfig",
    "VGRNNDBLPConfig",
    "VGRNNEnron10Config",
    "VGRNNFacebookConfig",
    "check",
    "data_root",
    "fingerprint",
    "load_dataset",
    "measure",
    "mini_batch",
    "num_classes",
]
