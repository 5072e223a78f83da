"""A module of one's own as teacher or student, without changing a line of it."""

import copy
import gc
import weakref

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch_geometric.nn import GAT, GCN, GATConv, GCNConv, TransformerConv

from workbench.errors import UsageError
from workbench.models import GATConfig, Tapped, wrap

IN, OUT, NODES = 6, 3, 15
X = torch.randn(NODES, IN, generator=torch.Generator().manual_seed(0))
EDGES = torch.randint(0, NODES, (2, 40), generator=torch.Generator().manual_seed(1))


class Own(nn.Module):
    """As a user writes it: no base class of ours, a shared activation, a pair as a layer's output."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = GCNConv(IN, 8)
        self.conv2 = GATConv(8, 4, heads=2)
        self.act = nn.ELU()
        self.head = nn.Linear(8, OUT)
        self.pair = Pair()
        self.idle = nn.Linear(2, 2)
        self.pool = Pool()

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.act(self.conv1(x, edge_index))
        x, _ = self.pair(x)
        self.pool(x)
        return self.head(self.act(self.conv2(x, edge_index)))


class Pair(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, str]:
        return 2 * x, "and something else"


class Pool(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(0)


@pytest.fixture
def own() -> Own:
    torch.manual_seed(0)
    return Own().eval()


def hooks_on(module: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in module.modules())


def test_tapped_layers_become_hidden_states_in_the_order_named(own):
    output = wrap(own, layers=["conv1", "conv2"]).encode(X, EDGES)
    first = own.conv1(X, EDGES)
    second = own.conv2(2 * own.act(first), EDGES)
    torch.testing.assert_close(output.hidden, [first, second])
    assert torch.equal(output.logits, own(X, EDGES))
    assert output.attention is None


def test_forward_is_the_modules_own(own):
    wrapped = wrap(own, layers=["conv1"])
    assert torch.equal(wrapped(X, EDGES), own(X, EDGES))
    assert torch.equal(wrapped(X, EDGES), wrapped.encode(X, EDGES).logits)


def test_of_a_tuple_the_first_tensor_is_taken(own):
    hidden = wrap(own, layers=["pair"]).encode(X, EDGES).hidden[0]
    torch.testing.assert_close(hidden, 2 * own.act(own.conv1(X, EDGES)))


def test_of_a_module_that_runs_twice_the_last_run_counts(own):
    hidden = wrap(own, layers=["act"]).encode(X, EDGES).hidden[0]
    torch.testing.assert_close(own.head(hidden), own(X, EDGES))


def test_gradients_flow_through_the_taps(own):
    wrapped = wrap(own, layers=["conv1"])
    wrapped.encode(X, EDGES).hidden[0].sum().backward()
    assert own.conv1.lin.weight.grad.abs().sum() > 0


def test_weights_are_shared_and_carry_the_modules_own_names(own, tmp_path):
    wrapped = wrap(own, layers=["conv1"])
    assert {id(p) for p in wrapped.parameters()} == {id(p) for p in own.parameters()}
    assert list(wrapped.state_dict()) == list(own.state_dict())
    save_file(wrapped.state_dict(), tmp_path / "own.safetensors")
    other = Own().eval()
    other.load_state_dict(load_file(tmp_path / "own.safetensors"))
    torch.testing.assert_close(other(X, EDGES), own(X, EDGES))
    third = wrap(Own().eval(), layers=["conv1"])
    assert not torch.equal(third(X, EDGES), own(X, EDGES))
    third.load_state_dict(own.state_dict())
    assert torch.equal(third(X, EDGES), own(X, EDGES))


def test_weights_load_inside_a_larger_module_too(own):
    outer = nn.ModuleDict({"student": wrap(own, layers=["conv1"])})
    assert list(outer.state_dict()) == [f"student.{key}" for key in own.state_dict()]
    other = nn.ModuleDict({"student": wrap(Own().eval(), layers=["conv1"])})
    other.load_state_dict(outer.state_dict())
    assert torch.equal(other["student"](X, EDGES), own(X, EDGES))


def test_missing_and_unknown_weights_are_still_refused(own):
    weights = own.state_dict()
    with pytest.raises(RuntimeError, match="Missing key"):
        wrap(Own(), ["conv1"]).load_state_dict({k: v for k, v in weights.items() if k != "head.bias"})
    with pytest.raises(RuntimeError, match="Unexpected key"):
        wrap(Own(), ["conv1"]).load_state_dict({**weights, "tail.bias": torch.zeros(1)})


def test_a_module_whose_part_is_called_module_is_loaded_right():
    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(IN, OUT))
            self.module = nn.Linear(OUT, OUT)
            self.module.module = nn.Linear(OUT, OUT)

        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            return self.module.module(self.module(x @ self.weight))

    one, two = wrap(Inner(), ["module"]), wrap(Inner(), ["module"])
    two.load_state_dict(one.state_dict())
    assert torch.equal(one(X, EDGES), two(X, EDGES))


def test_modes_and_devices_reach_the_module(own):
    wrapped = wrap(own, layers=["conv1"])
    assert not wrapped.training
    assert wrapped.train().module.training
    assert not wrapped.eval().module.training
    assert wrapped.double()(X.double(), EDGES).dtype == torch.float64


def test_nothing_stays_on_the_module(own):
    wrapped = wrap(own, layers=["conv1", "act"], attention=["conv2"])
    assert hooks_on(own) == 0
    wrapped.encode(X, EDGES)
    assert hooks_on(own) == 0


def test_nothing_stays_on_the_module_when_it_fails(own):
    wrapped = wrap(own, layers=["conv1"], attention=["conv2"])
    with pytest.raises(RuntimeError):
        wrapped.encode(X[:, :2], EDGES)
    assert hooks_on(own) == 0


def test_outputs_are_freed_with_the_last_reference_to_them(own):
    wrapped = wrap(own, layers=["conv1"], attention=["conv2"])
    gc.collect()
    gc.disable()  # reference counting alone must do
    try:
        output = wrapped.encode(X, EDGES)
        watched = [weakref.ref(t) for t in (output.logits, output.hidden[0], output.attention[0].weight)]
        del output
        assert [ref() for ref in watched] == [None] * 3
    finally:
        gc.enable()


def test_a_deep_copy_is_a_model_of_its_own(own):
    wrapped = wrap(own, layers=["conv1"], attention=["conv2"])
    copied = copy.deepcopy(wrapped)
    with torch.no_grad():
        own.conv1.lin.weight.zero_()
        own.conv1.bias.zero_()
    assert wrapped.encode(X, EDGES).hidden[0].abs().max() == 0
    assert copied.encode(X, EDGES).hidden[0].abs().max() > 0
    copied.load_state_dict(own.state_dict())
    assert torch.equal(copied(X, EDGES), own(X, EDGES))


@pytest.mark.parametrize("layer", [GATConv(IN, 4, heads=2), TransformerConv(IN, 4, heads=2)])
def test_attention_is_asked_for_and_the_module_does_not_notice(layer):
    class Attending(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = layer
            self.head = nn.Linear(8, OUT)

        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            return self.head(self.conv(x, edge_index))

    module = Attending().eval()
    output = wrap(module, layers=["conv"], attention=["conv"]).encode(X, EDGES)
    assert torch.equal(output.logits, module(X, EDGES))
    assert torch.equal(output.hidden[0], layer(X, EDGES))
    _, (edges, weight) = layer(X, EDGES, return_attention_weights=True)
    assert torch.equal(output.attention[0].edge_index, edges)
    assert torch.equal(output.attention[0].weight, weight)


@pytest.mark.parametrize("positional", [True, False])
def test_attention_that_the_module_asks_for_itself_still_reaches_it(positional):
    class Asking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = GATConv(IN, OUT)

        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            asked = (None, None, True) if positional else ()
            options = {} if positional else {"return_attention_weights": True}
            out, (_, weight) = self.conv(x, edge_index, *asked, **options)
            return out * weight.mean()

    module = Asking().eval()
    output = wrap(module, layers=["conv"], attention=["conv"]).encode(X, EDGES)
    assert torch.equal(output.logits, module(X, EDGES))
    assert torch.equal(output.hidden[0], module.conv(X, EDGES))
    assert output.attention[0].weight.shape[1] == 1


def test_our_gat_seen_through_taps_shows_what_it_shows_itself():
    model = GATConfig(hidden_channels=4, heads=2).build(IN, OUT).eval()
    tapped = wrap(model, layers=["convs.0"], attention=["convs.0", "convs.1"]).encode(X, EDGES)
    itself = model.encode(X, EDGES)
    torch.testing.assert_close(nn.functional.elu(tapped.hidden[0]), itself.hidden[0])
    for seen, shown in zip(tapped.attention, itself.attention, strict=True):
        assert torch.equal(seen.weight, shown.weight)


@pytest.mark.parametrize("kind", [GCN, GAT])
def test_a_model_of_pyg_works_as_it_is(kind):
    model = kind(IN, 8, num_layers=3, out_channels=OUT, norm="batch_norm", dropout=0.5).eval()
    output = wrap(model, layers=["norms.0", "norms.1"]).encode(X, EDGES)
    assert [h.shape for h in output.hidden] == [(NODES, 8), (NODES, 8)]
    assert torch.equal(output.logits, model(X, EDGES))


def test_a_tuple_with_the_logits_in_front_is_understood():
    class WithExtras(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lin = nn.Linear(IN, OUT)

        def forward(self, x: Tensor, edge_index: Tensor) -> tuple[Tensor, Tensor]:
            return self.lin(x), x

    wrapped = wrap(WithExtras(), layers=["lin"])
    assert wrapped(X, EDGES).shape == (NODES, OUT)


def test_an_unknown_name_gets_a_suggestion(own):
    with pytest.raises(UsageError, match=r"Own has no layer 'conv_1' to tap: did you mean 'conv1'\?"):
        wrap(own, layers=["conv_1"])
    with pytest.raises(UsageError, match=r"no layer 'convv2'.*did you mean 'conv2'\?"):
        wrap(own, layers=["conv1"], attention=["convv2"])


def test_no_layer_is_refused(own):
    with pytest.raises(UsageError, match=r"a wrap that names no layer.*conv1"):
        wrap(own, layers=[])


@pytest.mark.parametrize(
    ("layers", "complaint"),
    [
        ("conv1", r"layers is a list of names: write layers=\['conv1'\]"),
        (None, "layers is a list of names"),
        (["conv1", "conv1"], "layers names 'conv1' twice"),
        ([""], "has no layer ''"),
        ([1], "has no layer 1"),
    ],
)
def test_names_that_make_no_sense_are_refused(own, layers, complaint):
    with pytest.raises(UsageError, match=complaint):
        wrap(own, layers=layers)


def test_only_modules_can_be_wrapped():
    with pytest.raises(UsageError, match="takes a torch module, not function"):
        wrap(lambda x, edge_index: x, layers=["conv1"])


def test_a_layer_that_did_not_run_is_named(own):
    with pytest.raises(UsageError, match="'idle' did not run in Own's forward"):
        wrap(own, layers=["idle"]).encode(X, EDGES)


def test_a_list_of_layers_is_not_a_layer():
    model = GCN(IN, 8, num_layers=2, out_channels=OUT)
    with pytest.raises(UsageError, match=r"'convs' did not run.*did you mean its parts convs\.0, convs\.1"):
        wrap(model, layers=["convs"]).encode(X, EDGES)


def test_a_layer_without_a_row_per_node_is_refused(own):
    with pytest.raises(UsageError, match=r"'pool' gave a tensor of shape \(8,\); expected .*\(15, width\)"):
        wrap(own, layers=["pool"]).encode(X, EDGES)


def test_a_layer_that_does_not_attend_is_refused(own):
    with pytest.raises(UsageError, match="'conv1' gave no attention"):
        wrap(own, layers=["conv1"], attention=["conv1"]).encode(X, EDGES)
    with pytest.raises(UsageError, match="attention layer 'idle' did not run"):
        wrap(own, layers=["conv1"], attention=["idle"]).encode(X, EDGES)


def test_logits_that_are_not_one_row_per_node_are_refused():
    class Readout(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lin = nn.Linear(IN, OUT)

        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            return self.lin(x).mean(0)

    with pytest.raises(UsageError, match=r"Readout returned a tensor of shape \(3,\); expected logits of shape \(15"):
        wrap(Readout(), layers=["lin"])(X, EDGES)


def test_weights_are_drawn_anew_where_the_module_can():
    model = GCN(IN, 8, num_layers=2, out_channels=OUT).eval()
    wrapped = wrap(model, layers=["convs.0"])
    before = wrapped(X, EDGES)
    wrapped.reset_parameters()
    assert not torch.equal(wrapped(X, EDGES), before)
    with pytest.raises(UsageError, match=r"Own has no reset_parameters\(\)"):
        wrap(Own(), ["conv1"]).reset_parameters()


def test_a_wrap_says_what_it_taps(own):
    wrapped = wrap(own, layers=["conv1"], attention=["conv2"])
    assert isinstance(wrapped, Tapped)
    assert repr(wrapped).startswith("Tapped(Own, layers=['conv1'], attention=['conv2'], ")
