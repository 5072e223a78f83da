"""The leaderboard as a table: scores, differences to a baseline, sizes, and what the papers print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from workbench.analysis.published import Published
from workbench.analysis.statistics import ROUNDING
from workbench.pages import shown
from workbench.pages.frame import note
from workbench.pages.wording import NONE, plain
from workbench.runs.entry_differences import Difference
from workbench.runs.leaderboard import METRICS, Entry

NO_NUMBER = "no published number"
BETTER, WORSE, EQUAL, BASELINE = "▲ better", "▼ worse", "= equal", "baseline"
ABOVE, BELOW, LIKE = "▲ above paper", "▼ below paper", "= paper"
Columns = dict[str, list[Any]]
HELP = {
    "entry": "Method, teacher → student, and in brackets what tells it from the others.",
    "n": "Seeds.",
    "student %": "Mean test score of the student.",
    "± std": "Sample standard deviation over the seeds.",
    "teacher %": "Mean test score of the teacher.",
    "− baseline": "Points, mean over the seeds that both have.",
    "p": "Two-sided paired t-test, not corrected for the number of comparisons. None for fewer than two shared seeds.",
    "d_z": "Effect size of paired values (Cohen): mean difference over its standard deviation.",
    "parameters": "Of the student.",
    "× smaller": "The teacher's parameters over the student's.",
    "ms": "One pass of the student on the machine of the run.",
    "paper %": "The published number for this dataset, teacher, student and method.",
    "− paper": "Points; only where the paper's student has as many parameters.",
    "verdict": "The sign of both differences, whatever their p.",
}
FORMATS = {"student %": "%.1f", "± std": "%.1f", "teacher %": "%.1f", "− baseline": "%+.1f", "p": "%.2g"}
FORMATS |= {"d_z": "%+.2f", "parameters": "localized", "× smaller": "%.1f", "ms": "%.2f", "− paper": "%+.1f"}


def show_table(entries: Sequence[Entry], differences: Mapping[str, Difference], baseline: str) -> None:
    """One row per entry; ``differences`` by the id of an entry, ``baseline`` the id of one, or what else was chosen."""
    columns = leaderboard_columns(entries, differences, baseline)
    config = {
        name: st.column_config.NumberColumn(help=HELP[name], format=FORMATS[name])
        if name in FORMATS
        else st.column_config.Column(help=HELP.get(name))
        for name in columns
    }
    shown.table(columns, "leaderboard", "leaderboard", column_config=config, placeholder=NONE)


def leaderboard_columns(entries: Sequence[Entry], differences: Mapping[str, Difference], baseline: str) -> Columns:
    """Columns (N,) of the table, scores in percent; where there is no value stands None."""
    rows = [_row(entry, differences.get(entry.id), entry.id == baseline) for entry in entries]
    columns: Columns = {name: [row[name] for row in rows] for name in rows[0]}
    for name, values in (("metric", [METRICS[e.metric] for e in entries]), ("dataset", [e.dataset for e in entries])):
        if len(set(values)) > 1:
            columns = {name: values, **columns}
    return columns


def paper_notes(entries: Sequence[Entry]) -> None:
    """Where the published numbers come from, and in what their protocols are others."""
    found = (entry.of_paper for entry in entries)
    for source, words in dict.fromkeys((paper.source, paper.note) for paper in found if paper is not None):
        note(f"Published numbers: {plain(source)}. {plain(words)}")


def _row(entry: Entry, apart: Difference | None, is_baseline: bool) -> dict[str, Any]:
    student, teacher, paper = entry.summary(), entry.summary("teacher"), entry.of_paper
    size = entry.size("student")
    minus_paper = None
    if paper is not None and student is not None and paper.is_of_size(size.parameters):
        minus_paper = 100 * student.mean - paper.mean
    return {
        "entry": entry.title,
        "verdict": _verdict(apart, minus_paper, is_baseline),
        "n": len(entry.runs),
        "student %": _rounded(student.mean if student else None, 100),
        "± std": _rounded(student.std if student else None, 100),
        "teacher %": _rounded(teacher.mean if teacher else None, 100),
        "− baseline": _rounded(apart.paired.difference if apart else None, 100),
        "p": apart.paired.p if apart else None,
        "d_z": _rounded(apart.effect if apart else None),
        "parameters": None if size.parameters is None else round(size.parameters),
        "× smaller": _rounded(entry.compression),
        "ms": _rounded(size.latency_ms),
        "paper %": _paper_cell(paper, minus_paper),
        "− paper": _rounded(minus_paper),
    }


def _verdict(apart: Difference | None, minus_paper: float | None, is_baseline: bool) -> str:
    words = [BASELINE] if is_baseline else []
    if apart is not None:
        words.append(_sign(apart.paired.difference, BETTER, WORSE, EQUAL))
    if minus_paper is not None:
        words.append(_sign(minus_paper, ABOVE, BELOW, LIKE))
    return ", ".join(words)


def _sign(difference: float, above: str, below: str, equal: str) -> str:
    return equal if abs(difference) <= ROUNDING else above if difference > 0 else below


def _paper_cell(paper: Published | None, minus_paper: float | None) -> str:
    if paper is None:
        return NO_NUMBER
    if minus_paper is None and paper.student_parameters is not None:
        return f"{paper} (student of {paper.student_parameters:,})"
    return str(paper)


def _rounded(value: float | None, times: int = 1) -> float | None:
    """``times`` the value, with digits enough for a table in a paper."""
    return None if value is None else round(times * value, 3) + 0.0  # no minus before a zero
