"""A view of several runs as Python, and a command on them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import streamlit as st

from workbench.pages import class_mode


def runs_as_python(runs: Sequence[str], view: str, **choices: Any) -> str:
    """``wb.plots.<view>`` of the runs with these ids."""
    arguments = "".join(f", {key}={value!r}" for key, value in choices.items())
    lines = ["import workbench as wb", "", "runs = [", *(f"    wb.find_run({id!r})," for id in runs), "]"]
    return "\n".join([*lines, f"wb.plots.{view}(runs{arguments})"])


def runs_as_command(command: str, runs: Sequence[str], *options: str) -> str:
    """``workbench <command>`` on the runs with these ids."""
    return " ".join(shlex.quote(word) for word in ("workbench", command, *runs, *options))


def section_as_code(what: str, python: str, command: str) -> None:
    """What one section of a page shows, as code; that of the whole page is :func:`workbench.pages.frame.as_code`."""
    if not class_mode.hidden("code"):
        with st.expander(f"Copy {what} as Python or as a command", icon=":material/content_copy:"):
            st.code(python, language="python")
            st.code(command, language="bash", wrap_lines=True)
