"""PyG's ``TemporalData`` (a list of events) and a sequence of snapshots: from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import TemporalData

    from workbench.datasets.snapshots import SnapshotSequence


def events_of(data: TemporalData, weighted: bool) -> tuple[Any, ...]:
    """Arrays src, dst, time (M,) and the weights (M,), or None, of the events of ``data``.

    ``weighted`` takes the first column of ``msg`` (M, D). Raises UsageError for columns that are not there.
    """
    absent = [name for name in ("src", "dst", "t", *(["msg"] if weighted else [])) if name not in data]
    if absent:
        raise UsageError(f"the TemporalData has no {' and no '.join(absent)}: expected src, dst and t")
    columns = [data.src, data.dst, data.t]
    if weighted:
        columns.append(_first_column(data.msg))
    found = [column.detach().cpu().numpy() for column in columns]
    return (*found, *([] if weighted else [None]))


def _first_column(message: Tensor) -> Tensor:
    if 0 in message.shape[1:]:
        raise UsageError(
            f"the msg of the TemporalData is {tuple(message.shape)}, without a column: the weights are its first "
            f"column; leave weighted out to count the events"
        )
    return message.flatten(1)[:, 0] if message.dim() > 1 else message


def temporal_data(sequence: SnapshotSequence) -> TemporalData:
    """One event per link and slice, as :meth:`SnapshotSequence.to_temporal_data` says."""
    import torch
    from torch_geometric.data import TemporalData

    starts = torch.arange(len(sequence)) if sequence.boundaries is None else sequence.boundaries[:-1]
    if (starts == starts.long()).all():
        starts = starts.long()
    parts = _increments(sequence) if sequence.cumulative else list(zip(sequence.links, sequence.weights, strict=True))
    ends = torch.cat([links for links, _ in parts], dim=1)
    weights = torch.cat([weight for _, weight in parts])
    sizes = torch.tensor([len(weight) for _, weight in parts])
    return TemporalData(src=ends[0], dst=ends[1], t=starts.repeat_interleave(sizes), msg=weights[:, None])


def _increments(sequence: SnapshotSequence) -> list[tuple[Tensor, Tensor]]:
    """Links (2, M_t) and weights (M_t,) of what each slice adds to the one before it."""
    import torch

    found = []
    keys, total = torch.zeros(0, dtype=torch.int64), torch.zeros(0)
    for links, weight in zip(sequence.links, sequence.weights, strict=True):
        now = links[0] * sequence.num_nodes + links[1]
        more = weight.clone()
        more[torch.isin(now, keys)] -= total  # both are sorted, and no link ever goes
        found.append((links[:, more > 0], more[more > 0]))
        keys, total = now, weight
    return found
