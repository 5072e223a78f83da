"""What can keep a sequence of snapshots from being learned from, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

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
    return faults


def wrong_links(sequence: SnapshotSequence) -> list[str]:
    """Faults of a sequence that was put together by hand; the makers of the class leave none.

    Types and lengths first, then types and shapes of what is inside, and values where those are right.
    """
    return _wrong_lists(sequence) or _wrong_tensors(sequence) or _wrong_values(sequence)


def _wrong_lists(sequence: SnapshotSequence) -> list[str]:
    faults = [
        f"{name} is {_kind(value)}: expected a list with an entry per snapshot"
        for name in ("links", "weights", "events")
        if not isinstance(value := getattr(sequence, name), list)
    ]
    if not _is_count(sequence.num_nodes) or sequence.num_nodes < 1:
        faults.append(f"num_nodes is {sequence.num_nodes!r}: expected a whole number above zero")
    cumulative: object = sequence.cumulative
    if not isinstance(cumulative, bool):
        faults.append(f"cumulative is {cumulative!r}: expected True or False")
    if faults:
        return faults
    counts = len(sequence.links), len(sequence.weights), len(sequence.events)
    if len(set(counts)) > 1:
        return [
            f"links, weights and events are for {counts[0]}, {counts[1]} and {counts[2]} snapshots: "
            f"expected the same number of each"
        ]
    if wrong := [count for count in sequence.events if not _is_count(count)]:
        faults.append(f"events has the entry {wrong[0]!r}: expected whole numbers from 0")
    if (names := sequence.node_ids) is not None:
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            faults.append("node_ids are no list of texts: expected an id per node, or None")
        elif len(names) != sequence.num_nodes:
            faults.append(f"there are {len(names):,} node_ids: expected one for each of {sequence.num_nodes:,} nodes")
    return faults


def _wrong_tensors(sequence: SnapshotSequence) -> list[str]:
    import torch

    steps, nodes = len(sequence), sequence.num_nodes
    found = [_wrong_tensor("birth", sequence.birth, torch.int64, (nodes,))]
    if sequence.boundaries is not None:
        found.append(_wrong_tensor("boundaries", sequence.boundaries, torch.float64, (steps + 1,)))
    if sequence.groups is not None:
        found.append(_wrong_tensor("groups", sequence.groups, torch.int16, (steps, nodes)))
    for t, (links, weights) in enumerate(zip(sequence.links, sequence.weights, strict=True)):
        fault = _wrong_tensor(f"links[{t}]", links, torch.int64, (2, "L"))
        found.append(fault or _wrong_tensor(f"weights[{t}]", weights, torch.float32, (links.shape[1],)))
    return [fault for fault in found if fault]


def _wrong_tensor(name: str, value: Any, dtype: torch.dtype, shape: tuple[int | str, ...]) -> str | None:
    """What is wrong with the type or shape of ``value``; a letter in ``shape`` stands for any length."""
    import torch

    lengths = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    expected = f"expected a tensor ({lengths}) of {_plain(dtype)} on the CPU"
    if not isinstance(value, torch.Tensor) or value.layout != torch.strided:
        return f"{name} is {_kind(value)}: {expected}"
    fits = value.dim() == len(shape) and all(a == b for a, b in zip(value.shape, shape, strict=True) if b != "L")
    if not fits or value.dtype != dtype or value.device.type != "cpu":
        return f"{name} is {tuple(value.shape)} of {_plain(value.dtype)} on {value.device}: {expected}"
    return None


def _wrong_values(sequence: SnapshotSequence) -> list[str]:
    faults = []
    if (sequence.birth.diff() < 0).any():
        faults.append("birth has an entry below the one before it: nodes are numbered in the order of their birth")
    edges, groups = sequence.boundaries, sequence.groups
    if edges is not None and (not edges.isfinite().all() or (edges.diff() < 0).any()):
        faults.append("boundaries must be finite numbers, none below the one before it")
    if groups is not None and (groups < -1).any():
        faults.append(f"groups go down to {int(groups.min())}: expected communities from 0, or −1 for none")
    found = (_wrong_snapshot(sequence, t) for t in range(len(sequence)))
    faults += [fault for fault in found if fault]
    return faults or _wrong_births(sequence)


def _wrong_snapshot(sequence: SnapshotSequence, t: int) -> str | None:
    links, weights = sequence.links[t], sequence.weights[t]
    if not len(weights):
        return None
    if not (weights > 0).all() or not weights.isfinite().all():
        return f"snapshot {t} has a weight that is not a finite number above zero"
    if int(links.min()) < 0 or int(links.max()) >= sequence.num_nodes:
        low, high = int(links.min()), int(links.max())
        return f"snapshot {t} links nodes from {low} to {high}: expected 0 to {sequence.num_nodes - 1:,}"
    keys = links[0] * sequence.num_nodes + links[1]
    if (links[0] > links[1]).any() or (keys.diff() <= 0).any():
        return f"the links of snapshot {t} must be sorted, each once, the smaller number first"
    return None


def _wrong_births(sequence: SnapshotSequence) -> list[str]:
    """A node is born in the snapshot of its first link, so that nobody is known before anything happens to them."""
    import torch

    first = torch.full((sequence.num_nodes,), len(sequence))
    for t in reversed(range(len(sequence))):
        first[sequence.links[t].reshape(-1)] = t
    wrong = (first != sequence.birth).nonzero().view(-1)
    if not len(wrong):
        return []
    node = int(wrong[0])
    when = "it has no link" if first[node] == len(sequence) else f"its first link is in snapshot {int(first[node])}"
    return [
        f"node {node} has the birth {int(sequence.birth[node])} and {when}: expected the snapshot of a node's first "
        f"link, and {len(sequence)} for a node without any"
    ]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _plain(name: object) -> str:
    return str(name).removeprefix("torch.")


def _kind(value: Any) -> str:
    if type(value).__module__ == "numpy":
        return "a NumPy array"
    layout = getattr(value, "layout", None)
    return f"a {_plain(layout)} tensor" if layout is not None else f"a {type(value).__name__}"
