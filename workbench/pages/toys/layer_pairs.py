"""ABKD: attention over all pairs of layers."""

from __future__ import annotations

import streamlit as st

from workbench.analysis import layer_toys
from workbench.pages.frame import choose
from workbench.pages.toys import Picture, Toy

SHARES = [round(0.05 * step, 2) for step in range(21)]
SCALES = [0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0]


def show() -> Picture:
    alignment = choose(
        st.select_slider,
        "Alignment",
        "pairs-alignment",
        SHARES,
        0.5,
        help="0: the student's layers have nothing to do with the teacher's. 1: s1 is t1, s2 is t3, s3 is t4.",
    )
    scale = choose(
        st.select_slider,
        "Length of the projected features",
        "pairs-length",
        SCALES,
        1.0,
        help="The softmax has no temperature: longer features make a sharper map.",
    )
    teacher, student = layer_toys.paired_layers(alignment, scale)
    attention = layer_toys.layer_attention(teacher.mean(axis=1), student.mean(axis=1))
    apart = layer_toys.layer_dissimilarity(teacher, student)
    return Picture(
        "layer_pairs",
        {"alignment": alignment, "scale": scale},
        {
            "Loss": (f"{(attention * apart).mean():.3f}", "The mean of the last panel over all pairs."),
            "With equal attention": (
                f"{apart.mean() / len(student):.3f}",
                "The same with 1/3 everywhere: an ablation.",
            ),
        },
        "Three heat maps over four teacher and three student layers: attention, dissimilarity, and their product.",
        "Rows of A sum to one (Σ): every teacher layer shares itself among the student's layers. D compares rows of "
        "length one, so it is at most 4.",
    )


TOY = Toy(
    "Align the student: three rows find their layer, and **t2**, which has no counterpart, shares itself out. Then "
    "make the features longer: rows turn sharp even at alignment 0, where there is nothing to find.",
    show,
    "pairs-",
)
