"""Bring your own data to the form of a run."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.datasets.uploaded import MOST_MEGABYTES, Given, store
from workbench.errors import WorkbenchError
from workbench.pages import class_mode
from workbench.pages.snippets import OWN
from workbench.pages.wording import by_line, count, plain


def upload_part(dataset: str, key: str) -> None:
    """An uploader for data of one's own; ``key`` is that of the field for their path, which is filled in."""
    if dataset not in OWN or class_mode.hidden("upload", "Uploads"):
        return
    files, what = ("npz, csv", "one .npz, or nodes.csv and edges.csv") if dataset == "own" else ("csv", "one CSV file")
    number = st.session_state.setdefault(f"{key}-uploads", 0)
    given = st.file_uploader(
        f"Upload {what} (at most {MOST_MEGABYTES} MB)",
        type=[*files.split(", "), *(["gz"] if dataset == "own-events" else [])],
        accept_multiple_files=True,
        max_upload_size=MOST_MEGABYTES,
        key=f"{key}-upload-{number}",
        help="It is read as a run reads it, and kept in the data folder only if nothing is wrong with it. Larger data "
        "are given by their path below.",
    )
    if given:
        _take(dataset, given, key)
        return
    path, news = st.session_state.get(f"{key}-news", (None, ""))
    if path and st.session_state.get(key) == path:  # nobody has typed another one since
        st.success(news, icon=":material/check:")


def _take(dataset: str, given: Sequence[Given], key: str) -> None:
    seen, fault = [getattr(file, "file_id", "") for file in given], f"{key}-fault"
    if st.session_state.get(fault, ([], ""))[0] != seen:  # a fault is found once, not at every move of a slider
        try:
            with st.spinner("Reading it …"):
                stored = store(dataset, given)
        except WorkbenchError as error:
            st.session_state[fault] = (seen, by_line(error))
        else:
            sizes = ", ".join(f"{count(number)} {what}" for what, number in stored.sizes.items())
            news = f"“{plain(stored.name)}” was read and kept: {sizes}."
            state = {
                key: str(stored.path),
                f"{key}-news": (str(stored.path), news),
                f"{key}-uploads": st.session_state[f"{key}-uploads"] + 1,
            }
            st.session_state.update(state)  # a new, empty uploader lets go of the bytes
            st.rerun()
    st.error(st.session_state[fault][1], icon=":material/error:")
