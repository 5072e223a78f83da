"""The test accuracy of finished models on disturbed graphs: every model sees the very same ones."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.analysis.robustness import add_edges, noisy_features, remove_edges
from workbench.errors import RunError
from workbench.runs.folder import Run
from workbench.runs.robustness_file import Role, Scores
from workbench.runs.robustness_plan import Kind, Plan
from workbench.runs.side import Who
from workbench.runs.stored_models import run_data, stored_model
from workbench.runs.stored_values import finite

if TYPE_CHECKING:
    from torch import nn
    from torch_geometric.data import Data

    from workbench.datasets.base import Progress
    from workbench.settings import Training

NAMES: Mapping[Role, str] = {"teacher": "teacher", "alone": "student alone", "student": "student"}


@dataclass
class Model:
    """A model that is to be judged: that of ``run`` which ``who`` names, with ``weights`` of this SHA-256."""

    role: Role
    run: Run
    who: Who
    weights: str

    @property
    def expected(self) -> float | None:
        """The test accuracy in the result of its run."""
        result: Any = self.run.result
        return finite(result[self.who]["metrics"]["test"].get("accuracy"))

    @property
    def training(self) -> Training:
        return self.run.spec.teacher_training if self.who == "teacher" else self.run.spec.training


@dataclass
class Judgement:
    """Accuracies (seeds, levels) by role and kind, on ``nodes`` test nodes, and the kind of device they are from."""

    scores: dict[Role, dict[Kind, Scores]]
    nodes: int
    device: str


def judge(
    run: Run, models: Mapping[Role, Model], kinds: Mapping[Role, Sequence[Kind]], plan: Plan, progress: Progress | None
) -> Judgement:
    """Judge ``models`` on the graph of ``run``, disturbed in those ``kinds`` that are wanted of each.

    Level 0 is the graph as it is: raises RunError where a model does not have the test accuracy there that its result
    says, and as :func:`run_data` and :func:`stored_model` do.
    """
    from workbench.datasets.measure import num_classes
    from workbench.training.device import memory_advice

    data = run_data(run, _device(run))
    wanted: list[Kind] = list(dict.fromkeys(kind for of in kinds.values() for kind in of))
    found = Judgement({role: {} for role in kinds}, int(data.test_mask.sum()), data.x.device.type)
    steps, done = max(len(wanted) * plan.seeds, 1), 0
    with memory_advice(data.x.device):
        modules = {
            role: stored_model(model.run, model.who, data, num_classes(data))
            for role, model in models.items()
            if kinds[role]
        }
        first = {role: _undisturbed(models[role], module, data) for role, module in modules.items()}
        for kind in wanted:
            of_kind = [role for role in modules if kind in kinds[role]]
            for role in of_kind:
                found.scores[role][kind] = np.full((plan.seeds, len(plan.levels)), first[role])
            for seed in range(plan.seeds):
                if progress is not None:
                    progress(f"{run.id}: {kind}, seed {seed}", done / steps)
                done += 1
                for column, level in enumerate(plan.levels):
                    if level == 0:
                        continue
                    batch = disturbed(data, kind, level, seed)
                    for role in of_kind:
                        accuracy = _accuracy(modules[role], batch, models[role].training)
                        found.scores[role][kind][seed, column] = accuracy
    if progress is not None:
        progress(f"{run.id}: measured", 1.0)
    return found


def disturbed(data: Data, kind: Kind, level: float, seed: int) -> Data:
    """A shallow copy of ``data`` with other edges, or other features, on the same device."""
    import torch

    batch = copy.copy(data)
    if kind == "noisy_features":
        batch.x = torch.from_numpy(noisy_features(data.x.cpu().numpy(), level, seed)).to(data.x.device)
        return batch
    edges = data.edge_index.cpu().numpy()
    if kind == "remove_edges":
        changed = remove_edges(edges, level, seed)
    else:
        changed = add_edges(edges, int(data.num_nodes or 0), level, seed)
    batch.edge_index = torch.from_numpy(changed).to(data.edge_index.device)
    return batch


def _device(run: Run) -> str:
    """The kind of device that the run used, or the CPU where there is none of it."""
    from workbench.training.device import available_devices

    device = (run.result or {}).get("device")
    used = device.get("type") if isinstance(device, dict) else None
    return used if used in {name.split(":")[0] for name in available_devices()} else "cpu"


def _accuracy(module: nn.Module, batch: Data, training: Training) -> float:
    """On the test nodes, in evaluation mode."""
    from workbench.runs.trained import suited
    from workbench.tasks import NodeClassification
    from workbench.training.loop import encode

    logits = encode(module, suited(module, batch), training).logits
    return float(NodeClassification().evaluate(logits, batch, "test")["accuracy"])


def _undisturbed(model: Model, module: nn.Module, data: Data) -> float:
    """Raises RunError where it is not, to the node, what the result of the run says."""
    found, expected = _accuracy(module, data, model.training), model.expected
    nodes = int(data.test_mask.sum())
    if expected is None or round(found * nodes) != round(expected * nodes):
        said = "none" if expected is None else f"{expected:.4f}"
        raise RunError(
            f"the {NAMES[model.role]} of run {model.run.id} has a test accuracy of {found:.4f} with its stored weights "
            f"on this {data.x.device.type}, and its result says {said}: nothing was stored. "
            f"`workbench rerun {model.run.id}` compares everything"
        )
    return expected
