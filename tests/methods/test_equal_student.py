"""A student that equals its teacher has nothing to learn: zero loss and zero gradient, wherever that must be so."""

import pytest
import torch
from toys import Toy, built, masked_batch, random_output

from workbench import methods
from workbench.kernels.edges import EdgeKernel
from workbench.kernels.pairs import PairKernel
from workbench.methods import ABKD, GLNN, GSP, KD, LSP, AttentionTransfer, FitNet
from workbench.models.base import Output

EDGE_KERNELS = EdgeKernel.__args__
PAIR_KERNELS = PairKernel.__args__
EDGES = torch.randint(0, 20, (2, 60), generator=torch.Generator().manual_seed(0))


def features(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


PURE = {
    "kd": methods.kd_loss,
    "kd code": lambda s, t: methods.kd_loss(s, t, convention="code"),
    "glnn": methods.glnn_loss,
    "link distribution": methods.link_distribution_loss,
    "link probability": methods.link_probability_loss,
    "fitnet": methods.fitnet_loss,
    "at": methods.attention_transfer_loss,
    "at p=1": lambda s, t: methods.attention_transfer_loss(s, t, p=1),
    **{f"gsp {kernel}": lambda s, t, kernel=kernel: methods.gsp_loss(s, t, kernel) for kernel in PAIR_KERNELS},
    **{f"lsp {kernel}": lambda s, t, kernel=kernel: methods.lsp_loss(s, t, EDGES, kernel) for kernel in EDGE_KERNELS},
    "lsp reversed": lambda s, t: methods.lsp_loss(s, t, EDGES, direction="teacher_student", convention="code"),
    "abkd": lambda s, t: methods.abkd_dissimilarity([t], [s]).sum(),
    "abkd graph": lambda s, t: methods.abkd_dissimilarity([t], [s], "graph").sum(),
}


@pytest.mark.parametrize("name", PURE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pure_functions_of_equal_features_are_zero(name, dtype):
    same = features(20, 6).to(dtype).requires_grad_()
    value = PURE[name](same, same.detach().clone())
    (gradient,) = torch.autograd.grad(value, same)
    assert value.item() == pytest.approx(0, abs=1e-12)
    assert gradient.abs().max() <= (1e-6 if dtype == torch.float32 else 1e-12)


def equal_toy(dtype):
    """Two models of the same widths that give the same; every node has a neighbour."""
    generator = torch.Generator().manual_seed(0)
    teacher = random_output(20, (6, 5), 3, generator)
    layers = [layer.detach().to(dtype) for layer in teacher.layers]
    batch = masked_batch(EDGES, torch.arange(20) % 2 == 0, generator, dtype)
    *hidden, logits = [layer.clone().requires_grad_() for layer in layers]
    return Toy(batch, Output(layers[-1], layers[:-1]), Output(logits, hidden))


@pytest.mark.parametrize(
    "method",
    [
        KD(),
        KD(convention="code", temperature=2.0),
        GLNN(),
        AttentionTransfer(),
        AttentionTransfer(p=1),
        *[GSP(kernel=kernel) for kernel in PAIR_KERNELS],
        *[LSP(kernel=kernel) for kernel in EDGE_KERNELS],
        LSP(direction="teacher_student", convention="code"),
        FitNet(),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_objectives_of_equal_models_are_zero(method, dtype):
    toy = equal_toy(dtype)
    total = built(method, toy)
    objective = total.parts[method.name]
    if method.name == "fitnet":  # both sides are projected: zero where both projectors are the same
        assert toy.terms(total)["fitnet"] > 1e-4
        objective.student_head.load_state_dict(objective.teacher_head.state_dict())
    term = toy.terms(total)[method.name]
    gradients = torch.autograd.grad(term, toy.student.layers, allow_unused=True)
    assert term.item() == pytest.approx(0, abs=1e-12)
    assert all(gradient.abs().max() < 1e-6 for gradient in gradients if gradient is not None)


@pytest.mark.parametrize("pool", ["node", "graph"])
@pytest.mark.parametrize("normalise", ["none", "row", "max", "l2"])
def test_abkds_dissimilarity_of_equal_layers_is_zero_on_the_diagonal(pool, normalise):
    toy = equal_toy(torch.float64)
    total = built(ABKD(pool=pool, normalise=normalise), toy)
    objective = total.parts["abkd"]
    objective.student_value.load_state_dict(objective.teacher_value.state_dict())
    toy.terms(total)
    dissimilarity = total.pictures()["abkd-dissimilarity"]
    assert dissimilarity.diagonal().abs().max() < 1e-12
    assert (dissimilarity + torch.eye(3) > 1e-6).all()


def test_gsp_padded_with_zeros_is_still_zero():
    teacher = features(30, 5).float()
    padded = torch.nn.functional.pad(teacher, (0, 3))
    assert 0 <= methods.gsp_loss(padded, teacher).item() < 1e-12
