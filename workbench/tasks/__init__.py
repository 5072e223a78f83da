"""Tasks: the loss and the metrics of what is predicted."""

from workbench.tasks.node_classification import Metrics, NodeClassification, Split

__all__ = ["Metrics", "NodeClassification", "Split"]
