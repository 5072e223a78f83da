"""Label smoothing: softer labels that no teacher made."""

from __future__ import annotations

import streamlit as st

from workbench.analysis import toys
from workbench.pages.frame import choose
from workbench.pages.toys import Picture, Toy
from workbench.pages.toys.soft_labels import KNOWS, SHARES


def show() -> Picture:
    epsilon = choose(
        st.select_slider,
        "Share ε spread over all classes",
        "smooth-share",
        SHARES,
        0.1,
        help="1 − ε stays with the true class.",
    )
    knows = choose(st.select_slider, "What the student knows", "smooth-knows", SHARES, 0.3, help=KNOWS)
    student = toys.student_logits(knows)
    hard, even = toys.cross_entropy(student, 0), toys.uniform_cross_entropy(student)
    return Picture(
        "smoothed_labels",
        {"epsilon": epsilon, "knows": knows},
        {
            "Cross-entropy": (f"{hard:.3f}", "In nats, against the label; the true class is cat."),
            "Against uniform": (f"{even:.3f}", "At least log 5 = 1.609: it is never content with being sure."),
            "Loss": (f"{(1 - epsilon) * hard + epsilon * even:.3f}", "(1 − ε) · first + ε · second."),
        },
        "Bars: a smoothed label beside the student's probabilities, and the two weighted terms of the loss.",
        "A control, not a distillation: if it gains as much as KD, softness was enough and knowledge was not needed.",
    )


TOY = Toy(
    "Let the student know everything and raise ε: being right is punished for being sure, and a lynx is as unlikely "
    "as a horse.",
    show,
    "smooth-",
)
