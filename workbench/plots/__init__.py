"""Views: one or two runs in, one Plotly figure out.

``wb.plots.embeddings(run)`` and its like are imported when they are first used, so that nobody pays
for Plotly who does not draw. A view never has the name of a module here: importing the module would hide it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.plots.cloud_views import cloud_graphs as cloud_graphs
    from workbench.plots.cloud_views import feature_distances as feature_distances
    from workbench.plots.embedding_pair import embeddings as embeddings
    from workbench.plots.evolution_animation import evolution_film as evolution_film
    from workbench.plots.evolution_attention import temporal_attention as temporal_attention
    from workbench.plots.evolution_auc import auc_over_steps as auc_over_steps
    from workbench.plots.evolution_embeddings import embeddings_over_time as embeddings_over_time
    from workbench.plots.evolution_graph import evolution as evolution
    from workbench.plots.evolution_scores import link_scores as link_scores
    from workbench.plots.loss_terms import terms as terms
    from workbench.plots.training_curves import curves as curves

_VIEWS = {
    "auc_over_steps": "workbench.plots.evolution_auc",
    "cloud_graphs": "workbench.plots.cloud_views",
    "curves": "workbench.plots.training_curves",
    "embeddings": "workbench.plots.embedding_pair",
    "embeddings_over_time": "workbench.plots.evolution_embeddings",
    "evolution": "workbench.plots.evolution_graph",
    "evolution_film": "workbench.plots.evolution_animation",
    "feature_distances": "workbench.plots.cloud_views",
    "link_scores": "workbench.plots.evolution_scores",
    "temporal_attention": "workbench.plots.evolution_attention",
    "terms": "workbench.plots.loss_terms",
}
__all__ = [
    "auc_over_steps",
    "cloud_graphs",
    "curves",
    "embeddings",
    "embeddings_over_time",
    "evolution",
    "evolution_film",
    "feature_distances",
    "link_scores",
    "temporal_attention",
    "terms",
]


def __getattr__(name: str) -> Any:
    if name not in _VIEWS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: views are {', '.join(_VIEWS)}")
    return getattr(import_module(_VIEWS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_VIEWS})
