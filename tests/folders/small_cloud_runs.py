"""Real runs on point clouds that take less than a second, and the models that they leave."""

import json

import torch

import workbench as wb
from workbench.registry import models
from workbench.runs.folder import Run
from workbench.training.checkpoint import load_tensors

DATASET = {"name": "builtin-shapes", "shapes_per_class": 5, "points": 32}
TEACHER = {"name": "dgcnn", "hidden_channels": 8, "num_layers": 3, "embedding": 2, "head_layers": 2, "k": 6}
STUDENT = {"name": "dgcnn", "hidden_channels": 4, "num_layers": 2, "embedding": 2, "head_layers": 1, "k": 4}
SHORT = {"optimizer": "adam", "learning_rate": 0.01, "epochs": 3, "batch_size": 16, "lens_every": 1}


def run(root, **changes) -> Run:
    options = {"teacher": TEACHER, "student": STUDENT, "method": "lsp", "device": "cpu"}
    options |= {"training": SHORT, "teacher_training": SHORT}
    dataset = changes.pop("dataset", DATASET)
    return wb.distill(dataset, root=root, **{**options, **changes})


def model(found: Run, role: str) -> torch.nn.Module:
    """A model of a run, built anew with the weights that the run has left."""
    path = found.path / "student.safetensors"
    if role == "teacher":
        path = found.path.parent / ".workbench/teachers" / json.loads((found.path / "teacher").read_text())["cache"]
        path /= "teacher.safetensors"
    module = getattr(found.spec, role).build(3, 10)
    module.load_state_dict(load_tensors(path).tensors)
    return module.eval()


def small_model() -> torch.nn.Module:
    return models["dgcnn"](**{key: value for key, value in STUDENT.items() if key != "name"}).build(3, 10)
