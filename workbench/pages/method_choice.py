"""The methods of a form: which ones, with their options, and whether they add up or are compared."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from workbench.methods.base import Method
from workbench.pages.forms import KEEP, option_form
from workbench.pages.starts import Start
from workbench.pages.wording import plain
from workbench.registry import methods

Several = Literal["sum", "compare"]
SEVERAL: dict[Several, str] = {"sum": "Add them up", "compare": "Compare methods"}


def method_part(start: Start) -> tuple[list[dict[str, Any]], bool]:
    """Choose one or several methods; each with its formula, paper and options. Whether they are to be compared."""
    st.subheader("Method")
    fitting = [name for name in methods if start.task in methods[name].tasks]
    known = {part["name"]: part for part in start.shown["method"] if part["name"] in fitting}
    names = st.multiselect(
        "Methods",
        fitting,
        default=list(known),
        format_func=lambda n: methods[n].title or n,
        key=f"{start.key}-methods",
        persist_state=KEEP,
        help="What the student is to take from its teacher. Several can be one sum, or be compared.",
    )
    compare = len(names) > 1 and _several(start) == "compare"
    return [_one_method(start, name, known.get(name), alone=len(names) == 1) for name in names], compare


def _several(start: Start) -> Several:
    chosen: Several = st.segmented_control(
        "Several methods",
        list(SEVERAL),
        default="sum",
        required=True,
        format_func=SEVERAL.__getitem__,
        key=f"{start.key}-several",
        persist_state=KEEP,
        help="Added up, they are one loss for one student. Compared, each has runs of its own: one per seed, all "
        "with the same teacher, which is trained once per seed.",
    )
    return chosen


def _one_method(start: Start, name: str, shown: Any, alone: bool) -> dict[str, Any]:
    config: type[Method] = methods[name]
    with st.expander(plain(config.title or name), expanded=alone):
        if config.formula:
            for line in config.formula.split(r", \quad "):  # a long one would be cut at the right
                st.latex(line)
        paper = getattr(config, "paper", None)
        if paper is not None:
            st.caption(
                f"[{plain(paper.authors)}: {plain(paper.title)}]({paper.url}), {plain(paper.venue)} {paper.year}"
            )
        if config.decisions:
            with st.popover("Where the papers are silent", icon=":material/info:"):
                for decision in config.decisions:
                    st.markdown(f"- {plain(decision)}")
        return {"name": name, **option_form(config, f"{start.key}-method-{name}", start=shown)}
