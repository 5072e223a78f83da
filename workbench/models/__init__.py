"""Models: one file per architecture, ordinary modules that also show their hidden states."""

from workbench.models.base import Attention, GraphModel, ModelConfig, Output
from workbench.models.budget import Budget, parameter_bytes, solve_budget
from workbench.models.dgcnn import DGCNN, DGCNNConfig
from workbench.models.dysat import DySAT, DySATConfig
from workbench.models.features import features_for
from workbench.models.gat import GAT, GATConfig
from workbench.models.gatv2 import GATv2, GATv2Config
from workbench.models.gcn import GCN, GCNConfig
from workbench.models.gcn_graph import GraphGCN, GraphGCNConfig
from workbench.models.gcnii import GCNII, GCNIIConfig
from workbench.models.gin import GIN, GINConfig
from workbench.models.gin_graph import GraphGIN, GraphGINConfig
from workbench.models.gine import GINE, GINEConfig
from workbench.models.mlp import MLP, MLPConfig
from workbench.models.pna import PNA, PNAConfig
from workbench.models.rgcn import RGCN, RGCNConfig
from workbench.models.sage import SAGE, SAGEConfig
from workbench.models.sign import SIGN, SIGNConfig
from workbench.models.taps import Tapped, wrap

__all__ = [
    "DGCNN",
    "GAT",
    "GCN",
    "GCNII",
    "GIN",
    "GINE",
    "MLP",
    "PNA",
    "RGCN",
    "SAGE",
    "SIGN",
    "Attention",
    "Budget",
    "DGCNNConfig",
    "DySAT",
    "DySATConfig",
    "GATConfig",
    "GATv2",
    "GATv2Config",
    "GCNConfig",
    "GCNIIConfig",
    "GINConfig",
    "GINEConfig",
    "GraphGCN",
    "GraphGCNConfig",
    "GraphGIN",
    "GraphGINConfig",
    "GraphModel",
    "MLPConfig",
    "ModelConfig",
    "Output",
    "PNAConfig",
    "RGCNConfig",
    "SAGEConfig",
    "SIGNConfig",
    "Tapped",
    "features_for",
    "parameter_bytes",
    "solve_budget",
    "wrap",
]
