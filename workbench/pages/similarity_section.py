"""Similarity, on Compare: how alike the embeddings of teachers and students are. Reads all arrays, so on request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.pages import shown
from workbench.pages.frame import all_runs, choose, explained
from workbench.pages.runs_snippet import runs_as_command, runs_as_python, section_as_code
from workbench.pages.side_key import SECONDS, stamp
from workbench.pages.wording import plain
from workbench.runs.folder import Run
from workbench.runs.leaderboard import Entry
from workbench.runs.similarity_table import FIGURES, Row, SimilarityTable, similarity_table

KEPT = 12  # results kept, for all visitors together


def similarity_section(entries: Sequence[Entry]) -> None:
    """The three figures of ``entries`` of one dataset; nothing for runs that are not on the nodes of one graph."""
    runs = all_runs()
    own = [runs[seed.run] for entry in entries for seed in entry.runs if seed.run in runs]
    own = [run for run in own if "graph" in run.array_names()]
    if not own:
        return
    st.subheader("Similarity")
    wanted = choose(
        _toggle,
        "Compare the embeddings of teacher and student",
        "similarity",
        [False, True],
        help="Reads the stored arrays of every run that is shown: some seconds for many of them.",
    )
    if wanted:
        with explained():
            _figure(_table(tuple((str(run.path), stamp(run)) for run in own)))


def _toggle(label: str, options: Sequence[bool], **more: Any) -> bool:
    return bool(st.toggle(label, **more))


@st.cache_data(max_entries=KEPT, ttl=SECONDS, show_spinner="Comparing the embeddings …")
def _table(keys: tuple[tuple[str, int], ...]) -> SimilarityTable:
    return similarity_table([Run(Path(path)) for path, _ in keys])


def _figure(table: SimilarityTable) -> None:
    from workbench.plots import similarity_figures

    if table.left_out:
        reason = next(iter(table.left_out.values()))
        number = f"{len(table.left_out)} run{'s' if len(table.left_out) > 1 else ''}"
        st.warning(plain(f"{number} could not be compared: {reason}"), icon=":material/warning:")
    if not table.rows:
        return
    most = similarity_figures.MOST
    best = f" The best {most} of {len(table.rows)} entries." if len(table.rows) > most else ""
    shown.figure(
        similarity_figures.draw(table.rows),
        "similarity",
        "similarity-bars",
        "Three bars per entry: global and local structural correlation, and linear CKA, with their spread.",
        "Last hidden features of teacher and student on the validation nodes, rows of length one, as in the paper of "
        "G-CRD. Global: Pearson's r between the cosine distances of all pairs of nodes; local: of linked ones. "
        f"Whiskers are one standard deviation over the seeds.{best}",
    )
    shown.table(similarity_columns(table.rows), "similarity", "similarity-table")
    ids = [run.run for row in table.rows for run in row.runs]
    section_as_code("the similarity", runs_as_python(ids, "similarity_bars"), runs_as_command("similarity", ids))


def similarity_columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Columns of the table; a figure that is not defined is None."""
    columns: dict[str, list[Any]] = {"entry": [row.entry.title for row in rows], "n": [len(row.runs) for row in rows]}
    for name, title in FIGURES.items():
        found = [row.summary(name) for row in rows]
        columns[title] = [None if of is None else round(of.mean, 4) for of in found]
        columns[f"± std, {name}"] = [None if of is None or of.std is None else round(of.std, 4) for of in found]
    columns["nodes"] = [row.runs[0].nodes for row in rows]
    columns["edges among them"] = [row.runs[0].edges for row in rows]
    return columns
