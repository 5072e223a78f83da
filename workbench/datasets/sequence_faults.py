"""What can keep a sequence of snapshots from being learned from, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.datasets.snapshots import SnapshotSequence

FEWEST_SNAPSHOTS = 3  # a step learns from one, predicts the links of the next, and there must be more than one step


def too_little(sequence: SnapshotSequence) -> list[str]:
    """Faults of a sequence that holds together, and in which there is not enough to learn. Empty snapshots are none."""
    faults = []
    if len(sequence) < FEWEST_SNAPSHOTS:
        faults.append(
            f"it has {len(sequence)} snapshot{'' if len(sequence) == 1 else 's'}: "
            f"expected at least {FEWEST_SNAPSHOTS}; cut narrower slices"
        )
    if not any(len(weights) for weights in sequence.weights):
        faults.append("no snapshot has a link: expected events between nodes")
    elif not any(sequence.new_links(t).shape[1] for t in range(1, len(sequence))):
        faults.append(
            "there is nothing to predict: no snapshot has a new link between two nodes that were seen before it"
        )
    return faults


def wrong_links(sequence: SnapshotSequence) -> list[str]:
    """Faults of a sequence that was put together by hand; the makers of the class leave none."""
    links, weights, events = sequence.links, sequence.weights, sequence.events
    if len({len(links), len(weights), len(events)}) > 1:
        return [
            f"links, weights and events are for {len(links)}, {len(weights)} and {len(events)} snapshots: "
            f"expected the same number of each"
        ]
    if sequence.birth.shape != (sequence.num_nodes,) or (sequence.birth.diff() < 0).any():
        return [
            f"birth must have one entry for each of the {sequence.num_nodes:,} nodes, none below the one before it: "
            f"nodes are numbered in the order of their birth"
        ]
    found = (_wrong_snapshot(sequence, t, links[t], weights[t]) for t in range(len(sequence)))
    return [fault for fault in found if fault]


def _wrong_snapshot(sequence: SnapshotSequence, t: int, links: Tensor, weights: Tensor) -> str | None:
    import torch

    if links.dtype != torch.int64 or links.shape != (2, len(weights)):
        return (
            f"snapshot {t} has links {tuple(links.shape)} of {str(links.dtype).removeprefix('torch.')} and "
            f"{len(weights):,} weights: expected (2, L) of int64 and L weights"
        )
    if not len(weights):
        return None
    if not (weights > 0).all() or not weights.isfinite().all():
        return f"snapshot {t} has a weight that is not a finite number above zero"
    if int(links.min()) < 0 or int(links.max()) >= sequence.seen(t):
        return f"snapshot {t} has a link of a node that is not among the {sequence.seen(t):,} seen by then"
    keys = links[0] * sequence.num_nodes + links[1]
    if (links[0] > links[1]).any() or (keys.diff() <= 0).any():
        return f"the links of snapshot {t} must be sorted, each once, the smaller number first"
    return None
