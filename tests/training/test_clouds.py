"""Epochs over point clouds: which mini-batches they go through, and how shapes are predicted."""

import pytest
import torch
from small_cloud_runs import SHORT, small_model

from workbench.datasets import load_dataset
from workbench.registry import datasets
from workbench.spec import Training
from workbench.tasks.graph_classification import GraphClassification
from workbench.training.clouds import CloudStep
from workbench.training.distiller import Distiller
from workbench.training.whole_graphs import predict


@pytest.fixture(scope="module")
def data():
    return load_dataset(datasets["builtin-shapes"](shapes_per_class=5, points=32))


@pytest.mark.parametrize(("batch_size", "sizes"), [(8, [8, 8, 8, 6]), (29, [29]), (None, [30]), (100, [30])])
def test_an_epoch_goes_once_through_the_training_shapes(data, batch_size, sizes):
    training = Training(**{**SHORT, "batch_size": batch_size})
    step = CloudStep(Distiller(small_model(), None, GraphClassification()), data, None, training)
    seen = [part.args[0] for part in step.parts()]
    assert [len(shapes) for shapes in seen] == sizes  # one shape alone has nothing to be normalised over
    once = torch.cat(seen).tolist()
    assert len(set(once)) == len(once)
    assert set(once) <= set(data.of_split("train").tolist())


def test_shapes_are_predicted_in_the_number_format_of_training(data):
    shapes = data.of_split("test")
    formats = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    for name, dtype in formats.items():
        assert predict(small_model(), data, shapes, Training(precision=name)).dtype == dtype
