"""The drawn citation graph shows what it was made to show, with models written here in a few lines."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.datasets import load_dataset

SEEDS = 3
EPOCHS, PATIENCE = 400, 100


class TwoLayers(nn.Module):
    """Two layers with dropout before each; ``nn.Linear`` for a model that ignores the edges."""

    def __init__(self, first, second, dropout, activation):
        super().__init__()
        self.first, self.second, self.dropout, self.activation = first, second, dropout, activation

    def forward(self, x, edge_index):
        rest = () if isinstance(self.first, nn.Linear) else (edge_index,)
        if self.training:  # x is in compressed rows: dropping a zero would change nothing and cost the most
            values = F.dropout(x.values(), self.dropout)
            x = torch.sparse_csr_tensor(x.crow_indices(), x.col_indices(), values, x.shape, check_invariants=False)
        x = self.activation(self.first(x, *rest))
        return self.second(F.dropout(x, self.dropout, self.training), *rest)


def gat(features, classes):
    from torch_geometric.nn import GATConv

    layers = GATConv(features, 8, heads=8, dropout=0.6), GATConv(64, classes, concat=False, dropout=0.6)
    return TwoLayers(*layers, 0.6, F.elu)


def narrow_gcn(features, classes):
    from torch_geometric.nn import GCNConv

    return TwoLayers(GCNConv(features, 4, cached=True), GCNConv(4, classes, cached=True), 0.5, F.relu)


def mlp(features, classes):
    return TwoLayers(nn.Linear(features, 64), nn.Linear(64, classes), 0.5, F.relu)


def trained(build, data, x, seed, learning_rate, teacher=None):
    """Test accuracy and log-probabilities (N, C) of the epoch that validation chose.

    With ``teacher`` (log-probabilities) the loss is KL(teacher ‖ student) over all nodes and no label is used:
    GLNN with λ = 0.
    """
    torch.manual_seed(seed)
    model = build(data.num_features, int(data.y.max()) + 1)
    optimizer = torch.optim.Adam(model.parameters(), learning_rate, weight_decay=5e-4)
    best, accuracy, kept, since = -1.0, 0.0, None, 0
    for _ in range(EPOCHS):
        model.train()
        optimizer.zero_grad()
        log_p = model(x, data.edge_index).log_softmax(1)
        if teacher is None:
            F.nll_loss(log_p[data.train_mask], data.y[data.train_mask]).backward()
        else:
            F.kl_div(log_p, teacher, reduction="batchmean", log_target=True).backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            log_p = model(x, data.edge_index).log_softmax(1)
        right = log_p.argmax(1) == data.y
        validation = float(right[data.val_mask].double().mean())
        since += 1
        if validation > best:
            best, accuracy, kept, since = validation, float(right[data.test_mask].double().mean()), log_p, 0
        if since == PATIENCE:
            break
    return accuracy, kept


def accuracies(data, seed):
    """Test accuracies of GAT teacher, narrow GCN, MLP and distilled MLP."""
    x = data.x.to_sparse_csr()
    teacher, soft_labels = trained(gat, data, x, seed, 0.005)
    small = trained(narrow_gcn, data, x, seed, 0.01)[0]
    plain = trained(mlp, data, x, seed, 0.01)[0]
    return teacher, small, plain, trained(mlp, data, x, seed, 0.01, teacher=soft_labels)[0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_a_graph_teacher_beats_the_small_models_and_teaches_an_mlp():
    data = load_dataset("builtin-citation")
    rows = [accuracies(data, seed) for seed in range(SEEDS)]
    teacher, small, plain, distilled = np.mean(rows, axis=0)
    assert teacher - small > 0.05
    assert teacher - plain > 0.05
    assert distilled - plain > 0.5 * (teacher - plain)
