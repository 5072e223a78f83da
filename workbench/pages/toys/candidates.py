"""Distill2Vec: beliefs about links of one node, over time."""

from __future__ import annotations

import streamlit as st

from workbench.analysis import layer_toys
from workbench.pages.frame import choose
from workbench.pages.toys import Picture, Toy

TEMPERATURES = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0]
SHARES = [round(0.1 * step, 1) for step in range(11)]
LAGS = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0]


def show() -> Picture:
    temperature = choose(
        st.select_slider,
        "Temperature τ",
        "links-temperature",
        TEMPERATURES,
        1.0,
        help="Softness of the choice among candidates.",
    )
    gamma = choose(
        st.select_slider, "Share γ of distillation", "links-share", SHARES, 0.5, help="1 − γ stays for the links."
    )
    lag = choose(
        st.select_slider,
        "The student is late by (snapshots)",
        "links-lag",
        LAGS,
        1.0,
        help="How long after its teacher it notices that the old friendship fades and the new one grows.",
    )
    knows = choose(
        st.select_slider,
        "Contrast of the student's scores",
        "links-contrast",
        SHARES,
        0.8,
        help="1: as sure as its teacher; 0: it tells no candidates apart.",
    )
    teacher, student = layer_toys.candidate_scores(lag, knows)
    apart = layer_toys.candidate_divergence(student, teacher, temperature).mean()
    links = layer_toys.link_loss(student)
    return Picture(
        "candidates",
        {"temperature": temperature, "lag": lag, "knows": knows},
        {
            "Distillation": (f"{apart:.3f}", "Mean of the KL over the snapshots, in nats."),
            "Links": (f"{links:.3f}", "The student's own loss on three links and three negatives."),
            "Loss": (f"{(1 - gamma) * links + gamma * apart:.3f}", "(1 − γ) · links + γ · distillation."),
        },
        "Heat maps of teacher and student: probability of six candidates over eight snapshots, and bars of the KL.",
        "The first three candidates are links, the others negatives. A column sums to one; embeddings may differ in "
        "width, since only scores are compared.",
    )


TOY = Toy(
    "Let the student be late: the KL peaks at the snapshots where the friendship changes. Then lower τ: the choice "
    "gets hard and the same lag costs far more.",
    show,
    "links-",
)
