"""Every architecture against its formula, written with dense matrices in float64."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.models import GAT, GCN, GCNII, GIN, MLP, SAGE, SIGN, GATv2

IN, HIDDEN, OUT, NODES = 6, 4, 3, 12
X = torch.randn(NODES, IN, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
# Edges without repetition or self-loops, so that a dense adjacency says the same; the last node has none.
A = torch.rand(NODES, NODES, generator=torch.Generator().manual_seed(1)).lt(0.3).double().fill_diagonal_(0)
A[-1], A[:, -1] = 0, 0
EDGES = A.nonzero().T.flip(0)  # A[i, j] = 1 for an edge j → i


def prepared(model):
    """In float64, with biases that are not zero."""
    model = model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.uniform_(-1, 1)
    return model


def normalised() -> Tensor:
    with_loops = A + torch.eye(NODES)
    degree = with_loops.sum(1)
    return with_loops / (degree[:, None] * degree).sqrt()


def agrees(model, expected: Tensor) -> None:
    torch.testing.assert_close(model(X, EDGES), expected, rtol=1e-10, atol=1e-12)


def test_gcn():
    model = prepared(GCN(IN, HIDDEN, OUT))
    first, last = model.convs
    hidden = (normalised() @ X @ first.lin.weight.T + first.bias).relu()
    agrees(model, normalised() @ hidden @ last.lin.weight.T + last.bias)


@pytest.mark.parametrize("hidden_channels", [HIDDEN, 9])  # narrower and wider than the input
def test_sage(hidden_channels):
    model = prepared(SAGE(IN, hidden_channels, OUT))
    mean = A / A.sum(1, keepdim=True).clamp(min=1)
    first, last = model.convs

    def layer(conv, h):
        return mean @ h @ conv.lin_l.weight.T + conv.lin_l.bias + h @ conv.lin_r.weight.T

    agrees(model, layer(last, layer(first, X).relu()))


@pytest.mark.parametrize("hidden_channels", [HIDDEN, 9])
def test_gin(hidden_channels):
    model = prepared(GIN(IN, hidden_channels, OUT, batch_norm=False, train_eps=True))
    first, last = model.convs

    def layer(conv, h):
        inner, _, _, outer = conv.nn
        summed = (1 + conv.eps) * h + A @ h
        return (summed @ inner.weight.T + inner.bias).relu() @ outer.weight.T + outer.bias

    agrees(model, layer(last, layer(first, X).relu()))


def test_sign():
    model = prepared(SIGN(IN, HIDDEN, OUT, hops=3))

    def prelu(h, layer):
        return h.clamp(min=0) + layer.weight * h.clamp(max=0)

    def network(feed_forward, h):
        first, last = feed_forward.layers
        inside = prelu(h @ first.weight.T + first.bias, feed_forward.activation)
        return inside @ last.weight.T + last.bias

    hops = [torch.matrix_power(normalised(), k) @ X for k in range(4)]
    branches = [network(branch, hop) for branch, hop in zip(model.branches, hops, strict=True)]
    agrees(model, network(model.head, prelu(torch.cat(branches, 1), model.activation)))


def test_mlp_does_not_look_at_edges():
    model = prepared(MLP(IN, HIDDEN, OUT))
    first, last = model.convs
    agrees(model, (X @ first.weight.T + first.bias).relu() @ last.weight.T + last.bias)


@pytest.mark.parametrize("shared_weights", [True, False])
def test_gcnii(shared_weights):
    alpha, theta = 0.1, 0.5
    model = prepared(GCNII(IN, HIDDEN, OUT, 3, alpha, theta, shared_weights))
    initial = h = (X @ model.lin_in.weight.T + model.lin_in.bias).relu()
    for layer, conv in enumerate(model.convs, start=1):
        beta = math.log(theta / layer + 1)

        def mapped(features, weight, beta=beta):
            return (1 - beta) * features + beta * features @ weight

        smooth, kept = (1 - alpha) * normalised() @ h, alpha * initial
        second = conv.weight1 if shared_weights else conv.weight2
        h = (mapped(smooth, conv.weight1) + mapped(kept, second)).relu()
    agrees(model, h @ model.lin_out.weight.T + model.lin_out.bias)


def attend(scores: Tensor) -> Tensor:
    """Softmax over in-neighbours and the node itself; ``scores`` (i, j)."""
    return scores.masked_fill((A + torch.eye(NODES)) == 0, -math.inf).softmax(1)


def heads_of(tensor: Tensor, heads: int) -> list[Tensor]:
    return list(tensor.view(NODES, heads, -1).unbind(1))


@pytest.mark.parametrize("skip", [True, False])
def test_gat(skip):
    model = prepared(GAT(IN, HIDDEN, OUT, heads=3, out_heads=2, skip=skip))
    h = X
    for layer, conv in enumerate(model.convs):
        found = []
        for k, projected in enumerate(heads_of(h @ conv.lin.weight.T, conv.heads)):
            source, target = projected @ conv.att_src[0, k], projected @ conv.att_dst[0, k]
            found.append(attend(F.leaky_relu(target[:, None] + source[None, :], 0.2)) @ projected)
        out = torch.cat(found, 1) if layer == 0 else torch.stack(found).mean(0)
        out = out + conv.bias
        if skip:
            out = out + h @ model.skips[layer].weight.T + model.skips[layer].bias
        h = F.elu(out) if layer == 0 else out
    agrees(model, h)


def test_gatv2():
    model = prepared(GATv2(IN, HIDDEN, OUT, heads=3, out_heads=2))
    h = X
    for layer, conv in enumerate(model.convs):
        found = []
        sources, targets = (heads_of(lin(h), conv.heads) for lin in (conv.lin_l, conv.lin_r))
        for k, (source, target) in enumerate(zip(sources, targets, strict=True)):
            scores = F.leaky_relu(target[:, None] + source[None, :], 0.2) @ conv.att[0, k]
            found.append(attend(scores) @ source)
        out = (torch.cat(found, 1) if layer == 0 else torch.stack(found).mean(0)) + conv.bias
        h = F.elu(out) if layer == 0 else out
    agrees(model, h)


def test_attention_names_the_edge_it_weighs():
    model = prepared(GAT(IN, HIDDEN, OUT, heads=2))
    edges, weight = model.encode(X, EDGES).attention[0]
    conv = model.convs[0]
    for k, projected in enumerate(heads_of(X @ conv.lin.weight.T, 2)):
        scores = (projected @ conv.att_dst[0, k])[:, None] + (projected @ conv.att_src[0, k])[None, :]
        torch.testing.assert_close(weight[:, k], attend(F.leaky_relu(scores, 0.2))[edges[1], edges[0]])


def test_a_lone_node_attends_to_itself_alone():
    edges, weight = prepared(GAT(IN, HIDDEN, OUT)).encode(X, EDGES).attention[-1]
    lone = edges[1] == NODES - 1
    assert edges[:, lone].tolist() == [[NODES - 1], [NODES - 1]]
    assert weight[lone].item() == 1
