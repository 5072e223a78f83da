"""Local structure: how similar a node is to each of its neighbours, in two models beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.pages import shown
from workbench.pages.frame import as_code, explained, note
from workbench.pages.local_choices import choices, go_to, node_field, node_of_graph
from workbench.pages.player import film
from workbench.pages.side_key import Place, place_of, side_of
from workbench.pages.slots import epoch_film, two_slots
from workbench.runs.side import Side, fingerprint_of

if TYPE_CHECKING:
    from workbench.plots.local_structure import Structure

WORST = 200  # rows of the table


def show() -> None:
    st.title("Local structure")
    st.markdown(
        "To which of its neighbours is a node most similar? LSP teaches a student to answer as its teacher does: "
        "for every node, a share for each neighbour."
    )
    with explained():
        slots = two_slots("local structure")
        if slots is None:
            return
        kernel, sigma, direction = choices(slots[1])
        film(_at_epoch)(place_of(slots[0]), place_of(slots[1]), kernel, sigma, direction)


def _at_epoch(at_left: Place, at_right: Place, kernel: Any, sigma: float, direction: Any) -> None:
    """Everything that changes with the epoch on the right and with the node."""
    from workbench.analysis.local_structure import telling_node
    from workbench.pages import local_arrays

    left, right = side_of(at_left), side_of(at_right)
    with explained():
        best = local_arrays.structure(left, right, kernel, sigma)
        # Of the best epoch, or the node would jump while the film is playing.
        default = telling_node(best.divergence(direction), best.degree)
        right = epoch_film(right)
        of = local_arrays.structure(left, right, kernel, sigma)
        divergence = of.divergence(direction)
        node = None
        with explained():
            text = node_field(fingerprint_of(left.run) or str(left.run.path), default)
            node = node_of_graph(text, len(of.y)) if text else default
        if default is None:
            st.info("No node of this graph has a neighbour: there is no local structure.", icon=":material/info:")
            return
        if node is not None:
            _neighbourhood(of, node, divergence, direction)
        _all_nodes(of, node, divergence, direction, (left, right))
        isolated = node is not None and not of.degree[node]
        _code(left, right, None if isolated else node, kernel, sigma, direction)


def _clicked(key: str) -> None:
    """Take the node of the point that was clicked; edges of a histogram have none."""
    for point in st.session_state[key].selection.points:
        if point.get("customdata") is not None:
            go_to(shown.carried(point))


def _neighbourhood(of: Structure, node: int, divergence: NDArray[np.float64], direction: Any) -> None:
    from workbench.plots.local_structure import draw_neighbourhood

    if not of.degree[node]:
        text = f"Node {node} is isolated: nothing sends to it, so it has no local structure. Choose another one."
        st.info(text, icon=":material/info:")
        return
    shown.figure(
        draw_neighbourhood(of, node, divergence, direction),
        f"node-{node}",
        (key := f"neighbourhood-{node}"),  # a new one for another node, in which nothing is clicked yet
        "The graph around one node twice, its edges coloured by the share of each neighbour, and the shares as bars.",
        "The shares of a node's neighbours add up to 100 %. Click a neighbour to go there; other edges are faint.",
        on_select=lambda: _clicked(key),
        selection_mode="points",
    )
    note(
        "KL is 0 where both sides give the same shares. The paper puts the student first, KL(student ‖ teacher); the "
        "public codes have the reverse."
    )


def _all_nodes(
    of: Structure, node: int | None, divergence: NDArray[np.float64], direction: Any, pair: tuple[Side, Side]
) -> None:
    from workbench.analysis.local_structure import worst_matched
    from workbench.pages.local_arrays import predicted
    from workbench.plots.local_divergence import draw_divergence

    st.subheader("The worst matched nodes first")
    shown.figure(
        draw_divergence(of, divergence, direction, node),
        "divergence",
        (key := f"divergence-{node}"),
        "A histogram of the divergence of all nodes, and every node by its number of neighbours and its divergence.",
        "The mean is the LSP loss, in the stored embeddings. A node with one neighbour is matched by every model.",
        on_select=lambda: _clicked(key),
        selection_mode="points",
    )
    order = worst_matched(divergence, of.degree, at_least=2)[:WORST]
    classes = (predicted(side) for side in pair)
    columns = {
        "node": order,
        "KL, nats": divergence[order].round(6),
        "neighbours": of.degree[order],
        "class": of.y[order],
        **{f"{name} says": found[order] for name, found in zip(of.names, classes, strict=True)},
    }

    rows = f"worst-nodes-{crc32(order.tobytes())}"  # another list has no row chosen

    def take() -> None:
        for row in st.session_state[rows].selection.rows:
            if row < len(order):
                go_to(order[row])

    kl = {"KL, nats": st.column_config.NumberColumn(format="%.3g")}
    how: dict[str, Any] = {"on_select": take, "selection_mode": "single-row", "column_config": kl, "height": 300}
    shown.table(columns, "worst-nodes", rows, **how)
    note(f"Click a row to look at its node. At most {WORST} nodes are listed, of those with 2 or more neighbours.")


def _code(left: Side, right: Side, node: int | None, kernel: str, sigma: float, direction: str) -> None:
    from workbench.pages.pair_snippet import pair_as_command, pair_as_python

    width = sigma if kernel == "rbf" else None
    chosen: dict[str, Any] = {"node": node, "kernel": kernel, "sigma": width, "direction": direction}
    lines = pair_as_python(left, right, "neighbourhood_divergence", **chosen).splitlines()
    if node is not None:
        lines = [*pair_as_python(left, right, "neighbourhood", **chosen).splitlines(), lines[-1]]
    as_code("\n".join(lines), pair_as_command(left, right))
