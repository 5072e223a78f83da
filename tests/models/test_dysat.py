"""DySAT against its formulas in float64 NumPy, node by node and head by head, and what follows from them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from workbench.datasets.snapshots import SnapshotSequence
from workbench.models import DySAT
from workbench.models.snapshot_window import SnapshotWindow

# (snapshot, a, b, weight): nodes 0 to 3 are born in snapshot 0, 4 in 1, 5 and 6 in 2; 3 has no link after snapshot 0.
EVENTS = [
    (0, 0, 1, 2.0), (0, 1, 2, 0.5), (0, 3, 2, 1.0),
    (1, 0, 4, 3.0), (1, 2, 2, 1.5), (1, 1, 2, 1.0),
    (2, 5, 6, 1.0), (2, 1, 0, 4.0), (2, 5, 1, 0.5),
]  # fmt: skip
NODES = 7


def sequence(events=EVENTS):
    snapshot, a, b, weight = (np.array(column) for column in zip(*events, strict=True))
    return SnapshotSequence.from_snapshot_column(snapshot, a, b, weight=weight)


def window_of(steps=range(3), events=EVENTS, **options):
    """In float64, as the model below."""
    made = SnapshotWindow.of(sequence(events), steps, **options)
    return replace(made, weight=made.weight.double())


def model(width=6, heads=3, window=2, seed=0, **options):
    """With biases that are not zero."""
    torch.manual_seed(seed)
    made = DySAT(NODES, width, heads, window, **options).double().eval()
    for bias in (made.attend_bias, made.feed_forward.bias):
        torch.nn.init.normal_(bias)
    return made


# Formulas.


def elu(x):
    return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)


def softmax(scores):
    share = np.exp(np.array(scores) - max(scores))
    return share / share.sum()


def weights(made):
    return {name: value.detach().numpy() for name, value in made.named_parameters()}


def structural(made, data, steps):
    """(W, n, d): every node attends to its neighbours and itself, head by head."""
    p, size = weights(made), data.seen(list(steps)[-1])
    out = np.zeros((len(steps), size, made.hidden_channels))
    width = made.hidden_channels // made.heads
    for place, step in enumerate(steps):
        around = normalised(data, step, size)
        for u in range(size):
            for head in range(made.heads):
                of = slice(head * width, (head + 1) * width)
                seen = [v for v in range(size) if around[u, v] > 0]
                logits = []
                for v in seen:
                    mine = p["embedding"][u, of] @ p["attend_to"][0, head] + p["attend_bias"][0, head]
                    theirs = p["embedding"][v, of] @ p["attend_to"][1, head] + p["attend_bias"][1, head]
                    logit = around[u, v] * (mine + theirs)
                    logits.append(logit if logit > 0 else 0.2 * logit)
                if seen:
                    share = softmax(logits)
                    out[place, u, of] = elu(sum(a * p["embedding"][v, of] for a, v in zip(share, seen, strict=True)))
    return out


def normalised(data, step, size):
    matrix = np.diag([1.0 if data.birth[node] <= step else 0.0 for node in range(size)])
    for (a, b), weight in zip(data.links[step].T.tolist(), data.weights[step].tolist(), strict=True):
        if max(a, b) < size:
            matrix[a, b] += weight
            matrix[b, a] += weight if a != b else 0
    degree = np.where(matrix.sum(1) > 0, matrix.sum(1), 1)
    return matrix / np.sqrt(degree[:, None] * degree)


def temporal(made, x):
    """x (W, n, d) -> embeddings (n, W, d) and attention (n, heads, W, W): each snapshot looks back from itself."""
    p, (steps, size, width) = weights(made), x.shape
    each, out = width // made.heads, np.zeros((size, steps, width))
    attention = np.zeros((size, made.heads, steps, steps))
    scale = math.sqrt(each if made.scale == "head" else made.window + 1)
    for node in range(size):
        # The present snapshot has the last place, the one before it the last but one.
        z = [x[s, node] + p["place"][made.window + 1 - steps + s] for s in range(steps)]
        q, k, v = ([p[f"{name}.weight"] @ row for row in z] for name in ("query", "key", "value"))
        for s in range(steps):
            mixed = np.zeros(width)
            for head in range(made.heads):
                of = slice(head * each, (head + 1) * each)
                share = softmax([q[s][of] @ k[r][of] / scale for r in range(s + 1)])
                attention[node, head, s, : s + 1] = share
                mixed[of] = sum(a * v[r][of] for r, a in enumerate(share))
            hidden = p["feed_forward.weight"] @ mixed + p["feed_forward.bias"]
            out[node, s] = np.maximum(hidden, 0) + mixed
    return out, attention


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("steps", [[0], [1, 2], [0, 1, 2]])
def test_structural_attention_equals_the_formula(heads, steps):
    made = model(heads=heads)
    found = made.structural(window_of(steps)).detach().numpy()
    np.testing.assert_allclose(found, structural(made, sequence(), steps), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("scale", ["head", "window"])
@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("steps", [[2], [1, 2], [0, 1, 2]])
def test_the_whole_model_equals_the_formula(scale, heads, steps):
    made = model(heads=heads, scale=scale)
    output = made.encode(window_of(steps))
    inside = structural(made, sequence(), steps)
    expected, attention = temporal(made, inside)
    np.testing.assert_allclose(output.sequence.detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(output.temporal.detach().numpy(), attention, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(output.logits.detach().numpy(), expected[:, -1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(output.hidden[0].detach().numpy(), inside[-1], rtol=1e-5, atol=1e-6)
    assert torch.equal(made(window_of(steps)), output.logits)


def test_the_two_scales_differ():
    outputs = [model(scale=scale, width=6, heads=1, window=2).encode(window_of()) for scale in ("head", "window")]
    assert not torch.allclose(outputs[0].temporal, outputs[1].temporal)


def test_a_node_is_zeros_before_its_birth():
    found = model().structural(window_of())
    born = sequence().birth[:NODES] <= torch.arange(3)[:, None]
    assert torch.equal(found.abs().sum(2) > 0, born)


# What follows from them.


def test_the_future_does_not_change_the_past():
    made = model()
    other = [*EVENTS[:6], (2, 5, 6, 9.0), (2, 3, 0, 4.0), (2, 5, 4, 2.0)]
    before, after = made.encode(window_of()), made.encode(window_of(events=other))
    assert torch.equal(before.sequence[:, :2], after.sequence[:, :2])
    assert (before.sequence[:, 2] - after.sequence[:, 2]).abs().amax(1).gt(1e-6).any()
    assert not before.temporal.triu(1).any()
    torch.testing.assert_close(before.temporal.sum(3), torch.ones(NODES, 3, 3, dtype=torch.float64))


def test_places_are_counted_from_the_present():
    made = model(window=4)
    made.encode(window_of([1, 2])).sequence.square().sum().backward()
    assert (made.place.grad.abs().sum(1) > 0).tolist() == [False, False, False, True, True]


def test_some_nodes_are_embedded_as_they_are_among_all():
    made, window, nodes = model(), window_of(), torch.tensor([5, 0, 3])
    some, whole = made.encode(window, nodes), made.encode(window)
    for part in ("logits", "sequence", "temporal"):
        torch.testing.assert_close(getattr(some, part), getattr(whole, part)[nodes])
    torch.testing.assert_close(some.hidden[0], whole.hidden[0][nodes])


def test_leaving_out_idle_nodes_changes_nothing_for_the_others():
    made, whole = model(), window_of([1, 2])
    active = window_of([1, 2], active=True)
    assert active.nodes.tolist() == [0, 1, 2, 4, 5, 6]
    torch.testing.assert_close(made.encode(active).sequence, made.encode(whole).sequence[active.nodes])


def test_a_frozen_model_knows_its_own_nodes_among_more():
    """As a teacher at a later step, for whom the nodes that it has not seen do not exist."""
    made, known = model(), 5
    made.embedding = torch.nn.Parameter(made.embedding[:known])
    found = made.encode(window_of(num_nodes=known))
    # Snapshot 0 knows no other nodes; of those of 2, nodes 5 and 6 and their links are not there.
    assert found.logits.shape == (known, 6)
    older = window_of(events=[event for event in EVENTS if max(event[1:3]) < known])
    torch.testing.assert_close(found.sequence, made.encode(older).sequence)


def test_gradients_are_right_by_finite_differences():
    made, window = model(width=4, heads=2), window_of()
    names = [name for name, _ in made.named_parameters()]

    def outputs(*values):
        found = torch.func.functional_call(made, dict(zip(names, values, strict=True)), (window,))
        return found

    parameters = tuple(p.detach().clone().requires_grad_() for p in made.parameters())
    assert torch.autograd.gradcheck(outputs, parameters)


def test_every_weight_learns():
    made = model()
    made.encode(window_of()).sequence.square().sum().backward()
    assert [name for name, p in made.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert made.embedding.grad.abs().sum(1).gt(0).all()
