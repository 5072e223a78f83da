"""The area under the ROC curve on a CUDA device: it does not wait for the host, and can be recorded."""

import pytest
import torch
from sklearn.metrics import roc_auc_score

from workbench.tasks.node_classification import area_under_roc

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


@pytest.mark.parametrize("size", [30, 3000, 300_000])
def test_it_does_not_wait_and_can_be_replayed_on_other_scores(size):
    scores, labels = (
        torch.randn(size, device="cuda").round(decimals=2),
        (torch.arange(size, device="cuda") % 3 == 0).long(),
    )
    area_under_roc(scores, labels)
    torch.cuda.set_sync_debug_mode("error")
    try:
        area_under_roc(scores, labels)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = area_under_roc(scores, labels)
    scores.copy_(scores + labels)
    graph.replay()
    assert found.item() == pytest.approx(roc_auc_score(labels.cpu(), scores.double().cpu()), rel=1e-6)
