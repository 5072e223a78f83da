"""G-CRD: which teacher node each student node takes for its own."""

from __future__ import annotations

import math

import streamlit as st

from workbench.analysis import toys
from workbench.pages.frame import choose
from workbench.pages.toys import Picture, Toy

TEMPERATURES = [0.02, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0]
NOISES = [round(0.1 * step, 1) for step in range(31)]
NODES = list(range(2, 25))


def show() -> Picture:
    temperature = choose(
        st.select_slider,
        "Temperature τ",
        "contrast-temperature",
        TEMPERATURES,
        0.075,
        help="Sharpness of the choice among nodes. The paper takes 0.05 to 0.1.",
    )
    noise = choose(
        st.select_slider,
        "Noise of the student",
        "contrast-noise",
        NOISES,
        1.0,
        help="How far the student's features are from its teacher's; 0 is the teacher itself.",
    )
    nodes = choose(st.select_slider, "Nodes", "contrast-nodes", NODES, 8, help="All other nodes are negatives.")
    cosines = toys.contrast_scores(*toys.contrasted_nodes(nodes, noise))
    loss = toys.contrast_loss(cosines, temperature)
    right = (cosines.argmax(axis=1) == range(nodes)).mean()
    return Picture(
        "contrast",
        {"temperature": temperature, "noise": noise, "nodes": nodes},
        {
            "Loss": (f"{loss:.3f}", "Mean over nodes of −log of the diagonal on the right, in nats."),
            "By chance, log n": (f"{math.log(nodes):.3f}", "What any features cost as τ grows."),
            "Nearest is own": (f"{100 * right:.0f} %", "Student nodes whose nearest teacher node is their own."),
        },
        "Two heat maps: cosine of every student node with every teacher node, and its softmax over teacher nodes.",
        "Rows are the student's nodes. On the right each row sums to one, and the loss wants the diagonal bright.",
    )


TOY = Toy(
    "Raise τ: the choice melts away and the loss goes to **log n**, whatever the student knows. Add noise at a small "
    "τ: a few confident mistakes cost most.",
    show,
    "contrast-",
)
