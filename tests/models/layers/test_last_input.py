"""What is made of a graph and of features is made once, and never used for others."""

import copy
import io
import pickle

import pytest
import torch

from workbench.errors import UsageError
from workbench.kernels.propagate import SparseOperator
from workbench.models import GCN, GCNII, GIN, SAGE
from workbench.models.layers import convolutions, last_input
from workbench.models.layers.edge_weights import WeightedEdges

NODES, IN, OUT = 30, 10, 3
MODELS = {
    "gcn": lambda **o: GCN(IN, 4, OUT, **o),
    "sage": lambda **o: SAGE(IN, 4, OUT, **o),
    "gin": lambda **o: GIN(IN, 4, OUT, batch_norm=False, **o),
    "gcnii": lambda **o: GCNII(IN, 4, OUT, 3, **o),
}
every_model = pytest.mark.parametrize("name", MODELS)


def edges(seed=0, count=60):
    return torch.randint(0, NODES, (2, count), generator=torch.Generator().manual_seed(seed))


def features(seed=1):
    return torch.randn(NODES, IN, generator=torch.Generator().manual_seed(seed))


def built(name, **options):
    torch.manual_seed(0)
    return MODELS[name](**options).eval()


@every_model
def test_a_fixed_graph_is_prepared_once_for_all_layers_epochs_and_modes(name, made):
    model, x, edge_index = built(name), features(), edges()
    for training in (True, False, True):
        model.train(training)(x, edge_index).sum().backward()
    assert made["graphs"] == 1


@every_model
@pytest.mark.parametrize("change", ["edge", "edges", "feature", "features", "nodes", "dtype"])
def test_whatever_changes_is_seen(name, change):
    model, x, edge_index = built(name, dropout=0.0), features(), edges()
    model(x, edge_index)
    if change == "edge":
        edge_index[0, 0] = (edge_index[0, 0] + 1) % NODES
    elif change == "edges":
        edge_index = edges(seed=5)
    elif change == "feature":
        x[0] += 1
    elif change == "features":
        x = features(seed=5)
    elif change == "nodes":
        x = torch.cat([x, x[:2]])
    else:
        model, x = model.double(), x.double()
    found = model(x, edge_index)
    fresh = built(name, dropout=0.0).to(x.dtype)
    assert torch.equal(found, fresh(x.clone(), edge_index.clone()))


@every_model
def test_a_new_tensor_at_the_place_of_a_gone_one_is_new(name):
    model, places = built(name), set()
    for seed in range(40):
        x, edge_index = features(seed), edges(seed)
        expected = built(name)(x.clone(), edge_index.clone())
        reused = {x.data_ptr(), edge_index.data_ptr()} & places
        places |= {x.data_ptr(), edge_index.data_ptr()}
        assert torch.equal(model(x, edge_index), expected)
        if reused:
            return
    pytest.skip("no memory was used again")


@pytest.mark.parametrize("name", ["gcn", "sage", "gin"])
def test_the_first_product_is_computed_once_where_it_is_constant(name, monkeypatch):
    widths = []
    propagate = last_input.propagate
    monkeypatch.setattr(convolutions, "propagate", lambda op, h, *b: widths.append(h.shape[1]) or propagate(op, h, *b))
    x, edge_index = features(), edges()

    def widths_of(model, x):
        widths.clear()
        model(x, edge_index).sum().backward()
        return widths[:-1], widths[-1]  # those of the first layer, that of the last

    fixed = built(name, dropout=0.0)
    for training, first in ((True, [IN]), (False, []), (True, [])):
        assert widths_of(fixed.train(training), x)[0] == first
    assert widths_of(fixed, features().requires_grad_())[0] != []
    dropping = built(name, dropout=0.5)
    assert [widths_of(dropping.train(t), x)[0] for t in (False, True, False)] == [[IN], [4], []]


def test_much_wider_features_are_multiplied_by_the_weights_first():
    model = GCN(500, 4, 3).eval()
    x, edge_index = torch.randn(NODES, 500), edges()
    model(x, edge_index)
    assert model.last_input.product(x, model.last_input.graph(x, edge_index), lambda h: h, width=4) is None
    assert model.last_input.product(x, model.last_input.graph(x, edge_index), lambda h: h, width=500) is x


@every_model
def test_results_do_not_depend_on_what_came_before(name):
    x, edge_index = features(), edges()
    fresh = built(name)(x, edge_index)
    model = built(name)
    for training in (True, False):
        model.train(training)(features(7), edges(7))
        model.train(training)(x, edge_index)
    assert torch.equal(model.eval()(x, edge_index), fresh)


@every_model
def test_features_with_gradients_are_never_taken_for_constants(name):
    model, x, edge_index = built(name, dropout=0.0), features(), edges()
    model(x, edge_index)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(model(x, edge_index).sum(), x)
    assert gradient.abs().sum() > 0


@every_model
def test_copies_start_empty_and_work(name):
    model, x, edge_index = built(name), features(), edges()
    expected = model(x, edge_index)
    other = copy.deepcopy(model)
    assert other.last_input is not model.last_input
    assert vars(other.last_input) == vars(built(name).last_input)  # as a new one
    assert all(conv.last_input is other.last_input for conv in other.convs)
    assert torch.equal(other(x, edge_index), expected)


@every_model
def test_what_is_pickled_of_it_is_empty(name):
    model = built(name)
    model(features(), edges())
    make, arguments = model.last_input.__reduce__()  # all that pickle and torch.save write of it
    assert vars(make(*arguments)) == vars(built(name).last_input)  # as a new one
    assert pickle.dumps(model)  # and nothing else of the model keeps what cannot be pickled
    torch.save(model, io.BytesIO())


@every_model
def test_nothing_of_it_is_a_weight(name):
    model = built(name)
    before = list(model.state_dict()), list(model.named_buffers())
    model(features(), edges())
    assert (list(model.state_dict()), list(model.named_buffers())) == before


@every_model
def test_training_may_follow_inference_mode(name):
    model, x, edge_index = built(name, dropout=0.0), features(), edges()
    with torch.inference_mode():
        expected = model(x, edge_index)
    found = model(x, edge_index)
    torch.testing.assert_close(found, expected)
    found.sum().backward()


@every_model
def test_tensors_whose_changes_are_not_counted_are_never_kept(name, made):
    model = built(name)
    with torch.inference_mode():
        x, edge_index = features(), edges()
    with torch.no_grad():
        for _ in range(2):
            torch.testing.assert_close(model(x, edge_index), built(name)(features(), edges()))
            with torch.inference_mode():
                edge_index[:, :5] = 0
                edge_index.copy_(edges())
    calls = made["graphs"]
    with torch.no_grad():
        model(x, edge_index)
    assert made["graphs"] > calls


@every_model
@pytest.mark.parametrize("wrong", [-1, NODES])
def test_an_edge_to_no_node_is_refused_in_words(name, wrong):
    edge_index = edges()
    edge_index[0, 3] = wrong
    with pytest.raises(UsageError, match=f"names node {wrong}"):
        built(name)(features(), edge_index)


@every_model
def test_half_precision_uses_the_list_of_edges(name):
    model, x, edge_index = built(name), features(), edges()
    assert isinstance(model.last_input.graph(x, edge_index), SparseOperator)
    with torch.autocast("cpu", torch.bfloat16):
        assert isinstance(model.last_input.graph(x, edge_index), WeightedEdges)
    assert isinstance(model.last_input.graph(x.bfloat16(), edge_index), WeightedEdges)


@every_model
def test_an_exported_model_keeps_nothing_and_computes_the_same(name):
    model, x, edge_index = built(name), features(), edges()
    expected = model(x, edge_index)
    exported = torch.export.export(model, (x, edge_index))
    torch.testing.assert_close(exported.module()(x, edge_index), expected)
    other_x, others = features(8), edges(8)
    torch.testing.assert_close(exported.module()(other_x, others), model(other_x, others))
    model(x, edge_index).sum().backward()  # nothing of the tracing stays behind
