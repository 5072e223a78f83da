"""Lines over the epochs of a training, of numbers that its records hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from workbench.plots import theme
from workbench.plots.markup import as_text

Record = Mapping[str, Any]  # one epoch
Points = tuple[NDArray[np.float32], NDArray[np.float32]]  # epochs and values
Series = Mapping[str, Points]


def term_series(records: Sequence[Record], number: Callable[[Record], float]) -> Series:
    """``number`` of what is recorded of every term, over the epochs that have the term."""
    found = {}
    for name in dict.fromkeys(name for record in records for name in record.get("terms", {})):
        rows = [(record["epoch"], record["terms"][name]) for record in records if name in record.get("terms", {})]
        found[name] = points([epoch for epoch, _ in rows], [number(term) for _, term in rows])
    return found


def points(epochs: list[int], values: list[float]) -> Points:
    return np.asarray(epochs, dtype=np.float32), np.asarray(values, dtype=np.float32)


def number(value: float | None) -> float:
    """Records hold None for what was not finite; a line has a gap there."""
    return np.nan if value is None else value


def term_colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for every term, in the order in which a record names them; teacher and student keep their own."""
    return {name: theme.PALETTE[(index + 2) % len(theme.PALETTE)] for index, name in enumerate(names)}


def line(of: Points, name: str, colour: str, hover: str, **more: Any) -> Any:
    """One line; ``hover`` is how Plotly writes a value that is pointed at, ``name`` is shown as it is written."""
    name = as_text(name)
    options = {
        "name": name,
        "mode": "lines",
        "line": {"color": colour, "width": 2},
        "hovertemplate": f"{name}: {hover}<extra></extra>",
    }
    return go.Scatter(x=of[0], y=of[1], **{**options, **more})
