"""Tasks: the loss and the metrics of what is predicted."""

from workbench.tasks.node_classification import Metrics, NodeClassification
from workbench.tasks.splits import Split, split_nodes, with_split_nodes

__all__ = ["Metrics", "NodeClassification", "Split", "split_nodes", "with_split_nodes"]
