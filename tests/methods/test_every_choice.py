"""What holds for every choice of every option of a built-in method: gradients, invariances, number formats."""

import copy

import pytest
import torch
from option_choices import every_choice
from toys import Toy, built, masked_batch, numbers, random_output

from workbench.models.base import Output
from workbench.registry import methods


def smooth_toy():
    """Seven nodes at no point where a loss has a kink: no row of zeros, no two nodes in one place."""
    generator = torch.Generator().manual_seed(6)
    edges = torch.tensor([[0, 2, 4, 1, 3, 5, 2, 2, 0, 0], [2, 0, 2, 0, 1, 4, 2, 4, 2, 5]])  # 6 is isolated
    batch = masked_batch(edges, torch.arange(7) % 2 == 0, generator)
    return Toy(batch, random_output(7, (5, 4), 3, generator), random_output(7, (3,), 3, generator))


@every_choice
def test_gradients_on_the_student_are_right_by_finite_differences(name, options):
    toy = smooth_toy()
    objective = built(methods[name].parse(options), toy)
    targets = objective.targets(toy.teacher, toy.batch)
    if name == "none":
        assert objective(toy.student, targets, toy.batch) == {}
        return

    def total(*layers):
        return sum(objective(Output(layers[-1], list(layers[:-1])), targets, toy.batch).values())

    assert torch.autograd.gradcheck(total, tuple(toy.student.layers), atol=1e-6, fast_mode=True)
    total(*toy.student.layers).backward()
    reached = [layer for layer in toy.student.layers if layer.grad is not None and layer.grad.any()]
    assert reached


@every_choice
def test_gradients_on_projectors_are_right_along_a_direction(name, options):
    toy = smooth_toy()
    objective = built(methods[name].parse(options), toy)
    targets = objective.targets(toy.teacher, toy.batch)
    trained = [p for p in objective.parameters() if p.requires_grad]
    if not trained:
        assert name not in ("fitnet", "gcrd", "abkd")
        return

    def total():
        return sum(objective(toy.student, targets, toy.batch).values())

    gradients = torch.autograd.grad(total(), trained)
    assert all(gradient.any() for gradient in gradients) or name == "abkd"  # whose shared maps may be unused
    directions = [torch.randn_like(p) for p in trained]
    values = []
    with torch.no_grad():
        for step in (1e-6, -2e-6):
            for parameter, direction in zip(trained, directions, strict=True):
                parameter += step * direction
            values.append(total().item())
    slope = sum((g * d).sum().item() for g, d in zip(gradients, directions, strict=True))
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(slope, rel=1e-4, abs=1e-8)


@every_choice
def test_the_teacher_gets_no_gradient(name, options, toy):
    terms = toy.terms(built(methods[name].parse(options), toy))
    if terms:
        sum(terms.values()).backward()
    assert all(layer.grad is None for layer in toy.teacher.layers)


@every_choice
def test_names_of_nodes_and_order_of_edges_do_not_matter(name, options, toy):
    objective = built(methods[name].parse(options), toy)
    assert numbers(toy.relabelled(3).terms(objective)) == pytest.approx(numbers(toy.terms(objective)), rel=1e-9)


@every_choice
def test_float32_and_float64_agree_in_terms_and_gradients(name, options, make_toy):
    single, double = make_toy(dtype=torch.float32), make_toy()
    objective = built(methods[name].parse(options), single)
    found, expected = single.terms(objective), double.terms(copy.deepcopy(objective).double())
    assert all(term.dtype == torch.float32 for term in found.values())
    assert numbers(found) == pytest.approx(numbers(expected), rel=1e-4)
    for terms in (found, expected):
        if terms:
            sum(terms.values()).backward()
    for a, b in zip(single.student.layers, double.student.layers, strict=True):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            assert (a.grad - b.grad).norm() <= 1e-3 * b.grad.norm() + 1e-7


@every_choice
@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16], ids=str)
def test_under_autocast_losses_and_gradients_are_those_of_float32(name, options, half, make_toy):
    """Models give half precision then; the losses are taken of what they gave, in float32."""
    toy = make_toy(dtype=torch.float32)
    objective = built(methods[name].parse(options), toy)

    def rounded(dtype):
        def output(found):
            logits, *hidden = [h.detach().to(half).to(dtype).requires_grad_() for h in (found.logits, *found.hidden)]
            return Output(logits, hidden)

        return Toy(toy.batch, output(toy.teacher), output(toy.student))

    low, full = rounded(half), rounded(torch.float32)
    with torch.autocast("cpu", dtype=half):
        terms = low.terms(objective)
        total = sum(terms.values())
    expected = full.terms(objective)
    assert all(term.dtype == torch.float32 for term in terms.values())
    assert numbers(terms) == numbers(expected)
    if terms:
        total.backward()
        sum(expected.values()).backward()
    for a, b in zip(low.student.layers, full.student.layers, strict=True):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            torch.testing.assert_close(a.grad, b.grad.to(half))
