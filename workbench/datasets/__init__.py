"""Datasets: one file per family. A config says which graph, ``load_dataset`` reads and checks it.

torch and PyG are imported when a graph is loaded or measured, not before.
"""

from workbench.datasets.acm import ACMConfig
from workbench.datasets.amazon import AmazonComputersConfig, AmazonPhotoConfig
from workbench.datasets.base import Card, DatasetConfig, data_root
from workbench.datasets.bitcoin import BitcoinAlphaConfig, BitcoinOTCConfig
from workbench.datasets.builtin_citation import BuiltinCitationConfig
from workbench.datasets.builtin_communities import BuiltinCommunitiesConfig
from workbench.datasets.builtin_digits import BuiltinDigitsConfig
from workbench.datasets.builtin_karate import BuiltinKarateConfig
from workbench.datasets.builtin_motifs import BuiltinMotifsConfig
from workbench.datasets.builtin_shapes import BuiltinShapesConfig
from workbench.datasets.citation_full import CoraMLConfig, DBLPCitationConfig
from workbench.datasets.coauthor import CoauthorCSConfig, CoauthorPhysicsConfig
from workbench.datasets.dblp import DBLPConfig
from workbench.datasets.dynamic_files import EnronConfig, ML10MConfig, UCIConfig
from workbench.datasets.enzymes import EnzymesConfig
from workbench.datasets.event_lists import DiggReplyConfig, RadoslawEmailConfig
from workbench.datasets.graph_collection import GraphCollection
from workbench.datasets.heterophilous import (
    ChameleonFilteredConfig,
    MinesweeperConfig,
    SquirrelFilteredConfig,
    TolokersConfig,
)
from workbench.datasets.load import load_dataset
from workbench.datasets.mag import MAGConfig
from workbench.datasets.measure import check, fingerprint, measure, num_classes
from workbench.datasets.modelnet import ModelNet10Config, ModelNet40Config
from workbench.datasets.molhiv import MolHIVConfig
from workbench.datasets.own import OwnConfig
from workbench.datasets.own_events import OwnEventsConfig
from workbench.datasets.planetoid import CiteSeerConfig, CoraConfig, PubMedConfig
from workbench.datasets.point_clouds import PointClouds, mini_batch
from workbench.datasets.ppi import PPIConfig
from workbench.datasets.snapshots import SnapshotSequence
from workbench.datasets.vgrnn import VGRNNDBLPConfig, VGRNNEnron10Config, VGRNNFacebookConfig

__all__ = [
    "ACMConfig",
    "AmazonComputersConfig",
    "AmazonPhotoConfig",
    "BitcoinAlphaConfig",
    "BitcoinOTCConfig",
    "BuiltinCitationConfig",
    "BuiltinCommunitiesConfig",
    "BuiltinDigitsConfig",
    "BuiltinKarateConfig",
    "BuiltinMotifsConfig",
    "BuiltinShapesConfig",
    "Card",
    "ChameleonFilteredConfig",
    "CiteSeerConfig",
    "CoauthorCSConfig",
    "CoauthorPhysicsConfig",
    "CoraConfig",
    "CoraMLConfig",
    "DBLPCitationConfig",
    "DBLPConfig",
    "DatasetConfig",
    "DiggReplyConfig",
    "EnronConfig",
    "EnzymesConfig",
    "GraphCollection",
    "MAGConfig",
    "ML10MConfig",
    "MinesweeperConfig",
    "ModelNet10Config",
    "ModelNet40Config",
    "MolHIVConfig",
    "OwnConfig",
    "OwnEventsConfig",
    "PPIConfig",
    "PointClouds",
    "PubMedConfig",
    "RadoslawEmailConfig",
    "SnapshotSequence",
    "SquirrelFilteredConfig",
    "TolokersConfig",
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
