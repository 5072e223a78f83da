"""A figure or a table on a page, and how a person takes it away."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from workbench.pages import class_mode
from workbench.pages.frame import note

MIME = {"html": "text/html", "csv": "text/csv", "tex": "text/plain"}
Columns = Mapping[str, NDArray[Any] | Sequence[Any]]


def figure(drawn: Any, name: str, key: str, alt: str, caption: str = "", **chart: Any) -> Any:
    """Draw a Plotly figure with its explanation and its downloads; returns what ``st.plotly_chart`` does.

    ``name`` becomes the name of files. ``chart`` goes to ``st.plotly_chart`` (``on_select``, say). The PNG comes from
    the camera in the figure's own tool bar, the HTML file needs no network to be opened.
    """
    picture = {"format": "png", "filename": name, "scale": 2}
    config = {"toImageButtonOptions": picture, "displaylogo": False}
    if "on_select" in chart:
        # Streamlit sets this once the figure stands, and then draws all of it again.
        lasso = drawn.layout.dragmode in ("lasso", "select")
        drawn.update_layout(clickmode="event" if lasso else "event+select")
    event = st.plotly_chart(drawn, key=key, alt=alt, config=config, **chart)
    if caption:
        note(caption)
    if not class_mode.hidden("downloads"):
        download("Figure as HTML", lambda: drawn.to_html(include_plotlyjs=True), f"{name}.html", key)
    return event


def table(columns: Columns, name: str, key: str, **frame: Any) -> None:
    """Show columns (N,) as a table, with downloads as CSV and LaTeX; ``frame`` goes to ``st.dataframe``."""
    if class_mode.hidden("tables"):
        return
    st.dataframe(dict(columns), hide_index=True, key=key, **frame)
    if not class_mode.hidden("downloads"):
        with st.container(horizontal=True):
            download("Table as CSV", lambda: as_csv(columns), f"{name}.csv", key)
            download("Table as LaTeX", lambda: as_latex(columns), f"{name}.tex", key)


def download(label: str, make: Callable[[], str], file_name: str, key: str = "download") -> None:
    """A button whose file is made when it is pressed."""
    kind = file_name.rpartition(".")[2]
    st.download_button(
        label,
        make,
        file_name=file_name,
        mime=MIME[kind],
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"{key}-{kind}",
    )


def as_csv(columns: Columns) -> str:
    """Columns (N,) as comma-separated values with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(_rows(columns))
    return text.getvalue()


def as_latex(columns: Columns) -> str:
    """Columns (N,) as a LaTeX table in the style of booktabs; numbers to the right."""
    kinds = "".join("r" if np.asarray(values).dtype.kind in "iuf" else "l" for values in columns.values())
    lines = [rf"\begin{{tabular}}{{{kinds}}}", r"\toprule", _latex_row(columns), r"\midrule"]
    lines += [_latex_row(row) for row in _rows(columns)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _rows(columns: Columns) -> Any:
    return zip(*(np.asarray(values).tolist() for values in columns.values()), strict=True)


_LATEX = {**{c: f"\\{c}" for c in "&%$#_{}"}, "\\": r"\textbackslash{}", "~": r"\textasciitilde{}"}
_LATEX |= {"^": r"\textasciicircum{}", "→": r"$\rightarrow$", "±": r"$\pm$", "−": "$-$", "–": "--"}


def _latex_row(cells: Any) -> str:
    words = ("" if cell is None else f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells)
    return " & ".join("".join(_LATEX.get(c, c) for c in word) for word in words) + r" \\"


def carried(point: Mapping[str, Any], index: int = 0) -> int:
    """A number that a selected point of a figure carries, which comes back as a list or by position."""
    data = point["customdata"]
    return int(data[str(index)] if isinstance(data, Mapping) else data[index])
