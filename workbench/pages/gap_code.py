"""The Knowledge gap page as Python that draws the same three figures."""

from __future__ import annotations

from typing import Any

from workbench.pages.gap_nodes import Chosen
from workbench.pages.pair_snippet import views_as_python
from workbench.runs.side import Side


def gap_as_python(left: Side, right: Side, split: str, by: str, projection: str, unit: str, chosen: Chosen) -> str:
    """Map, bars and confusion difference, with what is ringed and outlined on the screen."""
    marked: dict[str, Any] = {"bin": chosen.bin, "case": chosen.case}
    views: dict[str, dict[str, Any]] = {
        "knowledge_gap": {"projection": projection, "split": split, "by": by, **marked, "cell": chosen.cell},
        "gap_slices": {"by": by, "split": split, **marked},
        "confusion_difference": {"split": split, "unit": unit, "cell": chosen.cell},
    }
    return views_as_python(left, right, views)
