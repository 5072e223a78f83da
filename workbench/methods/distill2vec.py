"""Distribution over candidate links (after Antaris and Rafailidis, ASONAM 2020, arXiv 2011.05664)."""

from __future__ import annotations

from torch import Tensor

from workbench.kernels.soft_labels import soft_label_divergence
from workbench.methods.arguments import check_positive
from workbench.methods.kd import log_probabilities
from workbench.methods.rows import check_same_nodes


def link_distribution_loss(student_scores: Tensor, teacher_scores: Tensor, temperature: float = 1.0) -> Tensor:
    r"""Match, per node, how the teacher spreads its belief over candidate links.

    .. math:: \frac1n \sum_u \mathrm{KL}(q^t_u \,\|\, q^s_u), \qquad
        q_u = \mathrm{softmax}_{v \in C_u}(\langle e_u, e_v \rangle / \tau)

    Shapes: both scores (n, m), row u the inner products of node u with its m candidates. Embedding
    widths may differ: only scores are compared. Returns a scalar (nats per node).
    Reduction: summed over candidates, averaged over nodes; no factor τ². Decided here, because the
    paper's widths differ and its public code distils nothing: the divergence is taken between
    distributions over candidates (positives and negatives), teacher first.
    Raises UsageError for scores that do not fit together, or a temperature not above zero.
    """
    check_same_nodes(student_scores, teacher_scores, "link_distribution_loss", same_width=True)
    check_positive("temperature", temperature)
    log_teacher = log_probabilities(teacher_scores.detach(), temperature)
    total = soft_label_divergence(student_scores, log_teacher, temperature)
    return (total / student_scores.shape[0]).to(student_scores.dtype)
