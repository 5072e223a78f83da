"""Distill2Vec: scores of candidate links, some of which the teacher cannot judge."""

import math

import numpy as np
import numpy_formulas as formulas
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from option_choices import choices

from workbench.errors import UsageError
from workbench.methods import Distill2Vec, Sum, Widths, link_distribution_loss, link_probability_loss
from workbench.models.base import Output
from workbench.tasks.link_prediction import Candidates

LOSSES = {
    "candidates": (link_distribution_loss, formulas.link_distribution),
    "bernoulli": (link_probability_loss, formulas.link_probability),
}
every_variant = pytest.mark.parametrize("variant", LOSSES)
WIDTHS = Widths((3,), 3), Widths((2,), 2)


def scores(rows=5, columns=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(rows, columns, generator=generator, dtype=torch.float64)


def some_known():
    """A row of which nothing is known, one with one candidate, one with two, one with four, one with all."""
    known = torch.zeros(5, 6, dtype=torch.bool)
    known[1, 3] = known[2, 0] = known[2, 5] = True
    known[3, 1:5] = True
    known[4] = True
    return known


def batch(known=None):
    return Candidates(torch.zeros(5, dtype=torch.long), 3, known)


def term(config, student, teacher, known=None):
    objective = Sum((config,)).build(*WIDTHS)
    targets = objective.targets(Output(teacher, []), batch(known))
    return objective(Output(student, []), targets, batch(known))["distill2vec"]


def test_every_choice_is_a_variant_that_is_tried_here():
    assert {info.name: set(values) for info, values in choices("distill2vec")} == {"variant": set(LOSSES)}


@every_variant
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_known_candidates_are_compared_as_the_formula_says(variant, data):
    loss, formula = LOSSES[variant]
    rows, columns = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    student, teacher = 3 * rng.normal(size=(2, rows, columns))
    known = rng.random((rows, columns)) < data.draw(st.sampled_from([0.1, 0.5, 0.9, 1.0]))
    temperature = data.draw(st.sampled_from([0.3, 1.0, 4.0]))
    s = torch.from_numpy(student).requires_grad_()
    found = loss(s, torch.from_numpy(teacher), temperature, torch.from_numpy(known))
    assert found.item() == pytest.approx(formula(student, teacher, temperature, known), rel=1e-9, abs=1e-12)
    (gradient,) = torch.autograd.grad(found, s)
    assert gradient.isfinite().all()
    assert not gradient[~torch.from_numpy(known)].any()


@every_variant
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_method_gives_the_loss_of_its_variant(variant, temperature):
    config = Distill2Vec(variant=variant, temperature=temperature)
    for known in (None, some_known()):
        expected = LOSSES[variant][1](
            scores().numpy(), scores(seed=1).numpy(), temperature, None if known is None else known.numpy()
        )
        assert expected > 1e-3
        assert term(config, scores(), scores(seed=1), known).item() == pytest.approx(expected, rel=1e-9)


@every_variant
def test_to_be_unknown_is_to_be_left_out(variant):
    loss, student, teacher = LOSSES[variant][0], scores(), scores(seed=1)
    known = torch.zeros(5, 6, dtype=torch.bool)
    known[:, [1, 2, 5]] = True
    expected = loss(student[:, [1, 2, 5]], teacher[:, [1, 2, 5]])
    assert loss(student, teacher, 1.0, known).item() == pytest.approx(expected.item(), rel=1e-12)
    assert loss(student, teacher).item() != pytest.approx(expected.item(), rel=1e-2)


@every_variant
@pytest.mark.parametrize("value", [1e30, -1e30])
def test_it_does_not_matter_what_stands_where_nothing_is_known(variant, value):
    loss, known = LOSSES[variant][0], some_known()
    student, teacher = (scores(seed=seed).masked_fill(~known, value) for seed in (0, 1))
    expected = loss(scores(), scores(seed=1), 1.0, known)
    assert loss(student, teacher, 1.0, known).item() == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_unknown_candidates_get_nothing_also_beside_scores_far_below_zero(dtype):
    student, teacher = torch.tensor([[-3e4, -3e4, 0.0]]), torch.tensor([[-3e4 + 1.0, -3e4, 0.0]])
    known = torch.tensor([[True, True, False]])
    p = 1 / (1 + math.exp(-1))  # the teacher's choice between two that differ by one; the student cannot tell
    expected = p * math.log(2 * p) + (1 - p) * math.log(2 * (1 - p))
    found = link_distribution_loss(student.to(dtype), teacher.to(dtype), 1.0, known)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_a_row_with_a_single_known_candidate_counts_for_nothing():
    known = some_known()
    rows = [2, 3, 4]
    expected = link_distribution_loss(scores()[rows], scores(seed=1)[rows], 1.0, known[rows])
    assert link_distribution_loss(scores(), scores(seed=1), 1.0, known).item() == pytest.approx(expected.item())
    student = scores().requires_grad_()
    link_distribution_loss(student, scores(seed=1), 1.0, known).backward()
    assert not student.grad[:2].any()
    assert student.grad[2:].abs().sum(1).gt(0).all()


def test_pairs_by_themselves_count_one_by_one():
    known = some_known()
    expected = sum(
        formulas.link_probability(s[None, None], t[None, None])
        for s, t in zip(scores()[known].numpy(), scores(seed=1)[known].numpy(), strict=True)
    )
    found = link_probability_loss(scores(), scores(seed=1), 1.0, known)
    assert found.item() == pytest.approx(expected / 13, rel=1e-9)


@every_variant
def test_a_teacher_that_knows_nobody_teaches_nothing(variant):
    student = scores().requires_grad_()
    loss = LOSSES[variant][0](student, scores(seed=1), 1.0, torch.zeros(5, 6, dtype=torch.bool))
    loss.backward()
    assert loss == 0
    assert not student.grad.any()


@every_variant
def test_gradients_are_right_by_finite_differences(variant):
    student, teacher, known = scores().requires_grad_(), scores(seed=1), some_known()
    for temperature in (0.7, 3.0):
        config = Distill2Vec(variant=variant, temperature=temperature)
        assert torch.autograd.gradcheck(lambda s, c=config: term(c, s, teacher, known), (student,))


@every_variant
def test_the_teacher_gets_no_gradient(variant):
    student, teacher = scores().requires_grad_(), scores(seed=1).requires_grad_()
    for known in (None, some_known()):
        LOSSES[variant][0](student, teacher, 1.0, known).backward()
        term(Distill2Vec(variant=variant), student, teacher, known).backward()
    assert student.grad.any()
    assert teacher.grad is None


@every_variant
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_equal_scores_have_nothing_to_teach(variant, dtype):
    student = scores().to(dtype).requires_grad_()
    loss = LOSSES[variant][0](student, student.detach().clone(), 0.5, some_known())
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-12)
    assert student.grad.abs().max() < 1e-7


@every_variant
@pytest.mark.parametrize("distance", [1e-1, 1e-2, 1e-3])
def test_float32_is_right_also_near_the_teacher(variant, distance):
    teacher = scores(40, 20).float()
    student = teacher + distance * scores(40, 20, seed=1).float()
    loss, formula = LOSSES[variant]
    expected = formula(student.double().numpy(), teacher.double().numpy())
    assert loss(student, teacher).item() == pytest.approx(expected, rel=2e-3)


@every_variant
def test_a_temperature_divides_the_scores(variant):
    config, plain = Distill2Vec(variant=variant, temperature=3.0), Distill2Vec(variant=variant)
    found = term(config, 3 * scores(), 3 * scores(seed=1), some_known())
    assert found.item() == pytest.approx(term(plain, scores(), scores(seed=1), some_known()).item(), rel=1e-12)


def test_a_shift_of_a_nodes_scores_is_seen_pair_by_pair_only():
    student, teacher, shift = scores(), scores(seed=1), scores(5, 1, seed=2)
    for variant, blind in (("candidates", True), ("bernoulli", False)):
        loss = LOSSES[variant][0]
        same = loss(student + shift, teacher).item() == pytest.approx(loss(student, teacher).item(), rel=1e-9)
        assert same == blind


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0])
def test_gamma_weighs_distillation_and_the_rest_stays_for_the_links(gamma):
    weights = Distill2Vec(gamma=gamma).build(*WIDTHS).weights()
    assert weights == {"task": pytest.approx(1 - gamma), "distill2vec": gamma}


@every_variant
@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16], ids=str)
def test_scores_in_half_precision_are_compared_in_float32(variant, half):
    config, student, teacher = (
        Distill2Vec(variant=variant, temperature=50.0),
        scores().to(half),
        scores(seed=1).to(half),
    )
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = term(config, student, teacher, some_known())
    assert found.dtype == torch.float32
    assert torch.equal(found, term(config, student.float(), teacher.float(), some_known()))
    alone = LOSSES[variant][0](student, teacher, 50.0, some_known())  # as a pure function of such scores
    assert alone.dtype == half
    assert alone.isfinite()


@every_variant
def test_a_student_learns_what_its_teacher_believes(variant):
    teacher, known = scores(seed=1), some_known()
    student = torch.zeros_like(teacher).requires_grad_()
    optimiser = torch.optim.Adam([student], lr=0.1)
    for _ in range(300):
        optimiser.zero_grad()
        loss = term(Distill2Vec(variant=variant), student, teacher, known)
        loss.backward()
        optimiser.step()
    assert loss < 1e-4
    assert not student.detach()[~known].any()
    beliefs = [x[4].softmax(0) if variant == "candidates" else x[known].sigmoid() for x in (student.detach(), teacher)]
    torch.testing.assert_close(*beliefs, atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": 1.5}, "less than or equal to 1"),
        ({"gamma": -0.1}, "greater than or equal to 0"),
        ({"temperature": 0.0}, "greater than 0"),
        ({"variant": "bernouli"}, "'candidates' or 'bernoulli'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Distill2Vec.parse(options)


def test_scores_of_other_candidates_are_refused():
    with pytest.raises(UsageError, match=r"the same candidates.*\(5, 6\).*\(5, 4\)"):
        term(Distill2Vec(), scores(), scores(5, 4))


@every_variant
@pytest.mark.parametrize("known", [torch.ones(5, 1, dtype=torch.bool), torch.ones(5, 6)])
def test_a_mask_that_does_not_fit_is_refused(variant, known):
    with pytest.raises(UsageError, match=r"takes known as booleans of shape \(5, 6\)"):
        LOSSES[variant][0](scores(), scores(seed=1), 1.0, known)
