"""The nearest points of every point of a cloud: exact, in blocks, never the distances of a whole batch at once."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from types import ModuleType

import torch
from torch import Tensor

from workbench.errors import UsageError
from workbench.kernels.precision import at_least_single

ENTRIES = {"cpu": 2**21, "cuda": 2**26}  # distances in one block, by kind of device
COMPILED_FROM = 2**19  # distances from which compiled code on the CPU pays for its start
LARGE = 2**14  # points of one cloud from which torch_cluster's search, where it is installed, beats all distances


def nearest_neighbours(
    x: Tensor, k: int, batch: Tensor | None = None, *, loop: bool = True, block: int | None = None
) -> Tensor:
    """Edges (2, N·k) from every point's ``k`` nearest points of its own cloud to it, sorted by centre, nearest first.

    Shapes: x (N, d); ``batch`` (N,) number of the cloud of each point, not falling, None for one cloud. Edges run from
    ``edge_index[0]``, the neighbour j, to ``edge_index[1]``, the centre i.
    A point is its own first neighbour, as in the published DGCNN, which searches among all points of a cloud;
    ``loop=False`` leaves it out. Distances are Euclidean, in the format of x (half precision becomes float32), and
    taken after the point in the middle of a cloud has become its origin; points that are equally near after rounding
    come in the order of their numbers. ``block`` is the number of distances that are held at a time. No gradient is
    taken.

    Raises UsageError for clouds with too few points, and for a ``batch`` that does not fit.
    """
    return as_edges(neighbour_table(x, k, cloud_sizes(batch, x.shape[0]), loop=loop, block=block))


def as_edges(table: Tensor) -> Tensor:
    """The edges (2, N·k) of a table (N, k) of neighbours."""
    centre = torch.arange(table.shape[0], device=table.device).repeat_interleave(table.shape[1])
    return torch.stack([table.reshape(-1), centre])


def cloud_sizes(batch: Tensor | None, num_points: int) -> list[int]:
    """Number of points in every cloud of ``batch`` (N,); waits for the device. Raises UsageError where it does not fit.

    None stands for one cloud.
    """
    if batch is None:
        return [num_points]
    if batch.shape != (num_points,):
        raise UsageError(
            f"batch gives the cloud of every point: expected shape ({num_points},), not {tuple(batch.shape)}"
        )
    if num_points and (batch[0] < 0 or bool((batch.diff() < 0).any())):
        raise UsageError(
            "batch must count the clouds 0, 0, …, 1, 1, …: put the points of one cloud side by side and clouds in order"
        )
    return torch.bincount(batch).tolist()


@torch.no_grad()
def neighbour_table(
    x: Tensor, k: int, sizes: Sequence[int] | None = None, *, loop: bool = True, block: int | None = None
) -> Tensor:
    """Numbers (N, k) of the nearest points of :func:`nearest_neighbours`; ``sizes`` holds the points of every cloud."""
    sizes = [x.shape[0]] if sizes is None else sizes
    _check(x, k, sizes, loop)
    x = at_least_single(x.detach())
    block = block or ENTRIES.get(x.device.type, ENTRIES["cpu"])
    parts, start = [], 0
    with torch.autocast(x.device.type, enabled=False):
        for size, run in groupby(sizes):  # clouds of one size are searched together
            clouds = len(list(run))
            points = x[start : start + clouds * size].view(clouds, size, -1)  # (B, n, d)
            search = _by_torch_cluster if size >= LARGE and _has_torch_cluster() else _by_all_distances
            first = start + size * torch.arange(clouds, device=x.device).view(-1, 1, 1)
            parts.append((search(points, k, loop, block) + first).view(-1, k))
            start += clouds * size
    return torch.cat(parts)


def _check(x: Tensor, k: int, sizes: Sequence[int], loop: bool) -> None:
    if x.dim() != 2 or sum(sizes) != x.shape[0]:
        raise UsageError(f"clouds of {sum(sizes)} points need features (N, d) of as many; got shape {tuple(x.shape)}")
    smallest = min(sizes)
    if not 1 <= k <= smallest - (not loop):
        raise UsageError(
            f"every point needs {k} neighbours and the smallest cloud has {smallest} points"
            f"{'' if loop else ', one of which is the point itself'}: choose k between 1 and the points of a cloud"
        )


def _by_all_distances(points: Tensor, k: int, loop: bool, block: int) -> Tensor:
    """Places (B, n, k) of neighbours in their clouds (B, n, d)."""
    clouds, size, _ = points.shape
    # A squared distance is taken apart into lengths and a product, which loses the digits of what all points share.
    # It is a point that is taken off and not the mean: of coordinates with few digits, no difference is rounded.
    middle = (points - points.mean(1, keepdim=True)).square().sum(2).argmin(1)  # (B,)
    centred = points - points[torch.arange(clouds, device=points.device), middle, None]
    lengths = centred.square().sum(2)  # (B, n)
    found = torch.empty(clouds, size, k, dtype=torch.long, device=points.device)
    for of, rows in _blocks(clouds, size, block):
        both = lengths[of, rows, None] + lengths[of, None, :]  # (b, r, n)
        squared = torch.baddbmm(both, centred[of, rows], centred[of].mT, alpha=-2).clamp_min_(0)
        itself = squared.diagonal(rows.start, 1, 2)  # a view
        itself.fill_(-1 if loop else float("inf"))
        found[of, rows] = _lowest(squared, k)
    return found


def _blocks(clouds: int, size: int, block: int) -> Iterator[tuple[slice, slice]]:
    """Clouds and rows of them, about ``block`` distances at a time."""
    together, height = max(1, block // size**2), max(1, min(size, block // size))
    for cloud in range(0, clouds, together):
        for row in range(0, size, height):
            yield slice(cloud, cloud + together), slice(row, min(row + height, size))


def _lowest(values: Tensor, k: int) -> Tensor:
    """Places (…, k) of the lowest of values (…, n), lowest first and equal ones in order."""
    if values.device.type == "cpu" and values.numel() >= COMPILED_FROM and (sweeps := compiled_sweeps()):
        return sweeps.lowest(values.view(-1, values.shape[-1]), k).view(*values.shape[:-1], k)
    found, place = values.topk(min(k + 1, values.shape[-1]), largest=False)
    tied = (found.diff() == 0).any(-1)  # topk takes equal ones as it likes
    if tied.any():
        place[tied] = values[tied].argsort(dim=-1, stable=True)[:, : place.shape[-1]]
    return place[..., :k]


@cache
def compiled_sweeps() -> ModuleType | None:
    """None where numba cannot be imported: torch does it all then, only slower."""
    try:
        from workbench.kernels.compiled import neighbours
    except ImportError:
        return None
    return neighbours


def _has_torch_cluster() -> bool:
    return importlib.util.find_spec("torch_cluster") is not None


def _by_torch_cluster(points: Tensor, k: int, loop: bool, block: int) -> Tensor:
    """The same of few large clouds, by a compiled search that does not look at all pairs.

    Of equally near points it may take others; the point itself still comes first, or not at all.
    """
    knn = importlib.import_module("torch_cluster").knn
    others = k - 1 if loop else k
    found = []
    for cloud in points:
        own = torch.arange(len(cloud), device=cloud.device)[:, None]
        table = knn(cloud, cloud, others + 1)[1].view(-1, others + 1)  # rows of (query, found), nearest first
        itself = table == own
        itself[:, -1] |= ~itself.any(1)  # where equal points left no place for it
        table = table[~itself].view(-1, others)
        found.append(torch.cat([own, table], dim=1) if loop else table)
    return torch.stack(found)
