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
    from workbench.plots.control_intervals import controls as controls
    from workbench.plots.embedding_pair import embeddings as embeddings
    from workbench.plots.evolution_animation import evolution_film as evolution_film
    from workbench.plots.evolution_attention import temporal_attention as temporal_attention
    from workbench.plots.evolution_auc import auc_over_steps as auc_over_steps
    from workbench.plots.evolution_embeddings import embeddings_over_time as embeddings_over_time
    from workbench.plots.evolution_graph import evolution as evolution
    from workbench.plots.evolution_scores import link_scores as link_scores
    from workbench.plots.gap_bars import gap_slices as gap_slices
    from workbench.plots.gap_confusion import confusion_difference as confusion_difference
    from workbench.plots.gap_map import knowledge_gap as knowledge_gap
    from workbench.plots.layer_map import layer_pairs as layer_pairs
    from workbench.plots.layer_map_curves import layer_pair_curves as layer_pair_curves
    from workbench.plots.layer_pair_ego import pair_on_ego_graph as pair_on_ego_graph
    from workbench.plots.local_divergence import neighbourhood_divergence as neighbourhood_divergence
    from workbench.plots.local_structure import neighbourhood as neighbourhood
    from workbench.plots.loss_terms import terms as terms
    from workbench.plots.pareto import score_against_cost as score_against_cost
    from workbench.plots.robustness_curves import robustness as robustness
    from workbench.plots.search_curves import search_history as search_history
    from workbench.plots.seed_scores import scores_by_seed as scores_by_seed
    from workbench.plots.similarity_figures import similarity_bars as similarity_bars
    from workbench.plots.training_curves import curves as curves

_VIEWS = {
    "auc_over_steps": "workbench.plots.evolution_auc",
    "cloud_graphs": "workbench.plots.cloud_views",
    "confusion_difference": "workbench.plots.gap_confusion",
    "controls": "workbench.plots.control_intervals",
    "curves": "workbench.plots.training_curves",
    "embeddings": "workbench.plots.embedding_pair",
    "embeddings_over_time": "workbench.plots.evolution_embeddings",
    "evolution": "workbench.plots.evolution_graph",
    "evolution_film": "workbench.plots.evolution_animation",
    "feature_distances": "workbench.plots.cloud_views",
    "gap_slices": "workbench.plots.gap_bars",
    "knowledge_gap": "workbench.plots.gap_map",
    "layer_pair_curves": "workbench.plots.layer_map_curves",
    "layer_pairs": "workbench.plots.layer_map",
    "link_scores": "workbench.plots.evolution_scores",
    "neighbourhood": "workbench.plots.local_structure",
    "neighbourhood_divergence": "workbench.plots.local_divergence",
    "pair_on_ego_graph": "workbench.plots.layer_pair_ego",
    "robustness": "workbench.plots.robustness_curves",
    "score_against_cost": "workbench.plots.pareto",
    "scores_by_seed": "workbench.plots.seed_scores",
    "search_history": "workbench.plots.search_curves",
    "similarity_bars": "workbench.plots.similarity_figures",
    "temporal_attention": "workbench.plots.evolution_attention",
    "terms": "workbench.plots.loss_terms",
}
__all__ = [
    "auc_over_steps",
    "cloud_graphs",
    "confusion_difference",
    "controls",
    "curves",
    "embeddings",
    "embeddings_over_time",
    "evolution",
    "evolution_film",
    "feature_distances",
    "gap_slices",
    "knowledge_gap",
    "layer_pair_curves",
    "layer_pairs",
    "link_scores",
    "neighbourhood",
    "neighbourhood_divergence",
    "pair_on_ego_graph",
    "robustness",
    "score_against_cost",
    "scores_by_seed",
    "search_history",
    "similarity_bars",
    "temporal_attention",
    "terms",
]


def __getattr__(name: str) -> Any:
    if name not in _VIEWS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: views are {', '.join(_VIEWS)}")
    return getattr(import_module(_VIEWS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_VIEWS})
