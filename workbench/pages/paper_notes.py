"""What is known to differ between a paper, its authors' code and this workbench, and what nobody has answered yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Notes:
    """Of one method, in Markdown: ``deviations`` between paper and public code, and open ``questions``."""

    deviations: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


JOSHI = "The authors' code takes every loss on training nodes only; here `nodes='train'` does."

NOTES: Mapping[str, Notes] = {
    "kd": Notes(
        (
            "The G-CRD code averages the KL over nodes **and classes**, a factor C smaller: α T² = 14.4 weighs like "
            "0.36 on the 40 classes of arxiv, and like 0.04 on MAG. `convention='code'` reproduces it.",
            JOSHI,
        ),
        ("How much of KD's gain on a graph is the teacher's knowledge, and how much is softer labels?",),
    ),
    "fitnet": Notes(
        (JOSHI,),
        ("Both projectors are trained, the teacher's too: what keeps them from agreeing on something empty?",),
    ),
    "at": Notes(
        (
            "On images the map is over pixels; the G-CRD code takes it over **nodes**, with squares. The LSP paper's "
            "attention transfer takes absolute values: `p=1`.",
            JOSHI,
        ),
        ("The map has length one over all nodes, so the loss depends on their number: which weight fits which graph?",),
    ),
    "lsp": Notes(
        (
            "The paper writes KL(student ‖ teacher); its public code computes the reverse. "
            "`direction='teacher_student'` reproduces it.",
            "The code's kernel is exp(−‖·‖₁ / 100), in which neighbours are almost equal: `kernel='laplace'`.",
            "In the code λ is 1 instead of 100, and the loss is active in the first 30 epochs only.",
            "The code pairs the teacher's second hidden layer with the student's third, before activation; here it is "
            "the last one of both.",
            "The l2 kernel is printed with a plus sign, which favours the **farthest** neighbour; it is kept so.",
            "The G-CRD code's LSP averages over edges and uses cosine, its square, a distance or rbf: "
            "`convention='code'`.",
        ),
        ("On Planetoid's 140 training nodes hardly any edge is left with `nodes='train'`: what is LSP worth there?",),
    ),
    "gsp": Notes(
        (
            "The authors draw 2,048 to 8,192 nodes to save memory: `max_samples`. Here all pairs are taken exactly.",
            JOSHI,
        ),
        ("Does an exact loss over all pairs beat a sampled one, or is the noise of sampling harmless?",),
    ),
    "gcrd": Notes(
        (
            "At most 16,384 nodes are negatives of each other on arxiv (24,576 on MAG): `max_samples`.",
            JOSHI,
        ),
        (
            "Negatives of the same class push apart what should stay together: how many of them are too many?",
            "In sums with KD the published weight is ten times smaller. Is that one number for every graph?",
        ),
    ),
    "abkd": Notes(
        (
            "The papers could not be read in full, and no public code is known to us: everything below is a reading.",
            "The first version pools features over nodes, the rewrite of 2025 (STRIDE) compares node by node: `pool`.",
        ),
        (
            "Learnt maps turn sharp: on PubMed all 64 teacher layers are said to attend to one student layer. Do equal "
            "attention or the last pair alone do as well? (`attention='uniform'`, `pairs='last'`)",
            "Projections are trained on both sides and could map both models to one point. How near do they come?",
        ),
    ),
    "distill2vec": Notes(
        (
            "The authors' public code contains the network and no distillation.",
            "It divides temporal attention scores by √T, the number of snapshots; the textbook has √d of a head: "
            "`scale` of dysat.",
            "The abstract's 7 : 100 is the size beside a baseline; beside its own teacher it is 22 to 37 : 100.",
        ),
        ("Which divergence did the authors take, between which distributions?",),
    ),
    "glnn": Notes(
        ("None that we know of: the published experiments use λ = 0, the teacher's answers alone.",),
        ("An MLP sees no edges: on which graphs, by homophily, can it follow its teacher at all?",),
    ),
    "label-smoothing": Notes(
        (),
        ("How much of a method's gain is left once labels are as soft as the teacher's, without its knowledge?",),
    ),
}


def notes_on(method: str) -> Notes:
    """Empty for a method of which nothing is noted, such as a plug-in."""
    return NOTES.get(method, Notes())
