"""Every built-in method, with every choice of its options, equals an independent formula from end to end."""

import numpy as np
import numpy_formulas as formulas
import pytest
import torch

from workbench.methods.base import Sum
from workbench.options import describe
from workbench.registry import methods

NUMBERS = {  # other values of options that are numbers
    "kd": [{"temperature": 2.0}],
    "lsp": [{"sigma": 2.0}],
    "gcrd": [{"temperature": 0.5}, {"projection": 3}],
    "fitnet": [{"projection": 3}],
    "abkd": [{"structure": 0.5}, {"subspace": None}, {"subspace": 3, "projection": 5}],
}


def array(tensor):
    return tensor.detach().double().numpy()


def last_hidden(config, toy):
    """(student, teacher) features and the edges among the chosen nodes."""
    keep = np.arange(12) if config.nodes == "all" else np.flatnonzero(toy.batch.train_mask.numpy())
    place = {node: position for position, node in enumerate(keep)}
    edges = [(place[j], place[i]) for j, i in toy.batch.edge_index.T.tolist() if j in place and i in place]
    student, teacher = array(toy.student.hidden[-1])[keep], array(toy.teacher.hidden[-1])[keep]
    return student, teacher, np.array(edges).T, keep


def projected(head, features):
    out = formulas.linear(array(head.linear.weight), array(head.linear.bias), features)
    return formulas.batch_norm_relu(out, array(head.norm.weight), array(head.norm.bias))


def kd(config, objective, toy):
    keep = slice(None) if config.nodes == "all" else toy.batch.train_mask.numpy()
    student, teacher = array(toy.student.logits)[keep], array(toy.teacher.logits)[keep]
    return formulas.kd(student, teacher, config.temperature, config.convention)


def glnn(config, objective, toy):
    return formulas.glnn(array(toy.student.logits), array(toy.teacher.logits))


def fitnet(config, objective, toy):
    student, teacher, _, _ = last_hidden(config, toy)
    return formulas.fitnet(projected(objective.student_head, student), projected(objective.teacher_head, teacher))


def at(config, objective, toy):
    student, teacher, _, _ = last_hidden(config, toy)
    return formulas.attention_transfer(student, teacher, config.p)


def lsp(config, objective, toy):
    student, teacher, edges, _ = last_hidden(config, toy)
    return formulas.lsp(
        student, teacher, edges, config.kernel, config.sigma, config.direction, convention=config.convention
    )


def gsp(config, objective, toy):
    student, teacher, _, _ = last_hidden(config, toy)
    return formulas.gsp(student, teacher, config.kernel)


def gcrd(config, objective, toy):
    student, teacher, _, keep = last_hidden(config, toy)
    if config.head == "mlp":
        sides = projected(objective.student_head, student), projected(objective.teacher_head, teacher)
        return formulas.gcrd(*sides, config.temperature)
    sides = []
    for head, output in ((objective.student_head, toy.student), (objective.teacher_head, toy.teacher)):
        weight, bias = array(head.conv.lin.weight), array(head.conv.bias)
        out = formulas.graph_convolution(weight, bias, array(output.hidden[-1]), toy.batch.edge_index.numpy())
        sides.append(formulas.batch_norm_relu(out, array(head.norm.weight), array(head.norm.bias))[keep])
    return formulas.gcrd(*sides, config.temperature)


def abkd(config, objective, toy):
    _, _, _, keep = last_hidden(config, toy)
    layers, pooled = {}, {}
    for role in ("teacher", "student"):
        output = getattr(toy, role)
        features = [array(h)[keep] for h in (*output.hidden, output.logits)]
        if config.pairs == "last":
            features = features[-2:-1]
        elif config.layers == "hidden":
            features = features[:-1]
        layers[role] = []
        for position, f in enumerate(features):
            out = f @ array(weight_of(getattr(objective, f"{role}_value"), position)).T
            if config.subspace:
                out = out @ array(objective.subspace.weight).T
            layers[role].append(formulas.normalised(out, config.normalise))
        if config.attention == "learned":
            maps = objective.teacher_query if role == "teacher" else objective.student_key
            pooled[role] = [array(weight_of(maps, place)) @ f.mean(0) for place, f in enumerate(features)]
    distance = formulas.abkd_dissimilarity(layers["teacher"], layers["student"], config.pool)
    contrast = np.array([[formulas.gcrd(s, t) for s in layers["student"]] for t in layers["teacher"]])
    attention = np.full_like(distance, 1 / distance.shape[1])
    if config.attention == "learned":
        attention = formulas.abkd_attention(pooled["teacher"], pooled["student"])
    return formulas.abkd(attention, distance + config.structure * contrast)


def weight_of(projections, layer):
    return projections.maps[projections.place[layer]].weight


REFERENCES = {"kd": kd, "glnn": glnn, "fitnet": fitnet, "at": at, "lsp": lsp, "gsp": gsp, "gcrd": gcrd, "abkd": abkd}


def cases():
    """The defaults of every built-in method, and each choice of each option on its own."""
    for name in methods.builtin_names():
        config = methods[name]
        yield name, {}
        for info in describe(config):
            values = {"choice": info.choices, "bool": (True, False)}.get(info.kind, ())
            yield from ((name, {info.name: value}) for value in values if value != info.default)
        yield from ((name, values) for values in NUMBERS.get(name, ()))


def test_every_built_in_method_has_an_independent_formula():
    assert set(REFERENCES) == set(methods.builtin_names()) - {"none"}


@pytest.mark.parametrize(("name", "options"), list(cases()), ids=str)
def test_terms_equal_the_formula(name, options, make_toy):
    toy = make_toy(seed=4)
    config = methods[name].parse(options)
    torch.manual_seed(0)
    total = Sum((config,)).build(*toy.widths()).double()
    terms = toy.terms(total)
    if name == "none":
        assert terms == {}
        return
    assert list(terms) == [name]
    expected = float(REFERENCES[name](config, total.parts[name], toy))
    assert expected > 1e-8
    assert terms[name].item() == pytest.approx(expected, rel=1e-9)
