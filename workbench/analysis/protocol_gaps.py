"""In what data and models here are not those of the papers: what stands beside a published number in words.

How the papers train and count is said by the note of each :class:`workbench.analysis.published.Published`.
"""

from __future__ import annotations

from collections.abc import Mapping

# Data on which no number is published, and those that theirs are on. Never subtracted from each other.
STAND_INS: Mapping[str, tuple[str, str]] = {
    "modelnet10": ("modelnet40", "ModelNet10 has 10 of the 40 classes of ModelNet40: no difference is taken."),
}
# Data with the name of the papers' that are not quite theirs, and whether scores may be subtracted all the same.
DATA: Mapping[str, tuple[str, bool]] = {
    "ppi": (
        "PPI has re-derived labels here (the released ones come from another source of annotations), so that scores "
        "compare in their first digit only: no difference is taken.",
        False,
    ),
    "molhiv": ("A few features of atoms and bonds were computed anew and may differ from the released ones.", True),
}
# Ours by the name that the papers' numbers are stored under.
MODELS: Mapping[str, str] = {"gcn-graph": "gcn", "gin-graph": "gin"}
SCORES: Mapping[str, str] = {"micro_f1": "f1"}
# Parameters of the papers' teachers: Joshi et al. (TNNLS 2022), Table I; Yang et al. (CVPR 2020) by arithmetic.
TEACHERS: Mapping[tuple[str, str], int] = {
    ("arxiv", "gat"): 1_441_580,
    ("mag", "rgcn"): 5_575_540,
    ("modelnet40", "dgcnn"): 1_809_576,
    ("molhiv", "gine"): 3_336_306,
    ("molhiv", "pna"): 2_433_901,
    ("ppi", "gat"): 3_076_766,
}
# Epochs of the papers' trainings, of students and (but for arxiv, with 2000) of teachers: fewer are said.
EPOCHS: Mapping[str, int] = {"arxiv": 500, "mag": 30, "modelnet40": 250, "ppi": 500}
