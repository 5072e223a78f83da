"""One snapshot of a graph that changes, its links coloured by what became of them, in a layout that does not jump."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.analysis.evolution import Links, link_changes
from workbench.analysis.snapshot_layout import Places, evolving_layout
from workbench.plots import theme
from workbench.plots.evolution_arrays import Snapshots, check_snapshot, read_snapshots
from workbench.plots.evolution_nodes import (
    BORN,
    DEAD,
    KEPT,
    community_legend,
    legend_entry,
    node_facts,
    node_marker,
    plain_axes,
)
from workbench.runs.folder import Run

HEIGHT = 640
MOST_NODES = 1000
GLIDING = 1200  # distinct links over all snapshots up to which nodes glide from one to the next; more would stutter
DRAWN_WELL = 3000  # links up to which a browser draws them at once; more go to WebGL
GLIDE_MS = 500
LINKS = {  # drawn in this order, the nodes on top
    "dead": ("dead link", {"color": DEAD, "width": 1, "dash": "dot"}),
    "kept": ("kept link", {"color": KEPT, "width": 1}),
    "born": ("born link", {"color": BORN, "width": 1.5}),
}


@dataclass(frozen=True)
class Evolution:
    """Links over time and the places (T, N, 2) of their nodes, NaN for nodes that are not drawn."""

    sequence: Snapshots
    places: Places

    @cached_property
    def shown(self) -> NDArray[np.int64]:
        """The nodes that are drawn in at least one snapshot."""
        return np.flatnonzero(np.isfinite(self.places[..., 0]).any(axis=0))

    @cached_property
    def union(self) -> Links:
        """Every link that there ever is between nodes that are drawn, once."""
        drawn = np.zeros(len(self.sequence.birth), dtype=bool)
        drawn[self.shown] = True
        every = np.concatenate(self.sequence.links, axis=1)
        return link_changes(every[:, :0], every[:, drawn[every].all(axis=0) & (every[0] != every[1])])[0]

    @property
    def glides(self) -> bool:
        """Whether the graph is small enough for nodes that glide from snapshot to snapshot."""
        return self.union.shape[1] <= GLIDING

    @property
    def scatter(self) -> Any:
        """One kind of trace for all: what WebGL draws lies on top of everything else."""
        most = max(links.shape[1] for links in self.sequence.links)
        return go.Scatter if min(most, self.union.shape[1]) <= DRAWN_WELL else go.Scattergl

    @property
    def reach(self) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Lowest and highest places (2,) in all snapshots."""
        flat = self.places[np.isfinite(self.places[..., 0])]
        return (flat.min(axis=0), flat.max(axis=0)) if len(flat) else (np.zeros(2), np.ones(2))

    def changes(self, snapshot: int) -> dict[str, Links]:
        """Links born, kept and dead since the snapshot before, loops left out; in the first one all are born."""
        now = self.sequence.links[snapshot]
        before = self.sequence.links[snapshot - 1] if snapshot else now[:, :0]
        changed = link_changes(_proper(before), _proper(now))
        return dict(zip(("born", "kept", "dead"), changed, strict=True))


def evolution(run: Run, step: int, most_nodes: int = MOST_NODES) -> go.Figure:
    """Snapshot ``step`` of a run's graph: links born, kept and dead since the snapshot before.

    Nodes are coloured by true community where that is known, else by birth, and have the same places in all
    snapshots up to a bound (see :func:`workbench.analysis.snapshot_layout.evolving_layout`). Of larger graphs the
    ``most_nodes`` nodes with most links are drawn, which the title says. Raises UsageError for a snapshot that
    there is not and RunError where the run has none.
    """
    sequence = read_snapshots(run)
    check_snapshot(step, sequence)  # before the costly part
    return draw(lay_out(sequence, most_nodes), step)


def lay_out(sequence: Snapshots, most_nodes: int = MOST_NODES) -> Evolution:
    """Places for all snapshots at once: the costly part, the same for every step."""
    return Evolution(sequence, evolving_layout(sequence.links, sequence.birth, most_nodes=most_nodes))


def draw(of: Evolution, snapshot: int) -> go.Figure:
    """The figure of one snapshot, with the axes of all. Raises UsageError for a snapshot that there is not."""
    check_snapshot(snapshot, of.sequence)
    figure = make_subplots(1, 1, subplot_titles=[f"{of.sequence.when(snapshot)}: {_told(of, snapshot)}"])
    figure.add_traces(traces(of, snapshot))
    figure.add_traces(legend(of.sequence))
    theme.finish(figure, HEIGHT).update_annotations(align="left")
    plain_axes(figure, *of.reach)
    if of.glides:
        figure.update_layout(transition={"duration": GLIDE_MS, "easing": "cubic-in-out"})
    return figure.update_layout(dragmode="pan", hovermode="closest")


def traces(of: Evolution, snapshot: int) -> list[Any]:
    """Dead, kept and born links, and the nodes that are there: the same four traces in all snapshots, so that a film
    can move one into the next."""
    changed = of.changes(snapshot)
    places = _places_at(of, snapshot)
    drawn = []
    count = of.sequence.links[snapshot].shape[1]
    faint = float(np.clip(14 / np.sqrt(count or 1), 0.2, 0.9))  # or many links would hide each other
    for kind, (_, line) in LINKS.items():
        x, y = _strokes(of, changed[kind], places)
        simplify = {"simplify": False} if of.glides else {}
        how = {"mode": "lines", "line": {**line, **simplify}, "opacity": faint, "hoverinfo": "skip"}
        drawn.append(of.scatter(x=x, y=y, name=kind, showlegend=False, **how))
    return [*drawn, _node_trace(of, snapshot)]


def legend(sequence: Snapshots) -> list[Any]:
    """What colours mean, the same in all snapshots."""
    links = [legend_entry(LINKS[kind][0], "lines", line=LINKS[kind][1]) for kind in ("born", "kept", "dead")]
    return [*links, *community_legend(sequence)]


def _node_trace(of: Evolution, snapshot: int) -> Any:
    nodes, sequence = np.flatnonzero(np.isfinite(of.places[snapshot, :, 0])), of.sequence
    degree = np.bincount(_proper(sequence.links[snapshot]).ravel(), minlength=len(sequence.birth))[nodes]
    newborn = (sequence.birth[nodes] == snapshot) & (snapshot > 0)  # in the first, all are
    scale = float(np.clip(16 / max(len(of.shown), 1) ** 0.25, 1.5, 5))
    marker = {
        "size": (scale * (1 + np.sqrt(np.minimum(degree, 36)) * 0.6) + 2).astype(np.float32),
        "opacity": np.where(degree > 0, 0.95, 0.35).astype(np.float32),
        "line": {"color": np.where(newborn, BORN, "white"), "width": np.where(newborn, 2.5, 0.7).astype(np.float32)},
        **node_marker(sequence, snapshot, nodes),
    }
    facts, hover = node_facts(sequence, snapshot, nodes)
    facts = np.column_stack([facts, degree]).astype(np.int32)
    hover = hover.replace("<extra>", "<br>%{customdata[3]} links<extra>")
    x, y = of.places[snapshot, nodes].T
    how = {"mode": "markers", "marker": marker, "customdata": facts, "hovertemplate": hover, "name": "nodes"}
    return of.scatter(x=x, y=y, ids=nodes.astype(str), showlegend=False, **how)


def _strokes(of: Evolution, links: Links, places: Places) -> tuple[NDArray[Any], NDArray[Any]]:
    """Ends of links with gaps between (3L,), as one line.

    For a film that glides, every link that there ever is has its stroke in every snapshot, of no length while
    it is not there.
    """
    if of.glides:
        ends = places[of.union]  # (2, U, 2)
        wanted = np.isin(_key(of.union), _key(links))
        ends = np.where(wanted[None, :, None], ends, ends.mean(axis=0))
    else:
        ends = places[links]
        ends = ends[:, np.isfinite(ends).all(axis=(0, 2))]
    line = np.concatenate([ends, np.full_like(ends[:1], np.nan)])  # (3, L, 2)
    x, y = line.transpose(2, 1, 0).reshape(2, -1)
    return x, y


def _places_at(of: Evolution, snapshot: int) -> Places:
    """Places (N, 2) of all nodes; one that is not yet born stands where it will be."""
    there = np.isfinite(of.places[..., 0])
    first = there.argmax(axis=0)
    return of.places[np.maximum(snapshot, first), np.arange(len(first))]


def _told(of: Evolution, snapshot: int) -> str:
    """Counts over the whole graph, and how much of it is drawn."""
    counts = {kind: links.shape[1] for kind, links in of.changes(snapshot).items()}
    text = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    total = len(of.sequence.birth)
    return text + (f"<br>the {len(of.shown):,} of {total:,} nodes with most links" if len(of.shown) < total else "")


def _proper(links: Links) -> Links:
    return links[:, links[0] != links[1]]


def _key(links: Links) -> NDArray[np.int64]:
    return links[0].astype(np.int64) << 32 | links[1]
