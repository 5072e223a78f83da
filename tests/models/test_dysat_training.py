"""DySAT as it is trained: its config, dropout, new nodes, weights that are kept, and what it costs."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.utils._python_dispatch import TorchDispatchMode

from workbench.datasets.snapshots import SnapshotSequence
from workbench.errors import UsageError
from workbench.models import DySAT, DySATConfig
from workbench.models.snapshot_window import SnapshotWindow

NODES = 7


@pytest.fixture
def window():
    """Three snapshots; nodes 0 to 3 are born in the first of them, 4 in the second, 5 and 6 in the third."""
    snapshot, a, b = [0, 0, 0, 1, 1, 2, 2], [0, 1, 3, 0, 1, 5, 0], [1, 2, 2, 4, 2, 6, 5]
    return SnapshotWindow.of(SnapshotSequence.from_snapshot_column(snapshot, a, b), range(3))


def model(width=6, heads=3, window=2, seed=0, **options):
    torch.manual_seed(seed)
    return DySAT(NODES, width, heads, window, **options).eval()


@pytest.mark.parametrize(("width", "heads"), [(10, 3), (2, 4)])
def test_heads_that_do_not_divide_the_width_are_refused(width, heads):
    with pytest.raises(UsageError, match=rf"hidden_channels.*take a multiple of {heads}, or fewer heads \(got {width}"):
        DySATConfig.parse({"hidden_channels": width, "heads": heads})


def test_options_of_the_config_reach_the_model():
    config = DySATConfig(
        hidden_channels=8, heads=2, window=4, structural_dropout=0.3, temporal_dropout=0.2, scale="window"
    )
    made = config.build(NODES, 0)
    found = (made.hidden_channels, made.heads, made.window, made.structural_dropout, made.temporal_dropout, made.scale)
    assert found == (8, 2, 4, 0.3, 0.2, "window")


@pytest.mark.parametrize("which", ["structural_dropout", "temporal_dropout"])
def test_each_dropout_falls_in_training_only_and_repeats_with_the_seed(which, window):
    rates = {"structural_dropout": 0.0, "temporal_dropout": 0.0}
    made = model(**{**rates, which: 0.5})
    still = made(window)
    assert torch.equal(made(window), still)
    made.train()
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(made(window))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert not torch.equal(found[0], still)
    assert torch.equal(model(**rates).train()(window), still)


def test_new_nodes_are_added_and_old_ones_kept():
    made = model(width=6).double()
    before = {name: value.detach().clone() for name, value in made.named_parameters()}
    made.grow(400)
    assert made.num_nodes == 400
    assert made.embedding.requires_grad
    assert made.embedding.dtype == torch.float64
    for name, value in made.named_parameters():
        assert torch.equal(value[:NODES] if name == "embedding" else value, before[name])
    born = made.embedding[NODES:].detach()
    bound = math.sqrt(6 / (400 + 6))  # Glorot's, of a table of so many rows
    assert 0.95 * bound < born.abs().max() <= bound
    assert born.mean().abs() < 5 * bound / math.sqrt(3 * born.numel())
    assert len(born.unique()) > 2000


def test_nothing_shrinks():
    made = model()
    before = made.embedding.detach().clone()
    made.grow(3)
    assert torch.equal(made.embedding, before)


def test_reset_draws_every_weight_anew_and_reproducibly():
    made = model()
    before = {name: torch.nn.init.normal_(value).detach().clone() for name, value in made.named_parameters()}
    drawn = []
    for _ in range(2):
        torch.manual_seed(5)
        made.reset_parameters()
        drawn.append({name: value.detach().clone() for name, value in made.named_parameters()})
    for name, value in before.items():
        assert torch.equal(drawn[0][name], drawn[1][name])
        assert not torch.equal(drawn[0][name], value)
    assert not made.attend_bias.any()
    assert not made.feed_forward.bias.any()


def test_weights_survive_safetensors(window, tmp_path):
    made, other = model(seed=0), model(seed=1)
    save_file(made.state_dict(), tmp_path / "model.safetensors")
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert torch.equal(made(window), other(window))


def test_an_optimiser_decays_the_structural_attention_only():
    """The table's rows are decayed in the steps of its training, where they belong to the window."""
    made = model()
    spared = {id(p) for p in made.undecayed()}
    assert {name for name, p in made.named_parameters() if id(p) not in spared} == {"attend_to"}


def test_counting_builds_nothing():
    state = torch.random.get_rng_state()
    DySATConfig().count_parameters(500, 0)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_it_prints_as_one_line_with_its_size():
    # 7 nodes, width 6, three heads, three snapshots: N d + (2 d + 2 h) + T d + 3 d² + (d² + d)
    count = 7 * 6 + (2 * 6 + 2 * 3) + 3 * 6 + 3 * 36 + (36 + 6)
    assert repr(model()) == f"DySAT(7 nodes, 6, heads=3, window=2, {count} parameters)"


def test_bfloat16_gives_about_the_same_and_trains(window):
    made = model()
    expected = made(window)
    with torch.autocast("cpu", torch.bfloat16):
        found = made.train().encode(window).logits
        close = made.eval()(window)
    found.float().sum().backward()
    torch.testing.assert_close(close.float(), expected, rtol=0.05, atol=0.05)
    assert made.embedding.grad.isfinite().all()


class Sizes(TorchDispatchMode):
    """Notes how many numbers every dense tensor has that an operation returns."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        self.seen += [tensor.numel() for tensor in (out if isinstance(out, tuple | list) else [out])
                      if isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided]  # fmt: skip
        return out


def test_no_matrix_of_all_pairs_of_nodes_is_made():
    nodes, width, steps = 3000, 8, 3
    ends = torch.randint(nodes, (2, 6000), generator=torch.Generator().manual_seed(0)).numpy()
    data = SnapshotSequence.from_snapshot_column(np.arange(6000) % steps, *ends, num_nodes=nodes)
    made = DySAT(data.seen(steps - 1), width, 2, steps - 1)
    sizes = Sizes()
    with sizes:
        window = SnapshotWindow.of(data, range(steps))
        made.encode(window).logits.sum().backward()
    assert max(sizes.seen) <= 2 * steps * nodes * width < nodes**2
