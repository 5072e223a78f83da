"""What is chosen on the Local structure page: how shares are made and held against each other, and a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench.errors import UsageError, WorkbenchError
from workbench.pages import class_mode
from workbench.pages.frame import choose
from workbench.runs.folder import Run
from workbench.runs.side import Side

KERNELS = {
    "rbf": "RBF, exp(−‖·‖² / 2σ²)",
    "l2": "L2, ‖·‖²",
    "poly": "Polynomial, (zᵢᵀzⱼ)²",
    "linear": "Linear, zᵢᵀzⱼ",
    "laplace": "Laplace, exp(−‖·‖₁ / 100)",
    "cosine": "Cosine",
    "cosine_squared": "Cosine, squared",
    "l2_norm": "Distance, ‖·‖",
}
WIDTHS = (0.1, 0.3, 1.0, 3.0, 10.0)
ORDERS = {"student_teacher": "right ‖ left", "teacher_student": "left ‖ right"}
NODE, SEEN, GRAPH = "local-node", "local-node-seen", "local-node-graph"  # what the field holds, in the session


def choices(right: Side) -> tuple[str, float, str]:
    """How shares are made and held against each other; by default as in the run's own LSP, else as in the paper."""
    own = _own_lsp(right.run)
    kernel_cell, sigma_cell, direction_cell = st.columns(3)
    with kernel_cell:
        help = (
            "The similarity SIM of two neighbours, whose softmax is the share. RBF, L2, poly and linear are the "
            "paper's, Laplace is its code's; the others are those of the G-CRD code."
        )
        kernel = choose(
            st.selectbox, "Similarity", "kernel", list(KERNELS), _among(own.get("kernel"), KERNELS, "rbf"),
            format_func=KERNELS.__getitem__, help=help,
        )  # fmt: skip
    usual = own.get("sigma")
    usual = float(usual) if isinstance(usual, int | float) and usual > 0 else 1.0
    sigma = f"{usual:g}"
    if kernel == "rbf":
        with sigma_cell:
            widths = [f"{width:g}" for width in sorted({*WIDTHS, usual})]
            help = "Nodes farther apart than this count as equally far: a small width tells near neighbours apart."
            sigma = choose(st.select_slider, "Width σ", "sigma", widths, sigma, help=help)
    with direction_cell:
        help = "KL(right ‖ left) with the student on the right: the paper's. The public codes have the reverse."
        direction = choose(
            st.segmented_control, "Divergence KL", "direction", list(ORDERS),
            _among(own.get("direction"), ORDERS, "student_teacher"),
            format_func=ORDERS.__getitem__, required=True, help=help,
        )  # fmt: skip
    return kernel, float(sigma), direction


def _own_lsp(run: Run) -> Mapping[str, Any]:
    """The options of the run's own LSP, as far as its spec can be read."""
    try:
        return next(part for part in run.document["method"] if part.get("name") == "lsp")
    except (WorkbenchError, StopIteration, AttributeError, TypeError):
        return {}


def _among(value: Any, known: Mapping[str, str], default: str) -> str:
    return value if isinstance(value, str) and value in known else default


def node_field(graph: str, default: int | None) -> str:
    """What stands in the node field, kept in the address; a node of another graph is forgotten."""
    state, given = st.session_state, st.query_params.get("node")
    if given is not None and given != state.get(SEEN):
        state[NODE] = given
    elif NODE not in state:
        state[NODE] = given or ""
    elif state.get(GRAPH) != graph:
        state[NODE] = ""
    if class_mode.hidden("node", "Node"):
        text = state[NODE] = state[NODE]  # a field that is not drawn would be forgotten
    else:
        help = "A number. Empty: the worst matched node with 3 to 20 neighbours. A click on a node chooses it as well."
        hint = "" if default is None else f"{default}, the worst matched"
        text = st.text_input("Node", key=NODE, placeholder=hint, help=help, width=320)
    text = (text or "").strip()
    if text:
        st.query_params["node"] = text
    else:
        st.query_params.pop("node", None)
    state.update({SEEN: text or None, GRAPH: graph})
    return text


def node_of_graph(text: str, count: int) -> int:
    """Raises UsageError for what is no node of a graph with ``count``."""
    try:
        node = int(text)
    except ValueError:
        node = -1
    if not 0 <= node < count:
        raise UsageError(f"there is no node “{text[:24]}” in this graph: write a number from 0 to {count - 1}")
    return node


def go_to(node: Any) -> None:
    """Write a node into the field, from a callback."""
    st.session_state[NODE] = str(int(node))
