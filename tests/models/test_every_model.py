"""What holds for every registered model of single graphs, in every setting of its switches.

Models of other tasks have a suite of their own.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import workbench.models
from workbench.models import GraphModel, ModelConfig, features_for
from workbench.options import describe
from workbench.registry import models

IN, OUT, NODES = 12, 5, 30


def switched(name: str) -> Iterator[ModelConfig]:
    """The defaults (three layers, to have a middle one), and each switch turned the other way."""
    config = models[name]
    base = {} if config.depth_option is None else {config.depth_option: 3}
    yield config(**base)
    for option in describe(config):
        if option.kind == "bool":
            yield config(**base, **{option.name: not option.default})


ON_GRAPHS = [name for name in models.names() if models[name].task == "node classification"]
CASES = [config for name in ON_GRAPHS for config in switched(name)]
every_model = pytest.mark.parametrize(
    "config",
    CASES,
    ids=lambda c: f"{c.name}-{'-'.join(f'{k}={getattr(c, k)}' for k in sorted(c.model_fields_set))}",
)


def built(config: ModelConfig, seed: int = 0) -> GraphModel:
    torch.manual_seed(seed)
    return config.build(IN, OUT).eval()


@pytest.fixture
def x() -> Tensor:
    return torch.randn(NODES, IN, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def edge_index() -> Tensor:
    """Directed edges, one of them twice, one self-loop; nodes 25 to 29 have none."""
    edges = torch.randint(0, 25, (2, 60), generator=torch.Generator().manual_seed(2))
    return torch.cat([edges, edges[:, :1], torch.tensor([[3], [3]])], dim=1)


def all_configs(base: type = ModelConfig) -> Iterator[type]:
    for cls in base.__subclasses__():
        yield cls
        yield from all_configs(cls)


def test_no_model_of_the_package_escapes_this_suite():
    for module in pkgutil.iter_modules(workbench.models.__path__, "workbench.models."):
        importlib.import_module(module.name)
    ours = {c for c in all_configs() if c.__module__.startswith("workbench.models.")}
    buildable = {c for c in ours if "build" in vars(c)}
    assert buildable == {models[name] for name in models.builtin_names()}
    assert {config.name for config in CASES} == set(ON_GRAPHS)
    of_whole_graphs = {name for name in models if "graphs" in (models[name].takes or ())}
    others = set(models.builtin_names()) - set(ON_GRAPHS) - of_whole_graphs  # these: test_graph_models.py
    assert [name for name in others if not Path(__file__).with_name(f"test_{name}.py").is_file()] == []
    assert len(buildable) >= 7


@every_model
def test_forward_is_the_logits_of_encode(config, x, edge_index):
    model = built(config)
    output = model.encode(x, edge_index)
    assert output.logits.shape == (NODES, OUT)
    assert torch.equal(model(x, edge_index), output.logits)


@every_model
def test_hidden_holds_every_hidden_layer_in_order(config, x, edge_index):
    hidden = built(config).encode(x, edge_index).hidden
    assert len(hidden) in (config.num_layers, config.num_layers - 1)  # with a linear layer out, or without
    width = config.hidden_channels * getattr(config, "heads", 1)
    assert [h.shape for h in hidden] == [(NODES, width)] * len(hidden)
    assert all(h.requires_grad for h in hidden)


@every_model
def test_hidden_states_are_what_the_next_layer_reads(config, x, edge_index):
    output = built(config).encode(x, edge_index)
    gradients = torch.autograd.grad(output.logits.sum(), output.hidden)
    assert all(g.abs().sum() > 0 for g in gradients)


@every_model
def test_dropout_is_part_of_the_hidden_states(config, x, edge_index):
    model = built(config.replace(dropout=0.9))
    width = config.hidden_channels * getattr(config, "heads", 1)
    if width < 8:
        pytest.skip("too narrow to tell dropped entries from zero activations")
    kept = model.encode(x, edge_index).hidden[0].ne(0).float().mean()
    left = model.train().encode(x, edge_index).hidden[0].ne(0).float().mean()
    assert left < 0.3 * kept


@every_model
def test_attention_is_a_distribution_over_in_neighbours(config, x, edge_index):
    attention = built(config).encode(x, edge_index).attention
    if not hasattr(config, "heads"):
        assert attention is None
        return
    assert len(attention) == config.num_layers
    heads = [config.heads] * (config.num_layers - 1) + [config.out_heads]
    for layer, count in zip(attention, heads, strict=True):
        assert layer.weight.shape == (layer.edge_index.shape[1], count)
        assert (layer.weight >= 0).all()
        total = torch.zeros(NODES, count).index_add(0, layer.edge_index[1], layer.weight)
        torch.testing.assert_close(total, torch.ones(NODES, count))


@every_model
def test_renaming_nodes_renames_the_outputs(config, x, edge_index):
    model = built(config)
    order = torch.randperm(NODES, generator=torch.Generator().manual_seed(3))  # new node i is old node order[i]
    place = torch.empty_like(order).scatter_(0, order, torch.arange(NODES))
    shuffled = place[edge_index][:, torch.randperm(edge_index.shape[1], generator=torch.Generator().manual_seed(4))]
    straight, renamed = model.encode(x, edge_index), model.encode(x[order], shuffled)
    for a, b in zip(straight.layers, renamed.layers, strict=True):
        torch.testing.assert_close(a[order], b, rtol=1e-4, atol=1e-5)


@every_model
def test_a_seed_fixes_weights_and_dropout(config, x, edge_index):
    one, two, other = built(config, 7).train(), built(config, 7).train(), built(config, 8)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    logits = []
    for model in (one, two):
        torch.manual_seed(9)
        logits.append(model(x, edge_index))
    assert torch.equal(*logits)
    assert not torch.equal(one(x, edge_index), logits[0])


@every_model
def test_reset_parameters_draws_them_anew_and_reproducibly(config, x, edge_index):
    model = built(config)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.train()(x, edge_index)  # moves running statistics, where there are any
    after = []
    for _ in range(2):
        torch.manual_seed(5)
        model.reset_parameters()
        after.append({key: value.clone() for key, value in model.state_dict().items()})
    assert all(torch.equal(after[0][key], after[1][key]) for key in before)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            assert not torch.equal(parameter, before[name]), name
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name]), name


@every_model
def test_isolated_nodes_have_finite_outputs_and_gradients(config, x, edge_index):
    model = built(config)
    output = model.encode(x, edge_index)
    assert all(layer.isfinite().all() for layer in output.layers)
    output.logits[25:].sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@every_model
@pytest.mark.parametrize("training", [False, True])
def test_a_graph_without_edges_trains(config, x, training):
    model = built(config).train(training)
    logits = model(x, torch.empty(2, 0, dtype=torch.long))
    assert logits.isfinite().all()
    logits.sum().backward()


@every_model
def test_weights_survive_safetensors(config, x, edge_index, tmp_path):
    model, other = built(config, 0), built(config, 1)
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert torch.equal(model(x, edge_index), other(x, edge_index))


@every_model
def test_every_weight_learns(config, x, edge_index):
    model = built(config)
    model(x, edge_index).square().sum().backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None]
    assert unused == []


@every_model
def test_counting_builds_nothing_and_counts_everything(config):
    torch.manual_seed(0)
    state = torch.random.get_rng_state()
    count = config.count_parameters(IN, OUT)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert count == sum(p.numel() for p in config.build(IN, OUT).parameters())


@every_model
def test_sparse_features_give_the_same_outputs_and_gradients(config, x, edge_index):
    dense = torch.where(x > 1.8, x, 0.0)  # about 4 % of the entries
    model = built(config)
    sparse = features_for(model, dense)
    assert (sparse.layout == torch.sparse_csr) == model.takes_sparse
    results = []
    for features in (dense, sparse):
        model.zero_grad()
        output = model.encode(features, edge_index)
        output.logits.square().sum().backward()
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in model.parameters()]
        results.append([*output.layers, *gradients])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    assert model.train()(sparse, edge_index).isfinite().all()


@every_model
def test_sparse_features_also_train_in_bfloat16(config, x, edge_index):
    model = built(config).train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(features_for(model, torch.where(x > 1.8, x, 0.0)), edge_index)
    logits.float().sum().backward()
    assert logits.isfinite().all()


@every_model
def test_a_model_prints_as_one_line_with_its_size(config):
    text = repr(config.build(IN, OUT))
    assert text.startswith(type(config.build(IN, OUT)).__name__ + "(")
    assert "\n" not in text
    assert f"{config.count_parameters(IN, OUT):,} parameters" in text


@pytest.mark.parametrize("name", models.names())
def test_presets_are_options_and_the_teacher_is_the_larger(name):
    config = models[name]
    teacher, student = config(**config.teacher_preset), config(**config.student_preset)
    assert teacher.count_parameters(1433, 7) >= student.count_parameters(1433, 7)


@pytest.mark.parametrize("name", models.names())
def test_training_defaults_are_options_of_a_training(name):
    from workbench.spec import Training

    Training.parse(models[name].training_defaults)


@every_model
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_model_that_says_so_computes_the_same_in_training(config, dropout, x, edge_index):
    model = built(config.replace(dropout=dropout))
    expected = model(x, edge_index)
    found = model.train()(x, edge_index)
    if model.same_in_training:
        assert torch.equal(found, expected)
    if getattr(config, "batch_norm", False) or dropout:
        assert not torch.equal(found, expected)
    elif not hasattr(config, "heads") and not getattr(config, "input_dropout", 0):
        assert model.same_in_training


@every_model
def test_one_layer_is_a_model_too(config, x, edge_index):
    model = built(config.replace(num_layers=1))
    assert model(x, edge_index).shape == (NODES, OUT)
