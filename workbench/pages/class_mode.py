"""Class mode: ``?mode=class&hide=right-run,code`` leaves a lecturer's page with the chosen controls only.

A control is hidden by the name that its value has in the address; besides those there are :data:`PARTS`. A hidden
control keeps the value that the address gives it. The mode goes along from page to page; ``?mode=full`` ends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

PARTS: Mapping[str, str] = {
    "navigation": "Menu of pages",
    "code": "Copy as Python or as a command",
    "downloads": "Downloads",
    "share": "Links to this view",
    "notes": "Explanations below figures",
    "tables": "Tables",
}
MODES = ("class", "full")
HELP = "What is chosen here is left out; its values stay as they are now."
STATE, SEEN = "class-mode", "controls-here"


def begin() -> None:
    """Read the mode from the address, or put it back there after a change of page. Once per run of the script."""
    st.session_state[SEEN] = {}
    mode = st.query_params.get("mode")
    if mode is None and STATE in st.session_state:
        st.query_params.update({"mode": "class", "hide": ",".join(sorted(st.session_state[STATE]))})
    elif mode == "class":
        words = [word.strip() for word in st.query_params.get("hide", "").split(",") if word.strip()]
        names = {word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)}
        if len(names) < len(set(words)):
            st.toast("Some names to hide in this address are none of a control.", icon=":material/warning:")
        st.session_state[STATE] = frozenset(names)
    elif mode is not None:
        st.session_state.pop(STATE, None)
        st.query_params.pop("mode")
        st.query_params.pop("hide", None)
        if mode not in MODES:
            st.toast("There is no such mode in this workbench; showing everything.", icon=":material/warning:")


def hidden(name: str, label: str | None = None) -> bool:
    """Whether the control or part ``name`` is left out; ``label`` offers it in the builder of links."""
    if label:
        st.session_state.setdefault(SEEN, {})[name] = label
    return name in st.session_state.get(STATE, ())


def address(hide: list[str] | None = None) -> str:
    """The present page with everything chosen on it, to be put behind the address of the app; for a class where
    something is to be hidden."""
    chosen = {key: value for key, value in st.query_params.items() if key not in ("mode", "hide")}
    if hide is not None:
        chosen |= {"mode": "class", "hide": ",".join(hide)}
    return f"?{urlencode(chosen, safe=',')}"


def share() -> None:
    """Links to what is on the screen: as it is, and for a class."""
    if hidden("share"):
        return
    with st.popover("Link to this view", icon=":material/link:"):
        page = (st.context.url or "").split("?")[0]
        st.markdown("The same thing on another screen:")
        st.code(page + address(), language=None, wrap_lines=True)
        known = {**PARTS, **st.session_state.get(SEEN, {})}
        hide = st.multiselect(
            "For a class, without", list(known), format_func=known.__getitem__, key="hide-in-class", help=HELP
        )
        if hide:
            st.code(page + address(hide), language=None, wrap_lines=True)
            st.caption("`?mode=full` ends class mode.")
