"""Delete a run, and have it back: at once, or from the list of what was deleted."""

from __future__ import annotations

import time

import streamlit as st

from workbench.pages.frame import explained
from workbench.pages.wording import duration, plain
from workbench.runs.folder import Run

LAST = "deleted"  # the last deletion of this session: the run's id, and the name of its folder in the trash
HELP = "Into the trash, from where it can be put back for a week. Its teacher stays in the cache."


def delete_button(run: Run) -> None:
    """Delete a run that is not going on, and show the others."""
    if not st.button("Delete", icon=":material/delete:", help=HELP, key=f"delete-{run.id}", width="stretch"):
        return
    from workbench.runs.trash import delete

    deleted = delete(run)
    st.session_state[LAST] = (run.id, deleted.path.name)
    st.query_params.pop("run", None)
    st.rerun()


def undo_offer() -> None:
    """The last deletion of this session, and how to take it back."""
    if LAST not in st.session_state:
        return
    id, name = st.session_state[LAST]
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/delete: Run {plain(id)} was deleted.", width="content")
        if st.button("Undo", icon=":material/undo:", key="undo-delete"):
            _restore(name)


def deleted_list() -> None:
    """Runs that can still be had back, whoever deleted them."""
    from workbench.runs.trash import MOST_RUNS, MOST_SECONDS, deleted_runs

    found = deleted_runs()
    if not found:
        return
    with st.expander(f"Deleted runs: {len(found)}", icon=":material/delete:"):
        st.caption(f"Kept for {MOST_SECONDS // 86400} days, the last {MOST_RUNS}; then gone with the next deletion.")
        for each in found:
            name, button = st.columns([5, 1], vertical_alignment="center")
            name.markdown(f"{plain(each.id)} · {duration(time.time() - each.when)} ago")
            if button.button("Put back", icon=":material/undo:", key=f"restore-{each.path.name}", width="stretch"):
                _restore(each.path.name)


def _restore(name: str) -> None:
    from workbench.runs.trash import restore

    st.session_state.pop(LAST, None)
    with explained():
        st.query_params["run"] = restore(name).id
        st.rerun()
