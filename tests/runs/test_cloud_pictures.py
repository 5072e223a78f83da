"""What a run on point clouds stores to be drawn: shapes, and the features and graphs of both models."""

import numpy as np
import pytest
import torch
from small_cloud_runs import SHORT, model, run

from workbench.datasets import load_dataset
from workbench.datasets.point_clouds import PointClouds
from workbench.registry import datasets
from workbench.runs import cloud_pictures
from workbench.runs.folder import Run
from workbench.training.whole_graphs import encode_batch


@pytest.fixture(scope="module")
def data() -> PointClouds:
    return load_dataset(datasets["builtin-shapes"](shapes_per_class=5, points=32))


@pytest.fixture(scope="module")
def distilled(tmp_path_factory) -> Run:
    return run(tmp_path_factory.mktemp("runs"))


def test_the_stored_shapes_are_test_shapes_of_every_class(distilled, data):
    clouds = distilled.arrays("clouds")
    assert clouds["labels"].tolist() == list(range(10))
    assert (data.split[clouds["shapes"]] == 3).all()
    assert np.array_equal(data.labels[clouds["shapes"]], clouds["labels"])
    assert np.array_equal(clouds["points"], data.points[clouds["shapes"]].numpy().astype(np.float16))
    assert tuple(clouds["class_names"]) == data.class_names
    assert distilled.array_names() == ["clouds", "student", "teacher"]  # no film is made of clouds


@pytest.mark.parametrize(("role", "layers"), [("teacher", 3), ("student", 2)])
def test_stored_layers_are_those_of_a_fresh_forward_pass(distilled, data, role, layers):
    arrays, shapes = distilled.arrays(role), torch.from_numpy(distilled.arrays("clouds")["shapes"]).long()
    assert len(arrays) == 1 + 2 * layers
    with torch.no_grad():
        output = encode_batch(model(distilled, role), data.mini_batch(shapes))
    assert arrays["logits"] == pytest.approx(output.logits.numpy(), rel=1e-5)
    for layer in range(layers):
        features = output.hidden[layer].view(10, 32, -1).numpy()
        assert arrays[f"features_{layer}"] == pytest.approx(features, abs=1e-6, rel=1e-3)  # half precision
        own = output.edges[layer].view(2, 10, -1) % 32  # numbers within a shape
        edges = [set(zip(*own[:, shape].tolist(), strict=True)) for shape in range(10)]
        table = arrays[f"neighbours_{layer}"]
        stored = [{(int(j), i) for i, row in enumerate(table[shape]) for j in row} for shape in range(10)]
        assert stored == edges


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_stored_graphs_link_the_points_that_are_nearest_in_what_a_layer_reads(distilled, data, role):
    arrays, shapes = distilled.arrays(role), distilled.arrays("clouds")["shapes"]
    with torch.no_grad():
        output = encode_batch(model(distilled, role), data.mini_batch(torch.from_numpy(shapes).long()))
    reads = [data.points[shapes], *(features.view(10, 32, -1) for features in output.hidden[:-1])]
    for layer, features in enumerate(reads):
        features = features.double().numpy()
        apart = ((features[:, :, None] - features[:, None]) ** 2).sum(3)  # (shape, centre, point)
        table = arrays[f"neighbours_{layer}"].astype(int)
        linked = np.take_along_axis(apart, table, axis=2)
        assert linked == pytest.approx(np.sort(apart, axis=2)[:, :, : table.shape[2]], rel=1e-3, abs=1e-6)
        assert all(len(set(row)) == len(row) for row in table.reshape(-1, table.shape[2]).tolist())


def test_every_class_gives_its_first_shapes_in_turn():
    labels = torch.tensor([2, 2, 2, 2, 0, 1, 1, 1, 0, 0, 0, 0, 0, 2, 2, 1, 1, 1])
    split = torch.full_like(labels, 3, dtype=torch.int8)
    split[0] = 1
    clouds = PointClouds(torch.zeros(len(labels), 4, 3), labels, ("a", "b", "c"), split)
    assert cloud_pictures._one_of_each(clouds).tolist() == [4, 5, 1, 8, 6, 2, 9, 7, 3, 10, 15, 13]


def test_points_that_two_bytes_cannot_number_get_four(monkeypatch, tmp_path, data):
    monkeypatch.setattr(cloud_pictures, "INT16", 31)
    found = run(tmp_path, training={**SHORT, "epochs": 1}, teacher_control="untrained")
    assert found.arrays("student")["neighbours_0"].dtype == np.int32
