"""Tasks: the loss and the metrics of what is predicted."""

from workbench.tasks.base import Metrics, Task
from workbench.tasks.graph_classification import GraphClassification
from workbench.tasks.link_prediction import LinkPrediction
from workbench.tasks.multi_label import MultiLabel
from workbench.tasks.node_classification import NodeClassification
from workbench.tasks.splits import Split, split_nodes, with_split_nodes

__all__ = [
    "GraphClassification",
    "LinkPrediction",
    "Metrics",
    "MultiLabel",
    "NodeClassification",
    "Split",
    "Task",
    "split_nodes",
    "with_split_nodes",
]
