"""Both variants of every benchmark compute the same thing, and are measured side by side."""

import json
from types import SimpleNamespace

import psutil
import pytest
import torch
from typer.testing import CliRunner

from workbench.bench import losses, textbook
from workbench.bench.measure import alternate, compare, peak_bytes
from workbench.cli import app
from workbench.errors import RunError, UsageError


def sizes_of(case):
    own = losses.CASES[case]
    widths = (8, 8) if own.both_trained or case == "kd" else (8, 24)
    return losses.Sizes(60, 400 if own.sizes.edges else 0, widths)


@pytest.mark.parametrize("case", losses.CASES)
def test_ours_is_the_textbook_in_float64(case):
    found = losses.errors(case, sizes_of(case))
    assert found["relative_difference"] < 1e-5
    assert found["gradient_difference"] < 1e-5


@pytest.mark.parametrize("case", losses.CASES)
def test_the_textbook_in_parts_is_the_textbook_at_once(case):
    inputs = losses.Inputs.random(sizes_of(case), both_trained=False).double()
    loss = losses.CASES[case].textbook
    found = [loss(inputs, parts) for parts in (textbook.at_once, textbook.in_parts(7))]
    assert found[0] > 1e-9
    torch.testing.assert_close(*found)
    torch.testing.assert_close(*(torch.autograd.grad(value, inputs.student)[0] for value in found))


def test_a_whole_family_is_chosen_by_its_first_word():
    assert losses.chosen_cases(["lsp"]) == [f"lsp {kernel}" for kernel in ("rbf", "l2", "poly", "linear", "cosine")]
    assert losses.chosen_cases(["gsp rbf", "kd"]) == ["gsp rbf", "kd"]
    assert losses.chosen_cases([]) == list(losses.CASES)
    with pytest.raises(UsageError, match=r"no loss is called 'lps': .*there are kd, fitnet"):
        losses.chosen_cases(["lps"])


def test_a_textbook_that_does_not_fit_is_not_tried(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    sizes = losses.Sizes(60, 0, (8, 24))
    entry = compare("gsp cosine", losses.make, ("gsp cosine", sizes), 1, needs={"textbook": 2000})
    assert "free" in entry["textbook"]["error"]
    assert entry["speedup"] is None
    assert entry["ours"]["milliseconds"] > 0


def test_the_loss_benchmark_prints_one_document():
    arguments = [
        "bench",
        "losses",
        "--json",
        "--nodes",
        "50",
        "--widths",
        "8,16",
        "--repeats",
        "1",
        "--only",
        "gcrd,kd",
    ]
    result = CliRunner().invoke(app, [*arguments, "--only", "gcrd,kd"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["results"]
    assert [(entry["name"], entry["nodes"], entry["widths"]) for entry in found] == [
        ("gcrd", 50, [8, 8]),
        ("kd", 50, [8, 8]),
    ]
    assert all(entry["ours"]["peak_bytes"] > 0 for entry in found)


def test_an_unknown_loss_is_refused_with_exit_code_2():
    result = CliRunner().invoke(app, ["bench", "losses", "--only", "lspp"])
    assert result.exit_code == 2
    assert "no loss is called 'lspp'" in result.stderr


def test_steps_take_turns_after_one_that_is_not_timed():
    calls = []
    seconds = alternate({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=2)
    assert calls == ["a", "b"] * 3
    assert set(seconds) == {"a", "b"}


def allocate(megabytes):
    def prepare(inputs):
        return lambda: torch.ones(megabytes * 250_000).sum()

    return torch.zeros(1), prepare


def fail():
    def prepare(inputs):
        raise RuntimeError("no room")

    return None, prepare


def test_peak_memory_is_what_the_step_needs():
    found = peak_bytes(allocate, 200)
    assert 195e6 < found < 260e6


def test_what_does_not_fit_is_an_error_with_its_message():
    with pytest.raises(RunError, match="no room"):
        peak_bytes(fail)
