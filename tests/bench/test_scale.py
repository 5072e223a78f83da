"""The benchmark of growing graphs: what graphs it makes, what it reports, and what it refuses."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from workbench.bench import scale
from workbench.bench.scale import Case, bench, random_edges, write_features
from workbench.cli.benchmarks import benchmarks


def test_every_node_of_a_graph_has_ten_in_edges_and_its_features_are_half_precision(tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "BLOCK", 33)
    case = Case(1000)
    write_features(tmp_path / "x.npy", case)
    features = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert (features.dtype, features.shape) == (np.float16, (100, 64))
    assert abs(features.astype(float).std() - 1) < 0.05  # of 6400 normal numbers: five standard errors of 1/√(2·6400)
    assert torch.bincount(random_edges(case)[1], minlength=100).tolist() == [10] * 100


def test_both_ways_are_measured_on_every_graph():
    document = bench((1000, 30_000))
    assert [entry["nodes"] for entry in document["results"]] == [100, 3000]
    for entry in document["results"]:
        assert entry["whole"]["seconds"] > 0
        # about half of the nodes are training nodes: at most 100 and 3000 of them, by 1024
        assert entry["sampled"]["mini_batches"] == -(-entry["nodes"] // 2 // 1024)
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize("edges", ["", "ten", "1000,,2000", "99", "-1000"])
def test_numbers_of_edges_that_mean_nothing_are_refused(edges):
    assert CliRunner().invoke(benchmarks, ["scale", f"--edges={edges}"]).exit_code == 2
