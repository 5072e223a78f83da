"""Every method and every kernel on a CUDA device: the terms and gradients that the CPU gives."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from option_choices import every_choice
from pure_losses import LOSSES, features
from torch import Tensor
from toys import Toy, built, make, numbers

from workbench.kernels import contrast, edge_numbers, edges, pairs
from workbench.kernels.csr import EdgePattern
from workbench.kernels.edges import EdgeKernel
from workbench.methods import lsp_loss, union_edges
from workbench.methods.base import SumObjective
from workbench.registry import methods

CUDA = "cuda"
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


def terms_and_gradients(objective: SumObjective, toy: Toy) -> tuple[dict[str, float], list[Tensor]]:
    """Terms, and the gradients of their sum on the student's layers and the projectors; zeros where there is none."""
    terms = toy.terms(objective)
    wanted = [*toy.student.layers, *(p for p in objective.parameters() if p.requires_grad)]
    found: Any = [None] * len(wanted)
    if terms:
        found = torch.autograd.grad(sum(terms.values()), wanted, allow_unused=True)  # type: ignore[arg-type]
    return numbers(terms), [
        torch.zeros_like(w).cpu() if g is None else g.cpu() for w, g in zip(wanted, found, strict=True)
    ]


def check_alike(found: list[Tensor], expected: list[Tensor], relative: float) -> None:
    for here, there in zip(found, expected, strict=True):
        assert (here - there).norm() <= relative * there.norm() + 1e-7


@every_choice
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_every_choice_of_options(name: str, options: dict[str, Any], dtype: torch.dtype) -> None:
    toy = make(dtype=dtype)
    objective = built(methods[name].parse(options), toy)
    expected, gradients = terms_and_gradients(copy.deepcopy(objective), toy.to("cpu"))
    found, on_cuda = terms_and_gradients(copy.deepcopy(objective).to(CUDA), toy.to(CUDA))
    relative = 1e-3 if dtype == torch.float32 else 1e-8
    assert found == pytest.approx(expected, rel=relative, abs=1e-10)
    check_alike(on_cuda, gradients, relative)


@every_choice
def test_under_autocast_terms_are_those_without(name: str, options: dict[str, Any]) -> None:
    toy = make(dtype=torch.float32).to(CUDA)
    objective = built(methods[name].parse(options), toy).to(CUDA)
    expected = numbers(toy.terms(objective))
    with torch.autocast(CUDA, dtype=torch.bfloat16):
        assert numbers(toy.terms(objective)) == pytest.approx(expected, rel=1e-5)


def check_on_both(loss: Callable[[Tensor, Tensor], Tensor], student: Tensor, teacher: Tensor, relative: float) -> None:
    """Value and gradient on the student, on either device."""
    found = []
    for device in ("cpu", CUDA):
        s = student.detach().to(device).requires_grad_()
        value = loss(s, teacher.detach().to(device))
        found.append((value.item(), torch.autograd.grad(value, s)[0].cpu()))
    (expected, gradient), (on_cuda, its_gradient) = found
    assert on_cuda == pytest.approx(expected, rel=relative)
    check_alike([its_gradient], [gradient], 10 * relative)


@pytest.mark.parametrize("name", LOSSES)
def test_every_pure_function_gives_what_the_cpu_gives(name: str) -> None:
    check_on_both(LOSSES[name], features(6, 3), features(6, 3, seed=1), 1e-9)


def graph(symmetric: bool) -> Tensor:
    """3,000 edges among 200 nodes; the last node is isolated."""
    found = torch.randint(0, 199, (2, 3000), generator=torch.Generator().manual_seed(0))
    return torch.cat([found, found.flip(0)], dim=1) if symmetric else found


@pytest.mark.parametrize("kernel", EdgeKernel.__args__)  # type: ignore[attr-defined]
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_lsp_by_sparse_products_and_by_gathers(
    kernel: EdgeKernel, symmetric: bool, sparse: bool, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against compiled code on the CPU."""
    monkeypatch.setattr(edges, "COMPILED_FROM", 0)
    monkeypatch.setattr(edge_numbers, "BLOCK", 0 if sparse else 2**20)
    student, teacher = features(200, 9, dtype=dtype), features(200, 12, seed=1, dtype=dtype)
    listed = graph(symmetric)
    relative = 1e-5 if dtype == torch.float32 else 1e-9
    check_on_both(lambda s, t: lsp_loss(s, t, listed.to(s.device), kernel), student, teacher, relative)


@pytest.mark.parametrize("name", ["gsp cosine", "gsp poly", "gsp l2", "gsp rbf", "gcrd"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_pairs_in_several_blocks(name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrast, "ENTRIES", 1)
    monkeypatch.setattr(pairs, "ENTRIES", 1)
    monkeypatch.setattr(pairs, "GRAM_ROWS", 64)
    student, teacher = features(150, 5, dtype=dtype), features(150, 5, seed=1, dtype=dtype)
    check_on_both(LOSSES[name], student, teacher, 1e-4 if dtype == torch.float32 else 1e-9)


@pytest.mark.parametrize("symmetric", [True, False])
def test_edge_patterns_and_unions_are_those_of_the_cpu(symmetric: bool) -> None:
    listed = graph(symmetric)
    here, there = EdgePattern.of(listed, 200), EdgePattern.of(listed.to(CUDA), 200)
    for field in ("rowptr", "col", "row", "order", "transposed"):
        assert torch.equal(getattr(there, field).cpu(), getattr(here, field))
    assert there.symmetric == here.symmetric == symmetric
    assert torch.equal(union_edges(listed.to(CUDA), listed.flip(0).to(CUDA)).cpu(), union_edges(listed, listed.flip(0)))
