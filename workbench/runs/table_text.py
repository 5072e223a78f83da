"""The table of ours beside the papers' as Markdown, CSV, LaTeX and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.runs.leaderboard import METRICS
from workbench.runs.paper_row import NOTHING, Row

Cells = dict[str, str]
RIGHT = ("parameters", "n", "ours %", "− alone", "p (pairs)", "paper %", "− paper")
HOW_TO_READ = (
    "Ours: mean ± sample standard deviation of the test score in percent over n seeds. − alone: points to the same "
    "student without a teacher, paired over the seeds, with p of the two-sided paired t-test, not corrected for the "
    "number of rows. − paper: points to the published number, taken where the model has as many parameters as the "
    "paper's. No row is left out for being worse."
)


def as_markdown(rows: Sequence[Row]) -> str:
    """A table, and below it by the numbers of its rows the gaps of protocol, the commands and the runs."""
    gaps = {gap: number for number, gap in enumerate(dict.fromkeys(row.gap for row in rows if row.gap), start=1)}
    cells = [_numbered(number, row, gaps) for number, row in enumerate(rows, start=1)]
    columns = list(cells[0]) if cells else list(_cells_of_none())
    lines = [
        "| " + " | ".join(columns) + " |",
        "|" + "|".join("---:" if column in RIGHT else "---" for column in columns) + "|",
        *("| " + " | ".join(_markdown(cell) for cell in row.values()) + " |" for row in cells),
        "",
        HOW_TO_READ,
    ]
    if gaps:
        lines += ["", "Gaps of protocol:", "", *(f"- [{number}] {_markdown(gap)}" for gap, number in gaps.items())]
    made = [(number, row) for number, row in enumerate(rows, start=1) if row.runs]
    if made:
        lines += ["", "What makes each row again, and its runs:", ""]
        lines += [f"- {number}: {_code(row.command)} ({', '.join(map(_code, row.runs))})" for number, row in made]
    return "\n".join(lines) + "\n"


def as_csv(rows: Sequence[Row]) -> str:
    """Comma-separated values with a header: the numbers as they are, scores in percent, lists with spaces between."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    documents = [row.to_dict() for row in rows]
    writer.writerow(documents[0] if documents else _empty().to_dict())
    for document in documents:
        writer.writerow(_csv_cell(value) for value in document.values())
    return text.getvalue()


def as_latex(rows: Sequence[Row]) -> str:
    """A table in the style of booktabs; the gap, the runs and the command of a row stand before it as comments."""
    cells = [_cells(row) for row in rows]
    columns = list(cells[0]) if cells else list(_cells_of_none())
    kinds = "".join("r" if column in RIGHT else "l" for column in columns)
    lines = [rf"\begin{{tabular}}{{{kinds}}}", r"\toprule", _latex_row(columns), r"\midrule"]
    for row, shown in zip(rows, cells, strict=True):
        for word, text in (("gap", row.gap), ("runs", " ".join(row.runs)), ("command", row.command)):
            lines += [f"% {word}: {_one_line(text)}"] if text else []
        lines.append(_latex_row(list(shown.values())))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def as_json(rows: Sequence[Row]) -> str:
    """A list of rows, scores in percent."""
    return json.dumps([row.to_dict() for row in rows], indent=1, ensure_ascii=False, allow_nan=False) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[Row]], str]] = {
    "markdown": as_markdown,
    "csv": as_csv,
    "latex": as_latex,
    "json": as_json,
}


def _cells(row: Row) -> Cells:
    return {
        "dataset": row.dataset + ("" if row.metric == "accuracy" else f", {METRICS.get(row.metric, row.metric)}"),
        "teacher → student": row.models,
        "method": row.title,
        "parameters": NOTHING if row.parameters is None else f"{row.parameters:,}",
        "n": str(row.ours.n) if row.ours else NOTHING,
        "ours %": row.score,
        "− alone": row.minus_alone_cell,
        "p (pairs)": row.test_cell,
        "paper %": row.paper_cell,
        "− paper": row.minus_paper_cell,
        "verdict": row.verdict,
    }


def _numbered(number: int, row: Row, gaps: Mapping[str, int]) -> Cells:
    return {"row": str(number), **_cells(row), "gap": f"[{gaps[row.gap]}]" if row.gap else ""}


def _cells_of_none() -> Cells:
    return _cells(_empty())


def _empty() -> Row:
    return Row(dataset="", teacher="", student="", method="none", metric="accuracy", parameters=None)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _markdown(text: str) -> str:
    """Text as it is, in a cell of a table."""
    return "".join(f"\\{c}" if c in "\\`*_|<>~" else c for c in _one_line(text))


def _code(text: str) -> str:
    """Text as code: in as many backticks as keep those in it apart."""
    text = _one_line(text)
    ticks = "`"
    while ticks in text:
        ticks += "`"
    space = " " if "`" in text else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _csv_cell(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value


_LATEX = {**{c: f"\\{c}" for c in "&%$#_{}"}, "\\": r"\textbackslash{}", "~": r"\textasciitilde{}"}
_LATEX |= {"^": r"\textasciicircum{}", "→": r"$\rightarrow$", "±": r"$\pm$", "−": "$-$", "–": "--", "<": "$<$"}
_LATEX |= {">": "$>$", "|": r"\textbar{}", "α": r"$\alpha$", "γ": r"$\gamma$", "ε": r"$\varepsilon$", "λ": r"$\lambda$"}


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join("".join(_LATEX.get(c, c) for c in _one_line(cell)) for cell in cells) + r" \\"
