"""Sizes of models, as published with the experiments that used them."""

import pytest

from workbench.models import (
    GATConfig,
    GATv2Config,
    GCNConfig,
    GCNIIConfig,
    GINConfig,
    MLPConfig,
    ModelConfig,
    SAGEConfig,
)

ARXIV = (128, 40)  # features, classes
PUBMED = (500, 3)
PPI = (50, 121)
CORA = (1433, 7)

PUBLISHED = [
    (GCNConfig(hidden_channels=256, batch_norm=True), ARXIV, 43_816),
    (SAGEConfig(hidden_channels=256, batch_norm=True), ARXIV, 86_824),
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


@pytest.mark.parametrize(("config", "sizes", "count"), PUBLISHED + ARITHMETIC, ids=lambda v: getattr(v, "name", ""))
def test_a_model_has_the_parameters_it_should(config: ModelConfig, sizes: tuple[int, int], count: int):
    assert config.count_parameters(*sizes) == count
