"""Every method for single graphs, built-in or plug-in, on graphs and shapes that are awkward: finite terms, clear
errors."""

import pytest
import torch
from drawn import drawn_toys
from hypothesis import given, settings
from option_choices import BUILT_IN, ON_GRAPHS
from toys import Toy, built, masked_batch, numbers, random_output, rows

from workbench.errors import UsageError
from workbench.registry import methods
from workbench.spec import parse_method

every_method = pytest.mark.parametrize("name", ON_GRAPHS)
with_terms = pytest.mark.parametrize("name", [name for name in BUILT_IN if name != "none"])

GRAPHS = {
    "one edge and isolated nodes": [[0], [2]],
    "self-loops alone": [[0, 1, 2, 2], [0, 1, 2, 2]],
    "every edge three times": [[0, 2, 1, 4] * 3, [2, 0, 0, 2] * 3],
    "one hub": [[1, 2, 3, 4, 5, 1], [0, 0, 0, 0, 0, 0]],
    "all pairs": torch.cartesian_prod(torch.arange(6), torch.arange(6)).T.tolist(),
}


def toy_on(edges, nodes=6):
    generator = torch.Generator().manual_seed(0)
    batch = masked_batch(torch.tensor(edges).view(2, -1), torch.arange(nodes) % 2 == 0, generator)
    return Toy(batch, random_output(nodes, (5, 4), 3, generator), random_output(nodes, (3,), 3, generator))


def assert_finite(toy, terms):
    assert all(term.isfinite() for term in terms.values())
    if terms:
        sum(terms.values()).backward()
    assert all(layer.grad is None or layer.grad.isfinite().all() for layer in toy.student.layers)


@every_method
@pytest.mark.parametrize("graph", GRAPHS)
def test_terms_and_gradients_are_finite_on_any_graph(name, graph):
    toy = toy_on(GRAPHS[graph])
    assert_finite(toy, toy.terms(built(methods[name](), toy)))


@every_method
@given(toy=drawn_toys())
@settings(max_examples=10, deadline=None)
def test_models_of_any_depth_and_widths_fit_together(name, toy):
    objective = built(methods[name](), toy)
    assert_finite(toy, toy.terms(objective))
    assert all(p.grad is None or p.grad.isfinite().all() for p in objective.parameters())


@pytest.mark.parametrize("name", BUILT_IN)
def test_as_often_as_one_likes_every_edge_may_be_listed(name):
    once, twice = toy_on([[0, 1, 2, 4], [2, 2, 0, 0]]), toy_on([[0, 1, 2, 4] * 2, [2, 2, 0, 0] * 2])
    first, second = (toy.terms(built(methods[name](), toy)) for toy in (once, twice))
    assert numbers(second) == pytest.approx(numbers(first), rel=1e-9)


@with_terms
def test_a_batch_without_nodes_is_refused(name):
    toy = toy_on([], nodes=0)
    with pytest.raises(UsageError, match=r"at least one node|at least two|has no edges"):
        toy.terms(built(methods[name](), toy))


@with_terms
def test_a_single_node_is_fine_or_refused_where_it_has_no_variance(name):
    toy = toy_on([[0], [0]], nodes=1)
    objective = built(methods[name](), toy)
    if name in ("fitnet", "gcrd"):
        with pytest.raises(UsageError, match=r"at least two of them; got 1"):
            toy.terms(objective)
    else:
        assert_finite(toy, toy.terms(objective))


@pytest.mark.parametrize("name", [name for name in BUILT_IN if not methods[name].control])
@pytest.mark.parametrize("kept", [4, 5])
def test_a_student_on_other_nodes_than_its_teacher_is_refused(name, kept):
    toy = toy_on(GRAPHS["one hub"])
    for fewer in (Toy(toy.batch, toy.teacher, rows(toy.student, torch.arange(kept))),
                  Toy(toy.batch, rows(toy.teacher, torch.arange(kept)), toy.student)):  # fmt: skip
        with pytest.raises(UsageError, match=r"compares the same nodes|names node 5"):
            fewer.terms(built(methods[name](), fewer))


@pytest.mark.parametrize("name", [name for name in BUILT_IN if "nodes" in methods[name].model_fields])
def test_an_empty_training_mask_is_refused(name, toy):
    toy.batch.train_mask[:] = False
    (method,) = parse_method({"name": name, "nodes": "train"})
    with pytest.raises(UsageError, match=r"at least one node|at least two|no two training nodes"):
        toy.terms(built(method, toy))
