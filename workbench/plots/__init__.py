"""Views: one or two runs in, one Plotly figure out.

``wb.plots.embeddings(run)`` and its like are imported when they are first used, so that nobody pays
for Plotly who does not draw. A view never has the name of a module here: importing the module would hide it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.plots.embedding_pair import embeddings as embeddings
    from workbench.plots.loss_terms import terms as terms
    from workbench.plots.training_curves import curves as curves

_VIEWS = {
    "curves": "workbench.plots.training_curves",
    "embeddings": "workbench.plots.embedding_pair",
    "terms": "workbench.plots.loss_terms",
}
__all__ = ["curves", "embeddings", "terms"]


def __getattr__(name: str) -> Any:
    if name not in _VIEWS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: views are {', '.join(_VIEWS)}")
    return getattr(import_module(_VIEWS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_VIEWS})
