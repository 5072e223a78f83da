"""Distillation methods: one file each, its formula as a pure function and its class below it."""

from workbench.kernels.csr import union_edges
from workbench.methods.abkd import ABKD, abkd_attention, abkd_dissimilarity, abkd_loss
from workbench.methods.attention_transfer import AttentionTransfer, attention_transfer_loss
from workbench.methods.base import Method, Objective, Paper, Sum, Widths
from workbench.methods.distill2vec import Distill2Vec, link_distribution_loss, link_probability_loss
from workbench.methods.fitnet import FitNet, fitnet_loss
from workbench.methods.gcrd import GCRD, gcrd_loss
from workbench.methods.glnn import GLNN, glnn_loss
from workbench.methods.gsp import GSP, gsp_loss
from workbench.methods.kd import KD, kd_loss, multilabel_kd_loss
from workbench.methods.label_smoothing import LabelSmoothing, label_smoothing_loss
from workbench.methods.lsp import LSP, lsp_loss
from workbench.methods.none import NoDistillation

__all__ = [
    "ABKD",
    "GCRD",
    "GLNN",
    "GSP",
    "KD",
    "LSP",
    "AttentionTransfer",
    "Distill2Vec",
    "FitNet",
    "LabelSmoothing",
    "Method",
    "NoDistillation",
    "Objective",
    "Paper",
    "Sum",
    "Widths",
    "abkd_attention",
    "abkd_dissimilarity",
    "abkd_loss",
    "attention_transfer_loss",
    "fitnet_loss",
    "gcrd_loss",
    "glnn_loss",
    "gsp_loss",
    "kd_loss",
    "label_smoothing_loss",
    "link_distribution_loss",
    "link_probability_loss",
    "lsp_loss",
    "multilabel_kd_loss",
    "union_edges",
]
