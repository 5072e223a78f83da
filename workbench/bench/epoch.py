"""Epochs of a GCN student on a fixed graph: our model beside the one that PyG's layers make.

Both are timed with the dropout of the case. Â, its sorting and, without dropout, Â X are made once, before the timed
epochs of ours; PyG's layers normalise in every epoch. Sparse features too are made once.

That both compute the same thing is shown with dropout off, which no two models draw alike: from the same weights,
against the textbook in float64. So the errors of a case with dropout are those of the case without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.bench.measure import Step, compare
from workbench.bench.textbook_epoch import TextbookGCN
from workbench.errors import UsageError, did_you_mean

LEARNING_RATE = 0.01
STEPS = 3  # of which the losses are compared
HELD_OUT = 0.2  # share of the nodes that validate
IGNORED = -100


@dataclass(frozen=True)
class Case:
    """Sizes (features, hidden width and classes in ``widths``), and what an epoch is."""

    nodes: int
    edges: int
    widths: tuple[int, ...]
    dropout: float = 0.0
    words: float | None = None  # share of the words that a node has; None for dense features
    validates: bool = False


ARXIV = Case(169_343, 2_315_598, (128, 64, 40))  # ogbn-arxiv with the reverse of every edge
CASES = {
    "gcn large graph": ARXIV,
    "gcn large graph with dropout": replace(ARXIV, dropout=0.5),
    "gcn bag of words": Case(2_708, 10_556, (1433, 16, 7), dropout=0.5, words=0.0127, validates=True),  # Cora's
}


@dataclass(frozen=True)
class Inputs:
    """A random undirected graph with labels."""

    x: Tensor  # (N, F)
    edge_index: Tensor  # (2, E)
    train: Tensor  # (N,), the class of every training node, IGNORED elsewhere
    validation: Tensor  # (N,), of every validation node

    @classmethod
    def random(cls, case: Case) -> Inputs:
        generator = torch.Generator().manual_seed(0)
        features, *_, classes = case.widths
        if case.words is None:
            x = torch.randn(case.nodes, features, generator=generator)
        else:
            x = F.normalize(torch.rand(case.nodes, features, generator=generator).lt(case.words).float(), p=1.0)
        half = torch.randint(case.nodes, (2, case.edges // 2), generator=generator)
        y = torch.randint(classes, (case.nodes,), generator=generator)
        held_out = torch.rand(case.nodes, generator=generator) < HELD_OUT
        train, validation = (y.masked_fill(left_out, IGNORED) for left_out in (held_out, ~held_out))
        return cls(x, torch.cat([half, half.flip(0)], dim=1), train, validation)

    def double(self) -> Inputs:
        """The same numbers in float64."""
        return replace(self, x=self.x.double())


def model_of(variant: str, case: Case) -> nn.Module:
    """Our GCN, or the textbook's, with the same weights."""
    from workbench.registry import models

    torch.manual_seed(0)
    textbook = TextbookGCN(case.widths, case.dropout)
    if variant == "textbook":
        return textbook
    features, *hidden, classes = case.widths
    config = models["gcn"](hidden_channels=hidden[0], num_layers=len(hidden) + 1, dropout=case.dropout)
    ours: nn.Module = config.build(features, classes)
    ours.load_state_dict(textbook.state_dict())
    return ours


def make(variant: str, case: Case) -> tuple[Inputs, Any]:
    """The graph, and what prepares one epoch on it: forward, loss, backward, optimiser step, and the validation."""
    model = model_of(variant, case)  # before anything is measured: PyG is imported here
    return Inputs.random(case), lambda inputs: epoch_of(model, inputs, case.validates)


def epoch_of(model: nn.Module, inputs: Inputs, validates: bool) -> Step:
    """One epoch of ``model``; gives the training loss."""
    from workbench.models import features_for

    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    x = features_for(model, inputs.x)

    def epoch() -> float:
        model.train()
        optimiser.zero_grad()
        loss = F.cross_entropy(model(x, inputs.edge_index), inputs.train, ignore_index=IGNORED)
        torch.autograd.backward(loss)
        optimiser.step()
        if validates:
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(x, inputs.edge_index), inputs.validation, ignore_index=IGNORED)
        return float(loss.detach())

    return epoch


def differences(case: Case) -> dict[str, float]:
    """How far our losses of a few epochs, and our first gradient, are from the textbook's in float64, relatively."""
    inputs = Inputs.random(case)
    ours, exact = model_of("ours", case), model_of("textbook", case).double()
    epochs = [epoch_of(ours, inputs, False), epoch_of(exact, inputs.double(), False)]
    losses = [[epoch() for epoch in epochs]]
    found, expected = gradient_of(ours), gradient_of(exact)
    losses += [[epoch() for epoch in epochs] for _ in range(STEPS - 1)]
    return {
        "relative_difference": max(abs(a - b) / b for a, b in losses),
        "gradient_difference": float((found - expected).norm() / expected.norm()),
    }


def gradient_of(model: nn.Module) -> Tensor:
    """That of all weights, as one vector in float64."""
    return torch.cat([p.grad.double().flatten() for p in model.parameters() if p.grad is not None])


def bench(
    nodes: int | None = None,
    edges: int | None = None,
    widths: tuple[int, ...] | None = None,
    repeats: int = 5,
    only: Iterable[str] = (),
) -> dict[str, Any]:
    """Every case (or those of ``only``) at its own sizes, or at those given.

    ``widths`` are the number of features, the hidden width and the number of classes. Raises UsageError for a case
    that there is not.
    """
    results = []
    known: dict[Case, dict[str, float]] = {}  # cases that differ in dropout alone are one case without it
    for name in chosen_cases(only):
        own = CASES[name]
        case = replace(own, nodes=nodes or own.nodes, edges=edges or own.edges, widths=widths or own.widths)
        exact = replace(case, dropout=0.0)
        if exact not in known:
            known[exact] = differences(exact)
        entry = compare(name, make, (case,), repeats) | known[exact]
        results.append(entry | {"nodes": case.nodes, "edges": case.edges, "widths": list(case.widths)})
    return {"benchmark": "epoch", "repeats": repeats, "threads": torch.get_num_threads(), "results": results}


def chosen_cases(only: Iterable[str]) -> list[str]:
    """The cases that are called so; all of them for none."""
    chosen = list(only) or list(CASES)
    for name in chosen:
        if name not in CASES:
            raise UsageError(f"no epoch is called {name!r}: {did_you_mean(name, CASES)}there are {', '.join(CASES)}")
    return chosen
