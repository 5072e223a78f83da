"""Sizes of models, as published with the experiments that used them."""

import pytest

from workbench.models import (
    DySATConfig,
    GATConfig,
    GATv2Config,
    GCNConfig,
    GCNIIConfig,
    GINConfig,
    MLPConfig,
    ModelConfig,
    SAGEConfig,
    SIGNConfig,
)

ARXIV = (128, 40)  # features, classes
PUBMED = (500, 3)
PPI = (50, 121)
CORA = (1433, 7)

PUBLISHED = [
    (GCNConfig(hidden_channels=256, batch_norm=True), ARXIV, 43_816),
    (SAGEConfig(hidden_channels=256, batch_norm=True), ARXIV, 86_824),
    (SIGNConfig(hidden_channels=512, num_layers=2, hops=5), ARXIV, 3_566_128),
    (GCNIIConfig(hidden_channels=64, num_layers=64), PUBMED, 294_403),
    (GCNIIConfig(hidden_channels=4, num_layers=4), PUBMED, 2_083),
    (GATConfig(hidden_channels=256, num_layers=3, heads=4, out_heads=6, skip=True), PPI, 3_076_766),
    (GATConfig(hidden_channels=68, num_layers=5, heads=2, out_heads=2, skip=True), PPI, 176_846),
    (GATConfig(hidden_channels=64, num_layers=2, heads=4, out_heads=4, skip=True), PPI, 182_714),
]

ARITHMETIC = [
    # linear 1433 × 64, source and target attention of 8 heads × 8, bias; then one head of 7
    (GATConfig(), CORA, 1433 * 64 + 3 * 64 + 64 * 7 + 3 * 7),
    # two linear layers with bias, attention and bias per layer
    (GATv2Config(), CORA, 2 * (1433 * 64 + 64) + 2 * 64 + 2 * (64 * 7 + 7) + 2 * 7),
    (GCNConfig(), CORA, 1433 * 64 + 64 + 64 * 7 + 7),
    (SAGEConfig(), CORA, 2 * 1433 * 64 + 64 + 2 * 64 * 7 + 7),
    (MLPConfig(), CORA, 1433 * 64 + 64 + 64 * 7 + 7),
    # two perceptrons of two layers, a norm inside each and one between them
    (GINConfig(), CORA, (1433 + 64 + 64) * 64 + 3 * 64 + 64 * 7 + 7 + 3 * 2 * 64),
    (GINConfig(train_eps=True), CORA, (1433 + 64 + 64) * 64 + 3 * 64 + 64 * 7 + 7 + 3 * 2 * 64 + 2),
    (GCNIIConfig(shared_weights=False, num_layers=2), CORA, 1433 * 64 + 64 + 2 * 2 * 64 * 64 + 64 * 7 + 7),
]

TEACHER, STUDENT = DySATConfig(**DySATConfig.teacher_preset), DySATConfig(**DySATConfig.student_preset)
DISTILL2VEC = [  # on ML-10M: nodes, and parameters of the teacher and of the student at seven steps
    (TEACHER, 11_529, 6_956_048),
    (STUDENT, 11_529, 1_542_024),
    (STUDENT, 12_766, 1_700_360),
    (STUDENT, 15_193, 2_011_016),
    (STUDENT, 16_097, 2_126_728),
    (STUDENT, 17_168, 2_263_816),
    (STUDENT, 18_036, 2_374_920),
    (STUDENT, 19_494, 2_561_544),
]


@pytest.mark.parametrize(("config", "sizes", "count"), PUBLISHED + ARITHMETIC, ids=lambda v: getattr(v, "name", ""))
def test_a_model_has_the_parameters_it_should(config: ModelConfig, sizes: tuple[int, int], count: int):
    assert config.count_parameters(*sizes) == count


def dysat(nodes: int, width: int, heads: int, window: int) -> int:
    """N d + (2 d + 2 h) + T d + 3 d² + (d² + d) with T = window + 1."""
    return nodes * width + 2 * width + 2 * heads + (window + 1) * width + 3 * width**2 + width**2 + width


@pytest.mark.parametrize(("config", "nodes", "count"), DISTILL2VEC)
def test_the_presets_of_dysat_have_the_published_sizes(config: DySATConfig, nodes: int, count: int):
    assert dysat(nodes, config.hidden_channels, config.heads, config.window) == count
    assert config.count_parameters(nodes, 0) == count


@pytest.mark.parametrize(("width", "heads", "window"), [(256, 16, 5), (64, 2, 2), (8, 1, 0), (12, 4, 7)])
def test_every_dysat_has_the_parameters_of_the_formula(width: int, heads: int, window: int):
    config = DySATConfig(hidden_channels=width, heads=heads, window=window)
    built = sum(p.numel() for p in config.build(500, 0).parameters())
    assert config.count_parameters(500, 0) == built == dysat(500, width, heads, window)
