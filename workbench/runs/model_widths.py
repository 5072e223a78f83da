"""How many inputs and outputs both models of a spec have on its data: what their sizes follow from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.datasets.base import held_by
from workbench.datasets.measure import num_classes
from workbench.runs.online_data import first_step, last_step

if TYPE_CHECKING:
    from workbench.spec import Spec

Widths = tuple[int, int]  # inputs and outputs


class BothWidths(NamedTuple):
    teacher: Widths
    student: Widths


def model_widths(spec: Spec, data: Any) -> BothWidths:
    """Widths of teacher and student on what the dataset's ``load`` returned.

    Features and classes; of snapshots, whose models have a row per node, the nodes that the teacher knows and those
    that the student knows in the end, and no outputs.
    """
    held = held_by(spec.dataset)
    if held == "snapshots":
        return BothWidths((data.seen(first_step(spec)), 0), (data.seen(max(last_step(spec, data), 0)), 0))
    if held == "graphs":  # the width of the nodes' features knows that of the edges
        return BothWidths(*[(data.num_features, data.num_classes)] * 2)
    if held == "hetero":  # likewise, of all types of nodes
        return BothWidths(*[(data.num_features, num_classes(data))] * 2)
    classes = data.num_classes if held == "clouds" else num_classes(data)
    return BothWidths(*[(int(data.num_features), int(classes))] * 2)
