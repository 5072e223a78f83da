"""Panels in three dimensions: one cube around all of them, so that sizes can be compared."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from workbench.plots import theme


def same_cube(figure: go.Figure, points: NDArray[np.floating], away: float = 1.0) -> None:
    """The same cube around every scene of ``figure``, seen from the same side; ``points`` (m, 3) are all that it shows.

    ``away`` is how far from it one stands: at 1 its corners are in sight however it is turned. Plotly cannot link
    cameras: turning one panel does not turn the others.
    """
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    reach = 0.55 * float(np.ptp(points, axis=0).max() or 1.0)
    ranges = [[float(centre - reach), float(centre + reach)] for centre in middle]
    axis = {"showticklabels": False, "title": "", "gridcolor": theme.GRID, "zeroline": False, "showbackground": False}
    axes = {f"{name}axis": {"range": limits, **axis} for name, limits in zip("xyz", ranges, strict=True)}
    eye = {"x": 1.3 * away, "y": 1.3 * away, "z": 0.9 * away}
    figure.update_scenes(aspectmode="cube", camera={"eye": eye}, **axes)
