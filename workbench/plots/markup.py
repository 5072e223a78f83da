"""Text of people in figures: Plotly reads markup in titles, legends and hovers, and places for values in hovers."""

from __future__ import annotations

_MEANING = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "{": "&#123;", "$": "&#36;"})


def as_text(text: object) -> str:
    """``text`` as Plotly shows it letter by letter: ``<b>``, ``%{x}`` and ``$x$`` mean nothing then.

    Quotes stay: of the names of letters Plotly knows few, and theirs not.
    """
    return str(text).translate(_MEANING)
