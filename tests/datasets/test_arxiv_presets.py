"""The presets of ogbn-arxiv are specs, and their students have the published sizes."""

import pytest

from workbench.datasets.arxiv_presets import ARXIV
from workbench.spec import Spec

FEATURES, CLASSES = 128, 40  # of ogbn-arxiv
PUBLISHED = {"gcrd-arxiv-gcn": 43_816, "gcrd-arxiv-sage": 86_824, "gcrd-arxiv-sign": 3_566_128}


@pytest.mark.parametrize("name", ARXIV)
def test_the_student_of_a_preset_has_the_published_number_of_parameters(name):
    spec = Spec.parse({"dataset": "coauthor-physics", "method": "kd", **ARXIV[name]})
    assert spec.student.count_parameters(FEATURES, CLASSES) == PUBLISHED[name]
    assert spec.training.epochs == {"sign": 1000}.get(spec.student.name, 500)


def test_every_published_student_has_a_preset():
    assert set(ARXIV) == set(PUBLISHED)
