"""How well the links of the next snapshot are told: by the models, and by what needs no learning."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from workbench.analysis.link_scores import adamic_adar, common_neighbours, edge_bank, preferential_attachment
from workbench.models.snapshot_window import SnapshotWindow
from workbench.runs.online_data import Stage
from workbench.tasks.link_prediction import LinkClassifier, hadamard, link_metrics
from workbench.training.device import synchronise

if TYPE_CHECKING:
    from workbench.models.dysat import DynamicOutput, DySAT

LATENCY_REPEATS = 5


@dataclass
class Judged:
    """Outputs of every model on the nodes that there are, scores of the test pairs, and what they amount to."""

    outputs: dict[str, DynamicOutput]
    scores: dict[str, np.ndarray]  # (2 m,), links first
    facts: dict[str, Any]


def judge(stage: Stage, teacher: DySAT, students: dict[str, DySAT]) -> Judged:
    """The one place where test pairs are read: after every model of the step has been trained and selected."""
    models = {"teacher": teacher, **students}
    outputs, latency = {}, {}
    for who, model in models.items():
        known = stage.known if who == "teacher" else stage.nodes
        outputs[who], latency[who] = _embedded(stage, model, known)
    scores: dict[str, np.ndarray] = {}
    metrics: dict[str, dict[str, float | None]] = {}
    for who in models:
        scores_of = _regression(stage, outputs[who].logits) if stage.judgeable else None
        metrics[who] = dict.fromkeys(("auc", "average_precision", "dot_auc", "known_auc"))
        if scores_of is not None:
            test = stage.splits["test"]
            scores[who] = scores_of[0].astype(np.float32)
            metrics[who] |= link_metrics(scores_of[0], test.truth)
            metrics[who]["dot_auc"] = link_metrics(scores_of[1], test.truth)["auc"]
            metrics[who]["known_auc"] = _among_known(stage, scores_of[0])
    metrics |= _without_learning(stage)
    sizes = {who: len(output.logits) for who, output in outputs.items()}
    return Judged(outputs, scores, {"metrics": metrics, "latency_ms": latency, "latency_nodes": sizes})


def _among_known(stage: Stage, scores: np.ndarray) -> float | None:
    """The AUC on the test pairs of which the teacher knows both nodes; None where these are of one kind only."""
    test = stage.splits["test"]
    known = (test.both < stage.known).all(0).numpy()
    truth = test.truth[known]
    return link_metrics(scores[known], truth)["auc"] if truth.any() and not truth.all() else None


@torch.no_grad()
def _embedded(stage: Stage, model: DySAT, known: int) -> tuple[DynamicOutput, float]:
    """The model's output on the latest snapshots, and the median milliseconds of one pass."""
    device = model.embedding.device
    window = SnapshotWindow.of(stage.data, stage.window(model.window + 1), known).to(device)
    model.eval()
    times = []
    for _ in range(LATENCY_REPEATS + 1):
        synchronise(device)
        started = time.perf_counter()
        output = model.encode(window)
        synchronise(device)
        times.append(time.perf_counter() - started)
    return output, round(1000 * statistics.median(times[1:]), 3)


def _regression(stage: Stage, embeddings: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and inner products of the test pairs; a node that the model does not know counts as zeros."""
    missing = stage.nodes - embeddings.shape[0]
    padded = torch.cat([embeddings, embeddings.new_zeros(missing, embeddings.shape[1])]).cpu().double()
    features = {name: hadamard(padded, pairs.both).numpy() for name, pairs in stage.splits.items() if name != "val"}
    classifier = LinkClassifier.fit(features["train"], stage.splits["train"].truth)
    return classifier.chances(features["test"]), features["test"].sum(1)


def _without_learning(stage: Stage) -> dict[str, dict[str, float | None]]:
    """Common neighbours, Adamic–Adar and degrees in all links up to now, and the links of the present snapshot."""
    names = ("common_neighbours", "adamic_adar", "preferential_attachment", "edge_bank")
    if not stage.judgeable:
        return {name: {"auc": None, "average_precision": None} for name in names}
    data, test = stage.data, stage.splits["test"]
    past = torch.cat([data.links[t] for t in range(stage.step + 1)], dim=1).numpy()
    pairs = test.both.numpy()
    found = {
        "common_neighbours": common_neighbours(past, pairs, data.num_nodes),
        "adamic_adar": adamic_adar(past, pairs, data.num_nodes),
        "preferential_attachment": preferential_attachment(past, pairs, data.num_nodes),
        "edge_bank": edge_bank(data.links[stage.step].numpy(), pairs, data.num_nodes),
    }
    return {name: dict(link_metrics(scores, test.truth)) for name, scores in found.items()}
