"""Epochs of our GCN and of the textbook's: the same losses and gradients, measured side by side."""

import json
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from workbench.bench import epoch
from workbench.cli import app
from workbench.errors import UsageError
from workbench.models import features_for

every_case = pytest.mark.parametrize("name", epoch.CASES)


def small(name):
    return replace(epoch.CASES[name], nodes=60, edges=300, widths=(30, 8, 4))


@every_case
def test_ours_is_the_textbook_in_float64(name):
    found = epoch.differences(replace(small(name), dropout=0.0))
    assert found["relative_difference"] < 1e-5
    assert found["gradient_difference"] < 1e-5


@every_case
@pytest.mark.parametrize("variant", ["ours", "textbook"])
def test_an_epoch_trains(name, variant):
    inputs, prepare = epoch.make(variant, small(name))
    step = prepare(inputs)
    first, *_, last = (step() for _ in range(80))
    assert last < first


def test_training_and_validation_nodes_are_apart_and_all_nodes():
    inputs = epoch.Inputs.random(small("gcn bag of words"))
    trained, validated = inputs.train != epoch.IGNORED, inputs.validation != epoch.IGNORED
    assert torch.equal(trained, ~validated)
    assert 0 < int(validated.sum()) < 30


def test_the_graph_is_undirected_and_its_words_are_sparse():
    case = epoch.CASES["gcn bag of words"]
    inputs = epoch.Inputs.random(case)
    there, back = (set(map(tuple, edges.T.tolist())) for edges in (inputs.edge_index, inputs.edge_index.flip(0)))
    assert there == back
    model = epoch.model_of("ours", case)
    assert features_for(model, inputs.x).layout == torch.sparse_csr
    # Cora has 49,216 words in 2,708 papers; the standard error of a random count is 220.
    assert int(inputs.x.count_nonzero()) == pytest.approx(49_216, abs=1_000)


def test_the_epoch_benchmark_prints_one_document():
    sizes = ["--nodes", "50", "--edges", "200", "--widths", "8,4,3"]
    result = CliRunner().invoke(app, ["bench", "epoch", "--json", "--repeats", "3", *sizes])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [entry["name"] for entry in document["results"]] == list(epoch.CASES)
    for entry in document["results"]:
        assert (entry["nodes"], entry["edges"], entry["widths"]) == (50, 200, [8, 4, 3])
        assert entry["speedup"] == pytest.approx(entry["textbook"]["milliseconds"] / entry["ours"]["milliseconds"])


def test_one_case_is_chosen_by_its_name():
    assert epoch.chosen_cases(["gcn bag of words"]) == ["gcn bag of words"]
    assert epoch.chosen_cases([]) == list(epoch.CASES)
    with pytest.raises(UsageError, match=r"no epoch is called 'gcn bag of word': did you mean 'gcn bag of words'\?"):
        epoch.chosen_cases(["gcn bag of word"])
