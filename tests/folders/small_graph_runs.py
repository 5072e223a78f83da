"""Real runs on many small graphs that take about a second, and the models that they leave."""

import json

import torch

import workbench as wb
from workbench.datasets import GraphCollection, load_dataset
from workbench.registry import datasets, models
from workbench.runs.folder import Run
from workbench.training.checkpoint import load_tensors

DATASET = {"name": "builtin-motifs", "graphs_per_class": 10, "smallest": 4, "largest": 6}
TEACHER = {"name": "gine", "hidden_channels": 8, "num_layers": 2, "dropout": 0.1, "pooling": "mean"}
STUDENT = {"name": "gin-graph", "hidden_channels": 4, "num_layers": 2, "dropout": 0.1, "pooling": "mean"}
SHORT = {"learning_rate": 0.01, "epochs": 3, "batch_size": 16, "lens_every": 1}


def graphs() -> GraphCollection:
    return load_dataset(datasets["builtin-motifs"](**{key: value for key, value in DATASET.items() if key != "name"}))


def run(root, **changes) -> Run:
    options = {"teacher": TEACHER, "student": STUDENT, "method": "kd", "device": "cpu"}
    options |= {"training": SHORT, "teacher_training": SHORT}
    dataset = changes.pop("dataset", DATASET)
    return wb.distill(dataset, root=root, **{**options, **changes})


def model(found: Run, role: str, data: GraphCollection) -> torch.nn.Module:
    """A model of a run, built anew with the weights that the run has left."""
    path = found.path / "student.safetensors"
    if role == "teacher":
        reference = json.loads((found.path / "teacher").read_text())
        cached = found.path.parent / ".workbench/teachers"
        path = (cached / reference["cache"] if "cache" in reference else found.path) / "teacher.safetensors"
    document = found.document[role]
    module = models[document["name"]].parse(document).build(data.num_features, data.num_classes)
    module.load_state_dict(load_tensors(path).tensors)
    return module.eval()


def molecules() -> GraphCollection:
    """Graphs with categories on nodes and edges and two labels, some of which are missing."""
    generator = torch.Generator().manual_seed(0)
    whole = graphs()
    nodes, edges, count = whole.x.shape[0], whole.edge_index.shape[1], len(whole)
    y = (torch.rand(count, 2, generator=generator) < 0.4).float()
    y[torch.rand(count, 2, generator=generator) < 0.2] = torch.nan
    return GraphCollection(
        x=torch.randint(6, (nodes, 3), generator=generator),
        edge_index=whole.edge_index,
        node_slices=whole.node_slices,
        edge_slices=whole.edge_slices,
        y=y,
        split=whole.split,
        edge_attr=torch.randint(4, (edges, 2), generator=generator),
        node_categories=6,
        edge_categories=4,
    )


def nodes_of_graphs() -> GraphCollection:
    """Graphs whose nodes have four independent labels."""
    generator = torch.Generator().manual_seed(1)
    whole = graphs()
    nodes = whole.x.shape[0]
    return GraphCollection(
        x=torch.randn(nodes, 5, generator=generator),
        edge_index=whole.edge_index,
        node_slices=whole.node_slices,
        edge_slices=whole.edge_slices,
        y=(torch.rand(nodes, 4, generator=generator) < 0.4).float(),
        split=whole.split,
        level="node",
    )
