"""LSP on five nodes, one of which is dragged."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.analysis import toys
from workbench.pages.frame import choose
from workbench.pages.toys import Picture, Toy

PLACES = [round(-3 + 0.1 * step, 1) for step in range(61)]
WIDTHS = [0.25, 0.5, 1.0, 2.0, 4.0]
DIRECTIONS = {"student-first": "student ‖ teacher", "teacher-first": "teacher ‖ student"}


def show() -> Picture:
    across = choose(
        st.select_slider,
        "Student's node A, first feature",
        "local-place",
        PLACES,
        2.2,
        help="Where the student puts node A. The teacher has it at 1.",
    )
    kernel = choose(
        st.selectbox,
        "Kernel",
        "local-kernel",
        list(toys.EDGE_KERNELS),
        help="How similar two neighbours are: rbf is the paper's, laplace that of the authors' code.",
    )
    choices: dict[str, Any] = {"across": across, "kernel": kernel}
    if kernel == "rbf":
        choices["sigma"] = choose(
            st.select_slider,
            "Width σ of the kernel",
            "local-width",
            WIDTHS,
            1.0,
            help="Beyond it, all are equally far.",
        )
    direction = choose(
        st.segmented_control,
        "Order of the divergence",
        "local-order",
        list(DIRECTIONS),
        format_func=DIRECTIONS.__getitem__,
        required=True,
        help="The paper takes the student first, the public codes the teacher.",
    )
    apart = toys.local_divergence(student_first=direction == "student-first", **choices)
    return Picture(
        "local_structure",
        choices,
        {
            "KL of the centre": (
                f"{apart:.3f}",
                "In nats. LSP averages it over all nodes; here only the centre has edges.",
            )
        },
        "Five nodes of teacher and student, and bars: how the centre's similarity is spread over its neighbours.",
        "Only similarities are compared, never places: a student of another width, or turned about, can have a loss "
        "of 0.",
    )


TOY = Toy(
    "Drag A away. With **rbf** no neighbour gets more than e ≈ 2.7 times as much as another, however far it is; with "
    "**l2**, whose sign the paper prints as plus, the farthest one takes it all.",
    show,
    "local-",
)
