"""KD: class probabilities at a temperature."""

from __future__ import annotations

import streamlit as st

from workbench.analysis import toys
from workbench.pages.frame import choose
from workbench.pages.toys import Picture, Toy

TEMPERATURES = [0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 20.0]
SHARES = [round(0.05 * step, 2) for step in range(21)]
KNOWS = "0: a student that is wrong. 1: its logits are its teacher's."


def show() -> Picture:
    temperature = choose(
        st.select_slider,
        "Temperature T",
        "soft-temperature",
        TEMPERATURES,
        4.0,
        help="Both logits are divided by it before the softmax.",
    )
    alpha = choose(
        st.select_slider, "Weight α of the soft labels", "soft-weight", SHARES, 0.9, help="1 − α stays for the label."
    )
    knows = choose(st.select_slider, "What the student knows", "soft-knows", SHARES, 0.3, help=KNOWS)
    student = toys.student_logits(knows)
    soft, hard = toys.soft_label_loss(student, toys.teacher_logits(), temperature), toys.cross_entropy(student, 0)
    return Picture(
        "soft_labels",
        {"temperature": temperature, "knows": knows},
        {
            "T² · KL": (f"{soft:.3f}", "The soft labels' term, in nats."),
            "Cross-entropy": (f"{hard:.3f}", "The label's term; the true class is cat."),
            "Loss": (f"{(1 - alpha) * hard + alpha * soft:.3f}", "(1 − α) · cross-entropy + α T² · KL."),
        },
        "Bars: class probabilities of teacher and student at this temperature; lines: KL and T² KL over temperatures.",
        "The KL alone fades as 1/T², and with it the pull on the student; the factor T² keeps it.",
    )


TOY = Toy(
    "Raise T: the teacher's second thoughts come out, a lynx is more like a cat than a horse is. At T = 1 they can "
    "hardly be seen.",
    show,
    "soft-",
)
