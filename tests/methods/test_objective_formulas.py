"""Every built-in method for single graphs, with every choice of its options, equals an independent formula."""

import pytest
import torch
from drawn import drawn_toys
from hypothesis import given, settings
from hypothesis import strategies as st
from option_choices import BUILT_IN, any_options, every_choice
from reference_terms import REFERENCES, weight_of
from torch import nn
from toys import built

from workbench.methods import ABKD, GCRD, GSP
from workbench.registry import methods


def shifted(config, toy, seed=0):
    """The objective, with gains and shifts of its normalisations that are not one and zero."""
    total = built(config, toy, seed)
    for name, parameter in total.named_parameters():
        if ".norm." in name:
            nn.init.normal_(parameter)
    return total


def same(terms, name, expected, **tolerance):
    assert list(terms) == [name]
    assert terms[name].item() == pytest.approx(float(expected), **tolerance)


def test_every_built_in_method_has_an_independent_formula():
    assert set(REFERENCES) == set(BUILT_IN) - {"none"}


@every_choice
def test_terms_equal_the_formula(name, options, make_toy):
    toy = make_toy(seed=4)
    config = methods[name].parse(options)
    total = shifted(config, toy)
    terms = toy.terms(total)
    if name == "none":
        assert terms == {}
        return
    expected = REFERENCES[name](config, total.parts[name], toy)
    assert expected > 1e-8
    same(terms, name, expected, rel=1e-9)


@pytest.mark.parametrize("name", REFERENCES)
@given(data=st.data(), toy=drawn_toys(), seed=st.integers(0, 10))
@settings(max_examples=15, deadline=None)
def test_drawn_options_shapes_and_graphs_equal_the_formula(name, data, toy, seed):
    """All options at once, models of any depth and width, graphs with duplicates, self-loops and isolated nodes."""
    config = methods[name].parse(data.draw(any_options(name)))
    total = shifted(config, toy, seed)
    same(toy.terms(total), name, REFERENCES[name](config, total.parts[name], toy), rel=1e-8, abs=1e-10)


@pytest.mark.parametrize(
    "config",
    [
        *[GSP(kernel=kernel, max_samples=5) for kernel in ("cosine", "poly", "l2", "rbf")],
        GCRD(max_samples=5),
        GCRD(max_samples=5, head="gcn"),
        GCRD(max_samples=5, nodes="train"),
        ABKD(structure=0.5, structure_samples=5),
    ],
    ids=str,
)
def test_a_sample_of_nodes_equals_the_formula_over_them(config, toy):
    total = shifted(config, toy)
    targets = total.targets(toy.teacher, toy.batch)
    count = toy.batch.num_nodes if config.nodes == "all" else int(toy.batch.train_mask.sum())
    torch.manual_seed(7)
    sample = torch.randperm(count)[:5].numpy()
    torch.manual_seed(7)
    terms = total(toy.student, targets, toy.batch)
    same(terms, config.name, REFERENCES[config.name](config, total.parts[config.name], toy, sample), rel=1e-9)
    assert terms[config.name].item() != pytest.approx(
        float(REFERENCES[config.name](config, total.parts[config.name], toy)), rel=1e-3
    )


@pytest.mark.parametrize("pool", ["node", "graph"])
def test_abkd_shares_a_projection_between_layers_of_equal_width_only(pool, make_toy):
    toy = make_toy()
    toy.teacher.hidden.insert(1, toy.teacher.hidden[0].detach().flip(0))  # widths 7, 7, 5 and the logits
    config = ABKD(share_projection=True, pool=pool)
    total = shifted(config, toy)
    values = total.parts["abkd"].teacher_value
    assert (weight_of(values, 0) == weight_of(values, 1)).all()
    assert len(values.maps) == 3
    same(toy.terms(total), "abkd", REFERENCES["abkd"](config, total.parts["abkd"], toy), rel=1e-9)
