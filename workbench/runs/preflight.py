"""What can be known to be wrong before a run starts: found here, so that nothing is half-written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from workbench.datasets.base import Progress, data_root
from workbench.datasets.load import load_dataset
from workbench.methods.base import Widths
from workbench.models.base import Output
from workbench.training.device import resolve_device

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from workbench.spec import Spec

PROBE_NODES = 8
PROBE_PARAMETERS = 50_000_000  # a larger model is not built twice
PROBE_NUMBERS = (
    20_000_000  # a teacher's output larger than this is not imitated: targets are then first made in the run
)


def settle(spec: Spec) -> Spec:
    """The spec with nothing left open: ``auto`` is a device of this machine, own files have their hash."""
    return spec.replace(device=str(resolve_device(spec.device)), dataset=spec.dataset.pinned())


def preflight(spec: Spec, progress: Progress | None = None) -> list[str]:
    """Load the graph and build both models and the method once; returns notes for the person.

    Raises UsageError for anything that cannot work. Downloads the dataset where it is missing.
    """
    data = load_dataset(spec.dataset, data_root(), progress)
    classes = int(data.y.max()) + 1
    sizes = [config.count_parameters(data.num_features, classes) for config in (spec.teacher, spec.student)]
    if max(sizes) <= PROBE_PARAMETERS:
        _probe(spec, data, classes)
    if sizes[1] > sizes[0]:
        return [f"the student is larger than its teacher: {sizes[1]:,} parameters against {sizes[0]:,}"]
    return []


def _probe(spec: Spec, data: Data, classes: int) -> None:
    """Build the method for the widths that the two models really give, and its targets for the graph's shape."""
    state = torch.get_rng_state()
    x = torch.zeros(PROBE_NODES, data.num_features)
    edge_index = torch.arange(PROBE_NODES).repeat(2, 1).roll(1, dims=1)
    outputs = []
    for config in (spec.teacher, spec.student):
        with torch.no_grad():
            outputs.append(config.build(data.num_features, classes).eval().encode(x, edge_index))
    objective = spec.objective.build(Widths.of(outputs[0]), Widths.of(outputs[1]))
    if sum(layer.shape[1] for layer in outputs[0].layers) * data.num_nodes <= PROBE_NUMBERS:
        shaped = [torch.zeros(data.num_nodes, layer.shape[1]) for layer in outputs[0].layers]
        objective.targets(Output(shaped[-1], shaped[:-1]), data)
    torch.set_rng_state(state)  # looking must not change what a notebook draws next
