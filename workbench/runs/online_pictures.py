"""The arrays that views of a changing graph draw: the sequence, and every online step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from workbench.runs.files import half
from workbench.runs.folder import Run
from workbench.runs.online_data import Stage

if TYPE_CHECKING:
    from workbench.datasets.snapshots import SnapshotSequence
    from workbench.runs.online_judge import Judged

MOST_NUMBERS = 2_000_000  # of one embedding; a larger one is stored as its first principal components
COMPONENTS = 32
ATTENTION_LIMIT = 4_000_000


def store_sequence(data: SnapshotSequence, run: Run) -> None:
    """Write ``sequence`` below ``arrays/``."""
    arrays = {"birth": data.birth.numpy().astype(np.int32)}
    for step, (links, weights) in enumerate(zip(data.links, data.weights, strict=True)):
        arrays[f"links_{step}"] = links.numpy().astype(np.int32)
        arrays[f"weight_{step}"] = weights.numpy().astype(np.float32)
    if data.groups is not None:
        arrays["groups"] = data.groups.numpy()
    if data.boundaries is not None:
        arrays["boundaries"] = data.boundaries.numpy()
    run.store_arrays("sequence", **arrays)


def store_step(stage: Stage, judged: Judged, run: Run) -> None:
    """Write ``step-<number>`` below ``arrays/``: embeddings, scores of the test pairs, temporal attention."""
    arrays = {who: half(_drawable(output.logits)) for who, output in judged.outputs.items()}
    arrays |= {f"scores_{who}": scores for who, scores in judged.scores.items()}
    if stage.judgeable:
        test = stage.splits["test"]
        arrays["positives"] = test.links.numpy().astype(np.int32)
        arrays["negatives"] = test.others.numpy().astype(np.int32)
    for who in ("teacher", "student"):
        attention = judged.outputs[who].temporal
        if attention is not None and attention[:, 0].numel() <= ATTENTION_LIMIT:
            arrays[f"attention_{who}"] = half(attention.mean(1).cpu().numpy())
    run.store_arrays(f"step-{stage.step:05d}", **arrays)


def _drawable(embeddings: Tensor) -> np.ndarray:
    """Embeddings (n, d) as they are, or of many nodes their first principal components (n, COMPONENTS)."""
    embeddings = embeddings.detach().float().cpu()
    if embeddings.numel() > MOST_NUMBERS and embeddings.shape[1] > COMPONENTS:
        centred = (embeddings - embeddings.mean(0)).double()
        _, directions = torch.linalg.eigh(centred.T @ centred)  # ascending
        embeddings = (centred @ directions[:, -COMPONENTS:].flip(1)).float()
    return embeddings.numpy()
