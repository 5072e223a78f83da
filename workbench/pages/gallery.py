"""Gallery: finished examples, starting points, and how the latest runs are doing."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.pages.frame import explained, link, title
from workbench.pages.presets import PRESETS
from workbench.pages.run_rows import live_rows
from workbench.pages.tasks import look
from workbench.pages.wording import (
    JUDGES,
    count,
    dig,
    judged_by,
    milliseconds,
    percent,
    plain,
    relative_size,
    score,
    story,
)
from workbench.runs.folder import Run
from workbench.runs.store import demo_runs, list_runs, runs_root

COLUMNS = 3
STORY = "story.txt"  # in the folder of an example: what it shows, beyond its own numbers
RECENT = 8


def show() -> None:
    st.session_state.pop("started-from", None)  # a starting point chosen here again begins afresh
    st.title("Distil a large graph neural network into a small one")
    st.markdown("Train a teacher, distil it into a student, and see what the student learned, what it lost and why.")
    _examples([run for run in demo_runs() if (run.path / STORY).is_file()])  # the others are there to compare with
    st.header("Start your own", divider="gray")
    names = list(PRESETS)
    for row in (names[start : start + COLUMNS] for start in range(0, len(names), COLUMNS)):
        for cell, name in zip(st.columns(COLUMNS), row, strict=False):
            with cell, st.container(border=True, height="stretch"):
                st.subheader(PRESETS[name].title)
                st.markdown(PRESETS[name].story)
                link("distil", "Set it up", preset=name)
    _recent(list_runs())


def _examples(runs: Sequence[Run]) -> None:
    if not runs:
        return
    st.header("Finished examples", divider="gray")
    columns = 2 if len(runs) == 4 else min(len(runs), COLUMNS)  # no card stands alone
    for row in (runs[start : start + columns] for start in range(0, len(runs), columns)):
        for cell, run in zip(st.columns(columns), row, strict=False):
            with cell, st.container(border=True, height="stretch"), explained():
                _card(run)


def _card(run: Run) -> None:
    result = run.result or {}
    st.subheader(plain(title(run)))
    teacher, student = score(result, "teacher"), score(result, "student")
    left, right = st.columns(2)
    what = JUDGES.get(judged_by(result), "Test accuracy")
    left.metric(what, f"{percent(teacher)} → {percent(student)}", help="Of the teacher and of its student.")
    right.metric("The student is", relative_size(result.get("compression")))
    st.markdown(_story(run) or story(result))
    sizes = (count(dig(result, role, "parameters")) for role in ("teacher", "student"))
    speeds = (milliseconds(dig(result, role, "latency_ms")) for role in ("teacher", "student"))
    kind = next((kind for kind in ("shapes", "graphs") if dig(result, "dataset", kind)), "nodes")
    number = count(dig(result, "dataset", kind))
    st.caption(f"{' → '.join(sizes)} parameters · {' → '.join(speeds)} a pass · {number} {kind}")
    with st.container(horizontal=True):
        look(run)
        link("distil", "Change it", copy=run.id)


def _story(run: Run) -> str:
    """What is told about an example, or nothing."""
    try:
        return plain((run.path / STORY).read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return ""


def _recent(runs: Sequence[Run]) -> None:
    st.header("Recent runs", divider="gray")
    if not runs:
        st.markdown(f"None yet below `{runs_root()}`. Choose a starting point above, or begin from nothing:")
        link("distil", "Set up a run")
        return
    live_rows(runs[:RECENT])
    if len(runs) > RECENT:
        st.caption(f"{len(runs) - RECENT} older runs are found by their name on the other pages.")
