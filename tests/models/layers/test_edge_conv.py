"""Edge convolution by points, against the plain form with a feature vector for every edge."""

import copy

import pytest
import torch
from torch.nn import functional as F

from workbench.kernels import neighbour_features
from workbench.kernels.neighbours import neighbour_table
from workbench.models.layers.edge_conv import EdgeConv

CLOUDS, POINTS, K, IN, OUT = 3, 64, 7, 4, 10


def plain(conv, x, table, training):
    """The definition: [x_i, x_j − x_i] of every edge, a linear map, BatchNorm over all edges, LeakyReLU, maximum."""
    x = x.view(CLOUDS, POINTS, IN)
    index = table.view(CLOUDS, POINTS, K) - POINTS * torch.arange(CLOUDS).view(-1, 1, 1)
    neighbours = torch.stack([cloud[of] for cloud, of in zip(x, index, strict=True)])  # (B, n, k, d)
    centre = x[:, :, None].expand_as(neighbours)
    edges = torch.cat([centre, neighbours - centre], dim=3) @ conv.linear.weight.T  # (B, n, k, out)
    norm = conv.norm
    flat = F.batch_norm(
        edges.reshape(-1, OUT),
        norm.running_mean,
        norm.running_var,
        norm.weight,
        norm.bias,
        training,
        norm.momentum,
        norm.eps,
    )
    return F.leaky_relu(flat, 0.2).view(CLOUDS * POINTS, K, OUT).max(dim=1).values


def drawn(dtype):
    """A convolution as it may be in the middle of training: norms of both signs, statistics that have moved."""
    torch.manual_seed(0)
    conv = EdgeConv(IN, OUT).to(dtype)
    with torch.no_grad():
        conv.norm.weight.normal_()
        conv.norm.bias.normal_()
        conv.norm.running_mean.normal_()
        conv.norm.running_var.uniform_(0.5, 2)
    x = torch.randn(CLOUDS * POINTS, IN, dtype=dtype) + 3
    return conv, x.requires_grad_(), neighbour_table(x, K, [POINTS] * CLOUDS)


def results(function, conv, x):
    out = function()
    loss = (out * torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)).sum()
    return [out, *torch.autograd.grad(loss, [x, *conv.parameters()])]


@pytest.mark.parametrize("sweep", ["torch", "compiled"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-4)])
def test_values_gradients_and_statistics_are_those_of_the_plain_form(sweep, training, dtype, tolerance, monkeypatch):
    monkeypatch.setattr(neighbour_features, "COMPILED_FROM", 0 if sweep == "compiled" else 2**62)
    conv, x, table = drawn(dtype)
    other = copy.deepcopy(conv)
    found = results(lambda: conv.train(training)(x, table), conv, x)
    expected = results(lambda: plain(other, x, table, training), other, x)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance * b.abs().max().item())
    for name in ("running_mean", "running_var"):
        torch.testing.assert_close(getattr(conv.norm, name), getattr(other.norm, name), rtol=tolerance, atol=tolerance)
    assert conv.norm.num_batches_tracked == int(training)


def test_the_sign_of_the_norm_decides_between_largest_and_smallest():
    conv, x, table = drawn(torch.float64)
    assert (conv.norm.weight < 0).any()
    assert (conv.norm.weight > 0).any()
    with torch.no_grad():
        conv.norm.weight.abs_()
    upright = conv.eval()(x, table)
    with torch.no_grad():
        conv.norm.weight.neg_()
    assert not torch.allclose(conv(x, table), upright)
    torch.testing.assert_close(conv(x, table), plain(conv, x, table, False))


def test_it_computes_in_float32_under_autocast():
    conv, x, table = drawn(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        out = conv(x, table)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, plain(copy.deepcopy(conv), x, table, True), rtol=0.1, atol=0.3)
