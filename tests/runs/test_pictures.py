"""What a run stores of the layers of its models, and what is read of it again."""

import numpy as np
import pytest
import torch

from workbench.errors import RunError
from workbench.models.base import Attention, Output
from workbench.runs import layer_arrays as stored
from workbench.runs.folder import Run
from workbench.runs.layer_arrays import layers
from workbench.runs.pictures import output_arrays
from workbench.runs.recorder import RunRecorder
from workbench.runs.side import Side

NODES, EDGES = 5, torch.tensor([[0, 1, 2, 3, 4, 0], [1, 0, 2, 3, 4, 0]])


def output(hidden=3, heads=(2, 2, 2, 1)):
    torch.manual_seed(0)
    attention = [Attention(EDGES, torch.rand(EDGES.shape[1], count)) for count in heads]
    return Output(torch.randn(NODES, 2), [torch.randn(NODES, 3 + k) for k in range(hidden)], attention or None)


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def read(run, given, who="teacher"):
    run.store_arrays(who, **output_arrays(given))
    return layers(Side(run, who))


def test_every_layer_comes_back_in_order_with_the_logits_last(run):
    given = output()
    found = read(run, given)
    assert found.names == ["layer 1", "layer 2", "layer 3", "logits"]
    assert not found.left_out
    for features, tensor in zip(found.features, given.layers, strict=True):
        np.testing.assert_allclose(features, tensor.numpy(), atol=2e-3)  # float16 has eleven bits


def test_hidden_layers_take_two_bytes_a_number(run):
    read(run, output())
    arrays = run.arrays("teacher")
    assert {arrays[key].dtype for key in ("hidden_0", "hidden_1", "embedding")} == {np.dtype(np.float16)}
    assert "hidden_2" not in arrays  # that is the embedding


def test_attention_belongs_to_the_layer_that_it_makes(run):
    given = output()
    for (pairs, weight), attention in zip(read(run, given).attention, given.attention, strict=True):
        np.testing.assert_array_equal(pairs, EDGES.numpy())
        np.testing.assert_allclose(weight, attention.weight.numpy(), atol=1e-3)


@pytest.mark.parametrize("heads", [(), (2,), (2, 2, 2, 2, 1)])
def test_attention_of_unknown_layers_is_given_to_none(run, heads):
    assert read(run, output(heads=heads)).attention == [None] * 4


def test_a_model_without_hidden_layers_has_its_logits_once(run):
    found = read(run, output(hidden=0, heads=()))
    assert found.names == ["logits"]
    assert found.features[0].shape == (NODES, 2)


def test_too_many_numbers_are_left_out_and_that_is_said(run, monkeypatch):
    given = output()
    limit = NODES * (3 + 4)  # of layers 1 and 2; layer 3 is the embedding
    assert "hidden_1" in stored.layer_arrays(given, limit)
    few = stored.layer_arrays(given, limit - 1)
    assert "hidden_0" not in few
    assert few["num_hidden"] == 3
    monkeypatch.setattr("workbench.runs.pictures.layer_arrays", lambda given: stored.layer_arrays(given, limit - 1))
    found = read(run, given)
    assert found.names == ["layer 3", "logits"]
    assert found.left_out == stored.LARGE
    assert [weight.shape[1] for _, weight in found.attention] == [2, 1]


def test_a_run_of_an_older_version_has_two_layers_and_says_so(make_run_folder):
    folder = make_run_folder()
    np.savez(folder / "arrays/teacher.npz", embedding=np.ones((30, 4)), logits=np.ones((30, 3)))
    found = layers(Side(Run(folder), "teacher"))
    assert found.names == ["last hidden layer", "logits"]
    assert found.left_out == stored.OLDER


def test_a_kept_epoch_has_the_layers_of_that_epoch(make_run_folder):
    run = Run(make_run_folder())
    best, given = output(), output()
    given.hidden[0] += 100
    run.store_arrays("student", **output_arrays(best))
    with RunRecorder(run, in_process=True) as recorder:
        recorder.begin("student", "training the student", 5)
        recorder.keep(5, given, {})
    found = layers(Side(run, "student", 5))
    assert found.names == ["layer 1", "layer 2", "layer 3", "logits"]
    np.testing.assert_allclose(found.features[0], given.hidden[0].numpy(), atol=0.1)
    np.testing.assert_allclose(found.attention[0][1], given.attention[0].weight.numpy(), atol=1e-3)
    assert "attention_edge_index_0" not in run.arrays("epoch-00005")  # those of the best epoch are the same


def test_the_kept_epoch_of_a_teacher_or_of_a_student_alone_is_not_stored(make_run_folder):
    run = Run(make_run_folder())
    with RunRecorder(run, in_process=True) as recorder:
        recorder.begin("teacher", "training the teacher", 5)
        recorder.keep(5, output(), {})
    assert "epoch-00005" not in run.array_names()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"hidden_0": np.ones((4, 3))}, "not of the same nodes"),
        ({"hidden_0": np.ones(5)}, "not of the same nodes"),
        ({"hidden_0": np.full((5, 3), np.inf)}, "diverged"),
        ({"num_hidden": np.array([1, 2])}, "damaged"),
        ({"num_hidden": np.array(-1)}, "damaged"),
    ],
)
def test_damaged_layers_are_refused_with_what_to_do(run, damage, message):
    run.store_arrays("teacher", **output_arrays(output()) | damage)
    with pytest.raises(RunError, match=message):
        layers(Side(run, "teacher"))
