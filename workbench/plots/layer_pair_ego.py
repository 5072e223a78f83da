"""Two layers, one of each model, on the graph around a node: what each says about its edges, and the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from workbench.analysis.ego_graph import Ego, ego_graph
from workbench.analysis.layer_pairs import edge_attention, edge_cosine, node_to_show
from workbench.errors import RunError, UsageError
from workbench.plots import ego_graph as drawing
from workbench.plots.layer_map_arrays import Kind, LayerMap, at_epoch, layer_map, nearest_kept
from workbench.runs.folder import Run
from workbench.runs.graph_arrays import read_graph_arrays
from workbench.runs.layer_arrays import Attended, Layers, layers
from workbench.runs.side import Side, sides

Head = int | Literal["mean"]
HEIGHT = 480
DIFFERENCE = "Right − left"


@dataclass(frozen=True)
class Around:
    """A pair of layers around a node.

    ``values`` holds what the left and the right layer say about the e edges of ``ego``, (e,) each, and ``what`` what
    that is; ``difference`` (e,) is right − left of the same thing. ``titles`` name both layers, ``classes`` (m,) are
    those of the nodes, and ``heads`` says how many each of the two layers has, 0 where it does not attend.
    """

    ego: Ego
    values: tuple[NDArray[np.float64], NDArray[np.float64]]
    what: tuple[str, str]
    difference: NDArray[np.float64]
    titles: tuple[str, str]
    classes: NDArray[np.integer]
    heads: tuple[int, int]


def pair_on_ego_graph(
    left: Run | Side,
    right: Run | Side | None = None,
    pair: tuple[int, int] = (1, 1),
    node: int | None = None,
    head: Head = "mean",
    kind: Kind = "cka",
    epoch: int | None = None,
) -> go.Figure:
    """Row and column ``pair`` of the map that ``layer_pairs`` draws with the same choices, around ``node``.

    An edge has its attention (of ``head``, from 1, or the mean of all) where the layer attends, else the cosine of the
    hidden states at its ends. The node is by default one with many, but not too many, neighbours. Where the states
    of an epoch are not stored, those of the nearest stored one are shown. Raises UsageError for a pair, node or head
    that there is not, RunError where the states or the edges are not stored.
    """
    first, second = sides(left, right)
    found = layer_map(first, second, kind, epoch)
    if kind == "cka":
        second = at_epoch(second, epoch)
    return draw(around(first, second, found, pair, node, head))


def around(
    left: Side, right: Side, found: LayerMap, pair: tuple[int, int], node: int | None = None, head: Head = "mean"
) -> Around:
    """What two layers, a pair of the map ``found``, say about the edges around a node. Raises as the view does."""
    if tuple(pair) not in found.pairs:
        raise UsageError(f"this map has no pair {pair}: its pairs are {found.pairs[0]} to {found.pairs[-1]}")
    right = right if found.epoch is None else nearest_kept(right.run, found.epoch)
    ego, classes = _ego(left.run, node)
    told = [
        _told(side, layers(side), back + found.back, ego, head)
        for side, back in zip((left, right), (np.array(found.values.shape) - pair).tolist(), strict=True)
    ]
    prefix = ("", "") if left.run.path == right.run.path else ("Left: ", "Right: ")
    both = told[0].attends == told[1].attends
    ours, theirs = ((of.values if both else of.cosine) for of in told)
    return Around(
        ego,
        (told[0].values, told[1].values),
        (told[0].what, told[1].what),
        theirs - ours,
        (prefix[0] + told[0].title, prefix[1] + told[1].title),
        classes,
        (told[0].heads, told[1].heads),
    )


def draw(found: Around) -> go.Figure:
    """Three panels: left, right, and the difference."""
    names = [f"{title}<br>{what}" for title, what in zip(found.titles, found.what, strict=True)]
    if names[0] == names[1]:
        names[1] += " (right)"
    kinds = [what.split(",")[0].removesuffix(" of states") for what in found.what]  # attention or cosine
    differs = kinds[0] if kinds[0] == kinds[1] else "cosine"
    names.append(f"{DIFFERENCE}<br>{differs}")
    # Where states point away from each other, the colours have a middle.
    below = any(np.nanmin(of, initial=0.0) < 0 for of in found.values)
    kind: drawing.Scale = "difference" if below else "share"
    scales: dict[str, drawing.Scale] = {names[0]: kind, names[1]: kind, names[2]: "difference"}
    panels = dict(zip(names, (*found.values, found.difference), strict=True))
    bar = "<br>or ".join(dict.fromkeys(kinds))
    figure = drawing.draw(found.ego, panels, node_class=found.classes, scale=scales, bar=bar, height=HEIGHT)
    text = bar if below else f"{differs},<br>difference"
    figure.update_layout({drawing.AXIS["difference"]: {"colorbar": {"title": {"text": text}}}})
    figure.update_annotations(align="left").update_traces(unselected_marker_opacity=1.0)  # a click fades nothing
    reach = 1.2 * figure.layout.xaxis.range[1]  # three panels are narrow, and numbers stand beside nodes
    return figure.update_xaxes(range=[-reach, reach]).update_layout(margin_t=84)


@dataclass(frozen=True)
class _Told:
    """What one layer says about the e edges of an ego-graph.

    ``values`` (e,) is its attention, and ``what`` says of which head; of a layer without ``heads`` it is ``cosine``
    (e,), that of the states at both ends.
    """

    title: str
    cosine: NDArray[np.float64]
    values: NDArray[np.float64]
    what: str
    heads: int = 0

    @property
    def attends(self) -> bool:
        return self.heads > 0


def _told(side: Side, stored: Layers, back: int, ego: Ego, head: Head) -> _Told:
    """What the layer of a side that is ``back`` layers before the logits says about the edges of an ego-graph."""
    place = len(stored.features) - 1 - back
    if place < 0:
        raise RunError(f"the hidden states of this layer are not stored: run {side.run.id} {stored.left_out}")
    edges = ego.nodes[ego.edge_index]
    features, attended = stored.features[place], stored.attention[place]
    if ego.nodes.max() >= len(features):
        raise RunError(f"the layers of run {side.run.id} are not of the nodes of its graph: run the spec again")
    title, cosine = f"{side.name}, {stored.names[place]}", edge_cosine(features, edges)
    if attended is None:
        return _Told(title, cosine, cosine, "cosine of states")
    return _Told(title, cosine, *_attention(attended, edges, head, len(features)), heads=attended[1].shape[1])


def _attention(
    attended: Attended, edges: NDArray[np.int64], head: Head, num_nodes: int
) -> tuple[NDArray[np.float64], str]:
    """Attention (e,) of one head, or of all where a layer has not so many, and what it is."""
    pairs, weight = attended
    values, heads = edge_attention(pairs, weight, edges, num_nodes), weight.shape[1]
    if head != "mean" and head < 1:
        raise UsageError(f"heads are numbered from 1, so there is no head {head}")
    if heads == 1 or head == "mean" or head > heads:
        return values.mean(axis=1), "attention" if heads == 1 else f"attention, mean of {heads} heads"
    return values[:, head - 1], f"attention, head {head} of {heads}"


def degrees(run: Run) -> NDArray[np.integer]:
    """Numbers of in-neighbours (N,) of a run's nodes; RunError where its edges cannot be drawn."""
    graph = read_graph_arrays(run)
    graph.edges(run)
    return graph.degree


def _ego(run: Run, node: int | None) -> tuple[Ego, NDArray[np.integer]]:
    """The graph around a node, and the classes (m,) of those that are shown."""
    graph = read_graph_arrays(run)
    node = node_to_show(graph.degree) if node is None else node
    ego = ego_graph(graph.edges(run), len(graph.y), node)
    return ego, graph.y[ego.nodes]
