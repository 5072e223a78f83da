"""Both variants of every benchmark compute the same thing, and are measured side by side."""

import json

import pytest
import torch
from typer.testing import CliRunner

from workbench.bench import losses
from workbench.bench.measure import alternate, peak_bytes
from workbench.cli import app
from workbench.errors import RunError

SIZES = (60, 400, (8, 24))


@pytest.mark.parametrize("case", losses.CASES)
def test_ours_and_the_textbook_agree_in_value_and_gradient(case):
    found = []
    for variant in ("ours", "textbook"):
        inputs, prepare = losses.make(variant, case, *SIZES)
        value = prepare(inputs)()
        found.append((value, [t.grad for t in inputs.trained if t.grad is not None]))
    (ours, our_gradients), (textbook, gradients) = found
    assert textbook > 1e-9
    assert ours == pytest.approx(textbook, rel=1e-3)
    assert len(our_gradients) == len(gradients) > 0
    for our_gradient, gradient in zip(our_gradients, gradients, strict=True):
        torch.testing.assert_close(our_gradient, gradient, rtol=1e-2, atol=1e-3 * float(gradient.abs().max()))


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


def test_the_epoch_benchmark_prints_one_document():
    arguments = ["bench", "epoch", "--json", "--nodes", "50", "--edges", "200", "--widths", "8,4,3", "--repeats", "3"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["widths"] == [8, 4, 3]
    (entry,) = document["results"]
    assert entry["speedup"] == pytest.approx(entry["textbook"]["milliseconds"] / entry["ours"]["milliseconds"])
