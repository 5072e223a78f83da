"""One node's distribution over its neighbours in two models beside each other: what LSP matches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.analysis.ego_graph import ego_graph
from workbench.analysis.local_structure import (
    Direction,
    Floats,
    Kernel,
    neighbour_log_distribution,
    neighbour_shares,
    node_divergence,
    telling_node,
)
from workbench.errors import RunError, UsageError
from workbench.plots import theme
from workbench.plots.ego_graph import place
from workbench.plots.markup import as_text
from workbench.runs.folder import Run
from workbench.runs.graph_arrays import read_graph_arrays
from workbench.runs.side import Side, sides, titles

HEIGHT = 740
BARS = 25  # neighbours with a bar of their own
COLOURS = (theme.TEACHER, theme.STUDENT)  # left and right


@dataclass(frozen=True)
class Structure:
    """Neighbours and their shares in two models of N nodes.

    ``edge_index`` (2, E) and ``y`` (N,) are the graph and its classes; ``log_left`` and ``log_right`` (E,) the
    logarithms of the shares; ``names`` how the two are called.
    """

    edge_index: NDArray[np.integer]
    y: NDArray[np.integer]
    log_left: Floats
    log_right: Floats
    names: tuple[str, str]

    @cached_property
    def degree(self) -> NDArray[np.int64]:
        """In-edges of every node (N,)."""
        return np.bincount(self.edge_index[1], minlength=len(self.y))

    def divergence(self, direction: Direction = "student_teacher") -> Floats:
        """KL(right ‖ left) of every node (N,) in nats, or KL(left ‖ right) for "teacher_student"."""
        return node_divergence(self.log_right, self.log_left, self.edge_index, len(self.y), direction)

    def order(self, direction: Direction) -> str:
        """``KL(student ‖ teacher)``, as a figure says it."""
        left, right = (name.split(" (")[0].lower() for name in self.names)
        if left == right:
            left, right = "left", "right"
        return f"KL({right} ‖ {left})" if direction == "student_teacher" else f"KL({left} ‖ {right})"


def neighbourhood(
    left: Run | Side,
    right: Run | Side | None = None,
    node: int | None = None,
    kernel: Kernel = "rbf",
    sigma: float = 1.0,
    direction: Direction = "student_teacher",
    epoch: int | None = None,
) -> go.Figure:
    """How the shares of one node's in-neighbours differ between two models: on its ego-graph and as bars.

    Shares are the distribution that LSP matches (see :func:`workbench.analysis.local_structure.neighbour_distribution`)
    in the stored embeddings. One run gives its teacher on the left and its student on the right, two runs give their
    students; ``epoch`` shows the right one at one of its kept epochs. ``node`` is by default the worst matched one
    with 3 to 20 neighbours. The title says its divergence, the right model first as the student is in the paper, or
    last with ``direction="teacher_student"``. Raises
    UsageError for a node that there is not or that has no neighbours and for other wrong choices, and RunError where
    a run has no such arrays.
    """
    of = read_structure(*at_epoch(sides(left, right), epoch), kernel, sigma)
    divergence = of.divergence(direction)
    chosen = telling_node(divergence, of.degree) if node is None else node
    if chosen is None:
        raise UsageError("no node of this graph has a neighbour: there is no local structure to compare")
    return draw_neighbourhood(of, chosen, divergence, direction)


def at_epoch(pair: tuple[Side, Side], epoch: int | None) -> tuple[Side, Side]:
    """The same two sides, the right one at a kept epoch where one is given."""
    left, right = pair
    return left, right if epoch is None else Side(right.run, right.who, epoch)


def read_structure(left: Side, right: Side, kernel: Kernel = "rbf", sigma: float = 1.0) -> Structure:
    """The shares of both sides; RunError where arrays are missing or do not fit each other."""
    edge_index, y = read_graph(left.run)
    logs = [read_log_shares(side, edge_index, len(y), kernel, sigma) for side in (left, right)]
    return Structure(edge_index, y, logs[0], logs[1], titles(left, right))


def read_graph(run: Run) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Edges (2, E) and classes (N,) of a run's graph; RunError where they are missing or damaged."""
    graph = read_graph_arrays(run)
    return graph.edges(run), graph.y


def read_log_shares(
    side: Side, edge_index: NDArray[np.integer], num_nodes: int, kernel: Kernel, sigma: float
) -> Floats:
    """Logarithms of the shares (E,) of a model."""
    embedding = side.arrays("embedding")["embedding"]
    if embedding.ndim != 2 or len(embedding) != num_nodes or embedding.dtype.kind not in "fiu":
        raise RunError(f"the arrays of run {side.run.id} are not of the same nodes: run the spec again")
    if not np.isfinite(embedding).all():
        raise RunError(f"the embedding of run {side.run.id} holds numbers that are not finite: its training went wrong")
    return neighbour_log_distribution(embedding, edge_index, num_nodes, kernel, sigma)


def check_node(of: Structure, node: int) -> None:
    """Raises UsageError for a node that there is not."""
    if not 0 <= node < len(of.y):
        raise UsageError(f"there is no node {node}: this graph has the nodes 0 to {len(of.y) - 1}")


def draw_neighbourhood(
    of: Structure, node: int, divergence: Floats, direction: Direction = "student_teacher"
) -> go.Figure:
    """The ego-graph of a node twice and bars below. Shapes: divergence (N,). A point carries its node first."""
    check_node(of, node)
    degree = int(of.degree[node])
    if not degree:
        raise UsageError(f"node {node} has no neighbours that send to it: choose another one")
    figure = make_subplots(
        2,
        2,
        specs=[[{}, {}], [{"colspan": 2}, None]],
        subplot_titles=[*map(as_text, of.names), _count("neighbour", degree) + ", by share on the left"],
        row_heights=[0.64, 0.36],
        vertical_spacing=0.1,
        horizontal_spacing=0.03,
    )
    ego = ego_graph(of.edge_index, len(of.y), node)
    inward = ego.edge_index[1] == 0  # other edges belong to distributions of other nodes
    shares = [np.where(inward, np.exp(log[ego.edges]), np.nan) for log in (of.log_left, of.log_right)]
    panels = {"left": shares[0], "right": shares[1]}  # titles stand on the figure: two runs may have the same
    place(figure, ego, panels, node_class=of.y[ego.nodes], bar="share")
    figure.add_traces(_bars(of, node), rows=2, cols=1)
    figure.update_xaxes(title="neighbour (number of the node)", type="category", showgrid=False, row=2)
    figure.update_yaxes(title="share", tickformat=".0%", rangemode="tozero", row=2)
    theme.finish(figure, HEIGHT)
    hidden = f"; {ego.left_out:,} of them are not in the graphs" if ego.left_out else ""
    title = f"Node {node}, class {of.y[node]}: {as_text(of.order(direction))} = {nats(divergence[node])}{hidden}"
    head = {"text": title, "x": 0, "xanchor": "left", "y": 1, "yanchor": "top", "yref": "container", "pad": {"t": 10}}
    figure.update_layout(title={**head, "font": {"size": theme.FONT + 3}}, barmode="group", bargap=0.25)
    figure.update_traces(unselected={"marker": {"opacity": 1}})  # a click chooses a node, and hides no other one
    return figure.update_layout(margin_t=96, legend_y=-0.13, dragmode="pan", hovermode="closest")


def _bars(of: Structure, node: int) -> list[Any]:
    """Both shares of every neighbour, those with most on the left first, and of the many last ones together."""
    neighbours, left = neighbour_shares(of.log_left, of.edge_index, node)
    _, right = neighbour_shares(of.log_right, of.edge_index, node)
    order = np.lexsort((neighbours, -left))
    shown, rest = order[:BARS], order[BARS:]
    labels = [f"{other} (itself)" if other == node else str(other) for other in neighbours[shown]]
    facts = [[int(other), f"node {other}, class {of.y[other]}"] for other in neighbours[shown]]
    if len(rest):
        labels.append(f"other {len(rest):,}")
        facts.append([node, f"{len(rest):,} other neighbours together"])
    bars = []
    for name, share, colour in zip(map(as_text, of.names), (left, right), COLOURS, strict=True):
        heights = np.append(share[shown], share[rest].sum())[: len(labels)]
        hover = f"%{{customdata[1]}}<br>{name}: <b>%{{y:.1%}}</b><extra></extra>"
        how = {"customdata": facts, "hovertemplate": hover, "legendrank": 900}  # before the classes
        bars.append(go.Bar(x=labels, y=heights, name=name, marker_color=colour, **how))
    return bars


def nats(value: float) -> str:
    """0.01234 -> ``0.0123 nats``."""
    if 0 < value < 1e-4:
        return "below 0.0001 nats"
    return f"{value:,.0f} nats" if value >= 1000 else f"{value:.3g} nats"


def _count(what: str, number: int) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
