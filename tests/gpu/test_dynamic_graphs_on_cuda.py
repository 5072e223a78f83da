"""Graphs that change, and graphs that a model builds, on a CUDA device: as on the CPU."""

import pytest
import torch

import workbench as wb
from workbench.datasets import load_dataset
from workbench.kernels.edge_attention import RowPattern, attend
from workbench.kernels.neighbours import nearest_neighbours
from workbench.models import DGCNN
from workbench.models.dysat import DySAT
from workbench.models.snapshot_window import SnapshotWindow
from workbench.registry import datasets
from workbench.training.walks import Contexts

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]
CUDA = torch.device("cuda")


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_attention_over_edges():
    row, col = torch.randint(40, (2, 300), generator=torch.Generator().manual_seed(0))
    pattern, _ = RowPattern.of(row, col, 50, 40)
    moved = RowPattern(*(part.to(CUDA) for part in pattern))
    logits, values = drawn(300, 4), drawn(40, 4, 8, seed=1)
    here = [part.clone().requires_grad_() for part in (logits, values)]
    there = [part.to(CUDA).requires_grad_() for part in (logits, values)]
    expected, found = attend(*here, pattern), attend(*there, moved)
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-5, atol=1e-5)
    expected.square().sum().backward()
    found.square().sum().backward()
    for a, b in zip(there, here, strict=True):
        torch.testing.assert_close(a.grad.cpu(), b.grad, rtol=1e-4, atol=1e-5)


def test_embeddings_of_snapshots():
    data = load_dataset(datasets["builtin-communities"](nodes=80, snapshots=6))
    window = SnapshotWindow.of(data, range(3, 6))
    torch.manual_seed(0)
    model = DySAT(data.seen(5), 16, heads=2, window=2).eval()
    expected = model(window)
    found = model.to(CUDA)(window.to(CUDA))
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-4, atol=1e-5)


def test_contexts_are_drawn_on_the_device():
    data = load_dataset(datasets["builtin-communities"](nodes=80, snapshots=6))
    walks = Contexts.of(data.edge_index(3), data.edge_weight(3), data.num_nodes, walks=2, length=8, reach=3).to(CUDA)
    nodes = walks.active.nonzero().view(-1)
    found = walks.draw(nodes, 5)
    assert found.device.type == walks.draw_negatives(3, 4).device.type == "cuda"
    assert (found != nodes[:, None]).all()


def test_nearest_neighbours():
    x = drawn(4 * 64, 3)
    batch = torch.arange(4).repeat_interleave(64)
    assert torch.equal(nearest_neighbours(x.to(CUDA), 5, batch.to(CUDA)).cpu(), nearest_neighbours(x, 5, batch))


def test_point_clouds():
    x, batch = drawn(4 * 64, 3), torch.arange(4).repeat_interleave(64)
    torch.manual_seed(0)
    model = DGCNN(3, [8, 8], 5, embedding=16, head=(8,), k=4).eval()
    expected = model(x, None, batch)
    found = model.to(CUDA)(x.to(CUDA), None, batch.to(CUDA))
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("dataset", "model"),
    [
        (
            {"name": "builtin-communities", "nodes": 80, "snapshots": 6},
            {"name": "dysat", "hidden_channels": 8, "heads": 2, "window": 2},
        ),
        (
            {"name": "builtin-shapes", "shapes_per_class": 5, "points": 32},
            {"name": "dgcnn", "hidden_channels": 4, "num_layers": 2, "embedding": 2, "k": 4},
        ),
    ],
)
def test_a_whole_run(dataset, model, tmp_path):
    short = {"epochs": 2, "batch_size": 16}
    run = wb.distill(dataset, model, model, training=short, teacher_training=short, device="cuda", root=tmp_path)
    assert run.status.state == "done"
    assert run.result["device"]["type"] == "cuda"
