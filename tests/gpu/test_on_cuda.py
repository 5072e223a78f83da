"""The same work on a CUDA device: equal losses, similar metrics, and a result that says where it was done."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.data import Data

import workbench as wb
from workbench.methods.base import Sum, Widths
from workbench.models.base import Output
from workbench.registry import methods, models
from workbench.runs.folder import Run
from workbench.runs.store import list_runs

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


ON_GRAPHS = "node classification"


def moved(output: Output) -> Output:
    return Output(output.logits.cuda(), [h.cuda() for h in output.hidden])


@pytest.fixture
def outputs() -> tuple[Data, Output, Output]:
    data = wb.load_dataset("builtin-karate").clone()
    generator = torch.Generator().manual_seed(0)

    def output(*widths: int) -> Output:
        hidden = [torch.randn(34, w, generator=generator).relu() for w in widths]
        return Output(torch.randn(34, 4, generator=generator), hidden)

    return data, output(16, 12), output(8)


@pytest.mark.parametrize("name", [name for name in methods.names() if ON_GRAPHS in methods[name].tasks])
def test_every_method_gives_the_same_terms_and_gradients(name: str, outputs: tuple[Data, Output, Output]) -> None:
    data, teacher, student = outputs
    torch.manual_seed(0)
    objective = Sum((methods[name](),)).build(Widths.of(teacher), Widths.of(student))
    found: list[tuple[dict[str, float], list[torch.Tensor]]] = []
    for device in ("cpu", "cuda"):
        batch = copy.copy(data).to(device)
        t, s = (teacher, student) if device == "cpu" else (moved(teacher), moved(student))
        leaves = [tensor.detach().requires_grad_() for tensor in s.layers]
        here = copy.deepcopy(objective).to(device)
        terms = here(Output(leaves[-1], leaves[:-1]), here.targets(t, batch), batch)
        if terms:
            sum(terms.values()).backward()  # type: ignore[union-attr]
        gradients = [leaf.grad.cpu() for leaf in leaves if leaf.grad is not None]
        found.append(({key: value.item() for key, value in terms.items()}, gradients))
    (on_cpu, of_cpu), (on_cuda, of_cuda) = found
    assert on_cuda == pytest.approx(on_cpu, rel=1e-4, abs=1e-6)
    for a, b in zip(of_cuda, of_cpu, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in models.names() if models[name].task == ON_GRAPHS])
def test_every_model_gives_the_same_logits(name: str) -> None:
    data = wb.load_dataset("builtin-karate")
    torch.manual_seed(0)
    model = models[name]().build(data.num_features, 4).eval()
    with torch.no_grad():
        on_cpu = model(data.x, data.edge_index)
        on_cuda = model.cuda()(data.x.cuda(), data.edge_index.cuda()).cpu()
    torch.testing.assert_close(on_cuda, on_cpu, rtol=1e-3, atol=1e-4)


def test_a_run_ends_where_it_ends_on_the_cpu_within_what_seeds_explain(tmp_path: Path) -> None:
    accuracies: dict[str, list[float]] = {}
    for device in ("cpu", "cuda"):
        for seed in range(3):
            run = wb.distill("builtin-citation", "gat", "mlp", "glnn", seed, device=device, root=tmp_path)
            assert run.result is not None
            assert run.result["device"]["type"] == device
            accuracies.setdefault(device, []).append(run.result["student"]["metrics"]["test"]["accuracy"])
    means = {device: sum(values) / len(values) for device, values in accuracies.items()}
    assert means["cuda"] == pytest.approx(means["cpu"], abs=0.02)


def test_a_launch_from_the_app_trains_on_the_chosen_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv("WORKBENCH_RUNS", str(tmp_path))
    app = AppTest.from_string("from workbench.pages.distil import show\nshow()\n", default_timeout=120)
    app.query_params["preset"] = "karate"
    app.run()
    next(box for box in app.selectbox if box.label == "Device").select("cuda:0").run()
    next(button for button in app.button if button.label == "Launch").click().run()
    (run,) = list_runs(tmp_path)
    assert finished(run)["device"]["type"] == "cuda"


def finished(run: Run) -> dict[str, Any]:
    for _ in range(1200):
        if not run.status.alive:
            break
        time.sleep(0.1)
    result = Run(run.path).result
    assert result is not None, run.log()
    return result


def test_too_large_a_model_is_advice_and_not_a_traceback(tmp_path: Path) -> None:
    wide = {"name": "mlp", "hidden_channels": 8192, "num_layers": 8}  # 2 GB
    capacity = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, 2**30 / capacity))
    try:
        with pytest.raises(wb.RunError, match="lower hidden_channels"):
            wb.distill("builtin-karate", "gcn", wide, "none", device="cuda", root=tmp_path)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
