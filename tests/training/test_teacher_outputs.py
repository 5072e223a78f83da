"""A teacher's outputs on graphs that never change: kept or computed anew, they are the same."""

import pytest
import torch
from small_graph_runs import graphs, molecules, nodes_of_graphs

from workbench.models import GATConfig, GCNConfig, GINEConfig
from workbench.spec import Training
from workbench.training.teacher_outputs import TeacherOutputs
from workbench.training.whole_graphs import encode_batch, predict

KINDS = {
    "classes": (graphs, GINEConfig(hidden_channels=6, num_layers=2)),
    "molecules": (molecules, GINEConfig(hidden_channels=6, num_layers=2, virtual_node=True)),
    "nodes": (nodes_of_graphs, GATConfig(hidden_channels=4, heads=2)),
}


def made(kind):
    make, config = KINDS[kind]
    torch.manual_seed(0)
    data = make()
    return data, config.build(data.num_features, data.num_classes)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_is_what_would_be_computed(kind):
    data, teacher = made(kind)
    train = data.of_split("train")
    kept = TeacherOutputs(teacher, data, train, Training(batch_size=7))
    anew = TeacherOutputs(teacher, data, train, Training(batch_size=7), limit=0)
    assert (kept.kept, anew.kept) == (True, False)
    for chosen in (train[:3], train.flip(0)[:11], train[[4, 0, 9]]):
        batch = data.mini_batch(chosen)
        one, two = kept.of(chosen, batch), anew.of(chosen, batch)
        assert len(one.layers) == len(two.layers) > 1
        for mine, other in zip(one.layers, two.layers, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


def test_only_logits_are_kept_where_no_method_looks_at_hidden_layers():
    data, teacher = made("classes")
    train = data.of_split("train")
    for limit in (0, 2**20):
        outputs = TeacherOutputs(teacher, data, train, Training(), hidden=False, limit=limit)
        assert outputs.of(train[:2], data.mini_batch(train[:2])).hidden == []


def test_the_limit_is_in_bytes_of_everything_that_would_be_kept():
    data, teacher = made("classes")
    # float32: five logits a graph, and two layers of six a node
    needed = 4 * (len(data) * 5 + data.x.shape[0] * 12)
    train = data.of_split("train")
    assert TeacherOutputs(teacher, data, train, Training(), limit=needed).kept
    assert not TeacherOutputs(teacher, data, train, Training(), limit=needed - 1).kept


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_stand_in_the_order_of_the_labels(kind):
    data, model = made(kind)
    test = data.of_split("test").flip(0)
    found = predict(model, data, test, Training(batch_size=3))
    assert found.shape[0] == data.labels_of(test).shape[0]
    whole = torch.cat([encode_batch(model, data.mini_batch(graph.view(1))).logits for graph in test])
    torch.testing.assert_close(found, whole, rtol=1e-4, atol=1e-5)


def test_a_model_of_single_graphs_reads_many_as_disjoint_parts():
    data = nodes_of_graphs()
    torch.manual_seed(0)
    model = GCNConfig(hidden_channels=4).build(data.num_features, 4)
    both = encode_batch(model.eval(), data.mini_batch(torch.tensor([3, 1]))).logits
    alone = [encode_batch(model, data.mini_batch(torch.tensor([graph]))).logits for graph in (3, 1)]
    torch.testing.assert_close(both, torch.cat(alone), rtol=1e-4, atol=1e-5)
