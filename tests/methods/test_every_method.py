"""What holds for every registered method, built-in or plug-in: nothing here knows a method by name.

What needs a graph is tried with the methods for single graphs; the others have a suite of their own.
"""

import copy
from pathlib import Path

import pytest
import torch
from option_choices import ON_GRAPHS
from safetensors.torch import load_file, save_file
from toys import built, numbers

from workbench.models.base import Output
from workbench.options import describe
from workbench.registry import methods

every_method = pytest.mark.parametrize("name", methods.names())
on_graphs = pytest.mark.parametrize("name", ON_GRAPHS)


def test_no_method_of_the_package_escapes():
    others = set(methods.builtin_names()) - set(ON_GRAPHS)
    files = [Path(__file__).with_name(f"test_{name.replace('-', '_')}.py") for name in sorted(others)]
    assert [file.name for file in files if not file.is_file()] == []
    assert len(ON_GRAPHS) >= 10


def tensors_in(targets):
    if isinstance(targets, torch.Tensor):
        return [targets]
    if isinstance(targets, bool | int | float | str):
        return []
    parts = targets.values() if isinstance(targets, dict) else targets or ()
    return [tensor for part in parts for tensor in tensors_in(part)]


@on_graphs
def test_terms_are_finite_scalars_and_each_has_a_weight(name, toy):
    objective = built(methods[name](), toy)
    terms = toy.terms(objective)
    assert all(term.shape == () and term.isfinite() for term in terms.values())
    assert set(terms) | {"task"} == set(objective.weights())
    assert all(weight >= 0 for weight in objective.weights().values())


@on_graphs
def test_the_gradient_reaches_the_student_and_never_the_teacher(name, toy):
    objective = built(methods[name](), toy)
    terms = toy.terms(objective)
    if not terms:
        assert set(objective.weights()) == {"task"}
        return
    sum(terms.values()).backward()
    gradients = [tensor.grad for tensor in toy.student.layers if tensor.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert any(gradient.abs().sum() > 0 for gradient in gradients)
    assert all(tensor.grad is None for tensor in toy.teacher.layers)


@on_graphs
def test_every_trainable_projector_gets_a_gradient(name, toy):
    objective = built(methods[name](), toy)
    terms = toy.terms(objective)
    trained = [parameter for parameter in objective.parameters() if parameter.requires_grad]
    if trained:
        sum(terms.values()).backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in trained)


@on_graphs
def test_targets_are_tensors_cut_from_the_teacher(name, toy):
    targets = built(methods[name](), toy).targets(toy.teacher, toy.batch)
    assert all(not tensor.requires_grad for tensor in tensors_in(targets))


@on_graphs
@pytest.mark.parametrize("seed", [1, 2])
def test_names_of_nodes_and_order_of_edges_do_not_matter(name, toy, seed):
    objective = built(methods[name](), toy)
    terms, again = toy.terms(objective), toy.relabelled(seed).terms(objective)
    assert numbers(again) == pytest.approx(numbers(terms), rel=1e-9)


@on_graphs
def test_float32_and_float64_agree(name, make_toy):
    single, double = make_toy(dtype=torch.float32), make_toy(dtype=torch.float64)
    objective = built(methods[name](), single)
    terms, expected = single.terms(objective), double.terms(copy.deepcopy(objective).double())
    assert all(term.dtype == torch.float32 for term in terms.values())
    assert numbers(terms) == pytest.approx(numbers(expected), rel=1e-4)


@on_graphs
def test_losses_are_taken_in_float32_when_models_run_in_half_precision(name, make_toy):
    toy = make_toy(dtype=torch.float32)
    objective = built(methods[name](), toy)
    half = copy.copy(toy)
    half.student = Output(toy.student.logits.bfloat16(), [h.bfloat16() for h in toy.student.hidden])
    half.teacher = Output(toy.teacher.logits.bfloat16(), [h.bfloat16() for h in toy.teacher.hidden])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = half.terms(objective)
    rounded = copy.copy(half)
    rounded.student = Output(half.student.logits.float(), [h.float() for h in half.student.hidden])
    rounded.teacher = Output(half.teacher.logits.float(), [h.float() for h in half.teacher.hidden])
    expected = rounded.terms(objective)
    assert numbers(terms) == numbers(expected)


@on_graphs
def test_an_objective_is_the_same_after_it_was_saved_and_loaded(name, toy, tmp_path):
    objective, other = (built(methods[name](), toy, seed) for seed in (0, 1))
    toy.terms(objective)  # running means of a normalisation are kept too
    save_file(objective.state_dict(), tmp_path / "it.safetensors")
    other.load_state_dict(load_file(tmp_path / "it.safetensors"))
    for key, value in objective.state_dict().items():
        assert torch.equal(other.state_dict()[key], value)
    for training in (True, False):
        found, expected = (toy.terms(either.train(training)) for either in (other, objective))
        assert numbers(found) == numbers(expected)


@on_graphs
def test_no_two_tensors_of_the_state_share_memory(name, toy):
    """Weights are stored as safetensors, which refuses tensors that share memory."""
    places = [tensor.data_ptr() for tensor in built(methods[name](), toy).state_dict().values() if tensor.numel()]
    assert len(places) == len(set(places))


@on_graphs
def test_targets_may_be_used_for_many_steps(name, toy):
    objective = built(methods[name](), toy)
    targets = objective.targets(toy.teacher, toy.batch)
    before = [tensor.clone() for tensor in tensors_in(targets)]
    first = objective(toy.student, targets, toy.batch)
    second = objective(toy.student, targets, toy.batch)
    assert numbers(first) == numbers(second)
    assert all(torch.equal(a, b) for a, b in zip(before, tensors_in(targets), strict=True))


@every_method
def test_it_says_what_it_is(name):
    config = methods[name]
    assert config.title
    assert config.__doc__
    assert config.needs <= {"logits", "hidden", "edges"}
    assert all(info.help for info in describe(config))
    assert config.parse(config().model_dump()) == config()


@every_method
def test_it_rescales_the_task_only_if_it_says_so(name, toy):
    torch.manual_seed(0)
    weights = methods[name]().build(*toy.widths()).weights()
    assert ("task" in weights) == methods[name].sets_task


@pytest.mark.parametrize("name", methods.builtin_names())
def test_built_in_methods_cite_their_paper_and_show_their_formula(name):
    config = methods[name]
    assert config.formula
    if name == "none":
        assert config.paper is None  # the student alone is no published method
        return
    assert config.paper.title
    assert config.paper.authors
    assert config.paper.venue
    assert config.paper.url.startswith("https://arxiv.org/abs/")
    assert config.decisions
