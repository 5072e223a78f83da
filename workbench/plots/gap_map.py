"""The knowledge gap on the map: which nodes both models have right, one of them, or none."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.analysis.node_sample import stratified_sample
from workbench.analysis.projection import pca
from workbench.errors import RunError, check_choice
from workbench.plots import theme
from workbench.plots.gap_arrays import By, Gap, Split, behind_bar, behind_cell, in_split, read_gap
from workbench.plots.markup import as_text
from workbench.runs.folder import Run
from workbench.runs.side import Side, sides

Projection = Literal["pca", "umap"]
AXES = {"pca": ("first principal component", "second principal component"), "umap": ("UMAP 1", "UMAP 2")}
SYMBOLS = ("circle", "diamond", "square", "x")  # of the four cases, beside theme.CASE_COLOURS
ORDER = (0, 3, 1, 2)  # what is drawn first is covered by what is rarer and says more
RING = theme.PALETTE[3]  # of no case
MOST = 20_000  # points that a browser draws at once
RINGED = 1_000  # more rings hide the map
HEIGHT = 560


def knowledge_gap(
    run: Run | Side,
    right: Run | Side | None = None,
    projection: Projection = "pca",
    split: Split = "test",
    by: By = "degree",
    bin: str | None = None,
    case: str | None = None,
    cell: tuple[int, int] | None = None,
) -> go.Figure:
    """The four cases of the nodes of a split, where the left model's embedding puts them.

    One run compares its teacher with its student. Rings mark the nodes of a ``bin`` of property ``by`` and of a
    ``case`` (``both right``, ``left only``, ``right only``, ``both wrong``), or else those behind a ``cell`` (true
    class, predicted class) of the confusion difference; none where all three are None. At most RINGED are ringed,
    those with the largest KL, and of more than MOST nodes a sample is drawn that keeps the share of every case.
    Raises UsageError for a wrong choice and RunError where the runs have no such arrays.
    """
    check_choice("projection", projection, get_args(Projection))
    first, second = sides(run, right)
    gap = read_gap(first, second)
    ringed = np.zeros(0, dtype=np.int64)
    if cell is not None:
        ringed = behind_cell(gap, split, cell)
    elif bin is not None or case is not None:
        ringed = behind_bar(gap, split, by, bin, case)
    return draw(places(first, projection), gap, in_split(gap, split), ringed[:RINGED], projection)


def places(side: Side, projection: Projection = "pca") -> NDArray[np.float32]:
    """Where the model puts every node (N, 2). A UMAP is stored of the best epoch only; RunError where it is not."""
    if projection == "pca":
        return pca(side.arrays("embedding")["embedding"]).astype(np.float32)
    stored = side.run.arrays("umap").get(side.who)
    if stored is None or stored.dtype.kind != "f" or stored.ndim != 2 or stored.shape[1] < 2 or side.epoch is not None:
        raise RunError(f"run {side.run.id} has no UMAP of its {side.name.lower()}: choose pca")
    return stored.astype(np.float32)


def sample(gap: Gap, own: NDArray[np.bool_], most: int = MOST) -> NDArray[np.int64]:
    """At most ``most`` of the nodes ``own`` (N,) bool, as numbers (m,), every case in proportion."""
    nodes = np.flatnonzero(own)
    return nodes[stratified_sample(gap.cases[nodes], most)]


def draw(
    points: NDArray[np.float32],
    gap: Gap,
    own: NDArray[np.bool_],
    ringed: NDArray[np.integer] | None = None,
    projection: Projection = "pca",
) -> go.Figure:
    """Shapes: points (N, 2), the nodes to show ``own`` (N,) bool, the nodes to ring (k,)."""
    if len(points) != len(own):
        raise RunError("the embedding is not of the same nodes as the graph: run the spec again")
    title = f"{as_text(gap.titles[0])}: where it puts the nodes"
    figure = make_subplots(1, 1, subplot_titles=[title])
    ringed = np.zeros(0, dtype=np.int64) if ringed is None else ringed
    nodes = np.union1d(sample(gap, own), ringed)
    size = float(np.clip(300 / np.sqrt(max(len(nodes), 1)), 4, 12))
    for case in ORDER:
        here = nodes[gap.cases[nodes] == case]
        marker = {"color": theme.CASE_COLOURS[case], "symbol": SYMBOLS[case], "opacity": 0.5 if case == 0 else 0.95}
        trace = _points(points, gap, here, {**marker, "size": size if case != 2 else 0.9 * size})
        # An empty trace keeps its place in the legend, which so stays the same over the epochs of a film.
        figure.add_trace(trace.update(name=as_text(gap.names[case]), showlegend=True, legendrank=1000 + case))
    if len(ringed):
        ring = {"color": RING, "symbol": "circle-open", "size": size + 9, "line": {"width": 2.5}}
        figure.add_trace(_points(points, gap, ringed, ring).update(name="listed", legendrank=1010))
    theme.finish(figure, HEIGHT)
    frame = {"showticklabels": False, "showgrid": False, "showline": True, "mirror": True, "linecolor": theme.GRID}
    figure.update_xaxes(title=AXES[projection][0], **frame)
    figure.update_yaxes(title=AXES[projection][1], scaleanchor="x", scaleratio=1, **frame)
    return figure.update_layout(legend_y=-0.1, dragmode="pan", hovermode="closest")


def _points(points: NDArray[np.float32], gap: Gap, nodes: NDArray[np.integer], marker: dict[str, Any]) -> Any:
    # (m, 5), exact for node numbers below 2^24
    facts = np.column_stack([nodes, gap.graph.y[nodes], gap.says[nodes], gap.divergence[nodes]]).astype(np.float32)
    left, right = map(as_text, gap.titles)
    lines = ["node %{customdata[0]:d}", "class %{customdata[1]:d}", f"{left} says %{{customdata[2]:d}}"]
    lines += [f"{right} says %{{customdata[3]:d}}", "KL %{customdata[4]:.2f} nats"]
    return go.Scattergl(
        x=points[nodes, 0],
        y=points[nodes, 1],
        mode="markers",
        marker=marker,
        customdata=facts,
        hovertemplate="<br>".join(lines) + "<extra></extra>",
    )
