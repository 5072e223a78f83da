"""ABKD: its layers, projections, ablations and the maps that it shows."""

import pytest
import torch
from toys import built

from workbench import methods
from workbench.errors import UsageError
from workbench.methods import ABKD, Widths
from workbench.models.base import Output


@pytest.mark.parametrize("config", [ABKD(layers="hidden"), ABKD(pairs="last")])
def test_abkd_over_hidden_layers_needs_some(config):
    with pytest.raises(UsageError, match="this teacher has none"):
        config.build(Widths((), 3), Widths((4,), 3))


def test_abkd_with_logits_takes_a_model_without_hidden_layers():
    objective = ABKD().build(Widths((5, 6), 3), Widths((), 3))
    output = Output(torch.randn(4, 3), [torch.randn(4, 5), torch.randn(4, 6)])
    objective(Output(torch.randn(4, 3), []), objective.targets(output, None), None)
    assert objective.pictures()["attention"].shape == (3, 1)


def test_abkd_shares_projections_between_layers_of_equal_width():
    teacher = Widths((8,) * 64, 3)
    objective = ABKD(share_projection=True, subspace=None).build(teacher, Widths((4,), 3))
    assert sum(p.numel() for p in objective.teacher_value.parameters()) == (8 + 3) * 64


def test_abkd_frozen_projections_are_orthogonal_and_stay():
    objective = ABKD(frozen_teacher=True, projection=8, subspace=4).build(Widths((8, 8), 3), Widths((4,), 3))
    for weight in (objective.teacher_value.maps[0].weight, objective.subspace.weight):
        assert not weight.requires_grad
        assert torch.allclose(weight @ weight.T, torch.eye(len(weight)), atol=1e-5)


def test_abkd_shows_its_maps(toy):
    objective = built(ABKD(), toy)
    assert objective.pictures() == {}
    (term,) = toy.terms(objective).values()
    pictures = objective.pictures()
    assert set(pictures) == {"abkd-attention", "abkd-dissimilarity"}
    assert all(p.shape == (3, 2) and not p.requires_grad for p in pictures.values())
    assert torch.allclose(pictures["abkd-attention"].sum(1), torch.ones(3, dtype=torch.float64))
    expected = methods.abkd_loss(pictures["abkd-attention"], pictures["abkd-dissimilarity"])
    assert term.item() == pytest.approx(expected.item())


def test_abkd_in_half_scale_projections_is_no_smaller():
    """Shrinking both projections does not help the student: rows have length one."""
    objective = ABKD(subspace=None).build(Widths((5,), 3), Widths((4,), 3))
    output = Output(torch.randn(9, 3), [torch.randn(9, 5)])
    student = Output(torch.randn(9, 3), [torch.randn(9, 4)])
    targets = objective.targets(output, None)
    before = objective(student, targets, None)["abkd"]
    with torch.no_grad():
        for layer in (*objective.teacher_value.maps, *objective.student_value.maps):
            layer.weight.mul_(0.01)
    assert torch.allclose(objective(student, targets, None)["abkd"], before)


def test_uniform_attention_gives_the_mean_dissimilarity_over_student_layers(toy):
    objective = built(ABKD(attention="uniform"), toy)
    (term,) = toy.terms(objective).values()
    pictures = objective.pictures()
    assert torch.equal(pictures["abkd-attention"], torch.full((3, 2), 1 / 2, dtype=torch.float64))
    assert term.item() == pytest.approx(pictures["abkd-dissimilarity"].mean().item() / 2)


def test_the_last_pair_alone_is_the_distance_of_the_last_hidden_layers(toy):
    """One student layer takes all attention, learned or not."""
    for attention in ("learned", "uniform"):
        objective = built(ABKD(pairs="last", attention=attention), toy)
        (term,) = toy.terms(objective).values()
        pictures = objective.pictures()
        assert pictures["abkd-attention"].tolist() == [[1.0]]
        assert term.item() == pytest.approx(pictures["abkd-dissimilarity"].item())


def test_frozen_projections_of_the_teacher_keep_features_apart(toy):
    """Training the rest cannot move what the teacher's side gives."""
    objective = built(ABKD(frozen_teacher=True), toy)
    frozen = {name: p for name, p in objective.named_parameters() if not p.requires_grad}
    assert {name.split(".")[2] for name in frozen} == {"teacher_value", "subspace"}
    sum(toy.terms(objective).values()).backward()
    assert all(p.grad is None for p in frozen.values())
