"""Learn: one card for every method, with its formula, its code and a toy that moves."""

from __future__ import annotations

import streamlit as st

from workbench.pages.frame import choose, explained
from workbench.pages.wording import plain

FIRST = "lsp"
ORDER = ("kd", "glnn", "fitnet", "at", "lsp", "gsp", "gcrd", "abkd", "distill2vec", "label-smoothing", "none")


def show() -> None:
    st.title("Learn")
    with st.spinner("Opening the papers …"):
        from workbench.registry import methods

        names = list(methods)
    names.sort(key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))  # as they build on another
    name = choose(
        st.pills,
        "Method",
        "paper",
        names,
        FIRST if FIRST in names else names[0],
        format_func=lambda name: plain(methods[name].title or name),
        required=True,
        help="From matching answers to matching structure; the last two are controls.",
    )
    _forget_other_toys(name)
    from workbench.pages.paper_card import card

    with explained():
        card(methods[name])


def _forget_other_toys(name: str) -> None:
    """Leave in the address only the sliders of the toy that is shown."""
    from workbench.pages.toys import MODULES, toy_of

    shown = toy_of(name)
    for other in MODULES:
        toy = toy_of(other)
        if toy is not None and (shown is None or toy.prefix != shown.prefix):
            for key in [key for key in st.query_params if key.startswith(toy.prefix)]:
                del st.query_params[key]
