"""The widest student that is quick enough: how it is searched for, and what is timed."""

from __future__ import annotations

import time

import pytest
import torch

import workbench.runs.latency_budget as module
from workbench.datasets.load import load_dataset
from workbench.errors import UsageError
from workbench.models.budget import possible_widths
from workbench.runs.latency_budget import median_milliseconds, solve_latency, widest_within
from workbench.spec import Spec

CPU = torch.device("cpu")


@pytest.mark.parametrize("widths", [range(1, 8193), range(4, 8193, 4), range(1, 2), range(6, 19, 6)])
@pytest.mark.parametrize("target", [0.5, 1.0, 7.0, 7.5, 12.0, 100.0, 5000.0, 8192.0, 1e9])
def test_no_wider_one_would_be_quick_enough(widths, target):
    found, tried = widest_within(float, widths, target)
    fitting = [width for width in widths if width <= target]
    assert found == (max(fitting) if fitting else None)
    assert set(tried) <= set(widths)


def test_what_is_much_too_slow_is_never_tried_and_little_is_tried_at_all():
    widths = range(1, 8193)
    for target in (1, 3, 50, 300):
        _, tried = widest_within(float, widths, target)
        assert max(tried) <= 2 * target + 2
        assert len(tried) <= 2 * (target + 1).bit_length() + 2


def test_on_a_noisy_clock_the_answer_was_quick_enough_when_it_was_measured():
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        found, tried = widest_within(
            lambda width: width * (0.5 + torch.rand(1, generator=generator).item()), range(1, 513), 40.0
        )
        assert found is None or tried[found] <= 40.0


def test_a_median_leaves_out_the_first_passes_and_one_that_was_disturbed():
    waits = iter([0.05, 0.05, 0.05, *[0.002] * 20])
    assert 2 <= median_milliseconds(lambda: time.sleep(next(waits)), CPU) < 20


def test_a_slow_model_is_passed_a_few_times_only(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.02)
    passes = []
    median_milliseconds(lambda: (passes.append(1), time.sleep(0.02)), CPU)
    assert len(passes) == module.WARM_UP + module.FEWEST


SPECS = {
    "node classification": {"dataset": "builtin-karate", "teacher": "gcn", "student": "gat"},
    "graph classification": {"dataset": {"name": "builtin-shapes", "points": 32, "shapes_per_class": 10}},
    "link prediction": {
        "dataset": {"name": "builtin-communities", "nodes": 80, "snapshots": 6},
        "teacher": {"name": "dysat", "window": 2},
        "student": {"name": "dysat", "heads": 4},
    },
}


def spec_of(task):
    return Spec.parse({**SPECS[task], "device": "cpu"})


@pytest.mark.parametrize("task", SPECS)
def test_a_student_of_every_task_is_found(task, monkeypatch):
    """The clock counts parameters here: the widest student within so many, and everything else as it was."""
    spec = spec_of(task)
    data = load_dataset(spec.dataset)
    ran, built, kind = [], [], type(spec.student)
    build = kind.build

    def remembered(self, *widths):
        built.append(build(self, *widths))
        return built[-1]

    def counted(one_pass, device):
        ran.append(one_pass())
        return float(sum(p.numel() for p in built[-1].parameters()))

    monkeypatch.setattr(kind, "build", remembered)
    monkeypatch.setattr(module, "median_milliseconds", counted)
    found = solve_latency(spec, data, 20_000)
    option, step = spec.student.width_option, spec.student.width_step
    inputs, outputs = module.model_widths(spec, data).student
    width = getattr(found.config, option)
    assert found.config.count_parameters(inputs, outputs) == found.milliseconds <= 20_000
    assert found.config.replace(**{option: width + step}).count_parameters(inputs, outputs) > 20_000
    assert found.config.replace(**{option: getattr(spec.student, option)}) == spec.student
    assert len(ran) == len(found.tried)


@pytest.mark.parametrize("task", SPECS)
def test_the_time_of_a_real_pass_is_measured(task, monkeypatch):
    monkeypatch.setattr(module, "MOST_PARAMETERS", 20_000)
    spec = spec_of(task)
    found = solve_latency(spec, load_dataset(spec.dataset), 1e6)
    assert 0 < found.milliseconds < 1e6
    width = getattr(found.config, spec.student.width_option)
    assert width == max(found.tried)
    assert width in possible_widths(spec.student)


def test_a_target_that_nothing_meets_names_the_narrowest_one_and_its_time():
    spec = spec_of("node classification")
    with pytest.raises(UsageError, match=r"no GAT answers within 1e-06 ms here: .*hidden_channels 1\) took .* ms"):
        solve_latency(spec, load_dataset(spec.dataset), 1e-6)


@pytest.mark.parametrize("target", [0, -1.0, float("nan")])
def test_a_target_that_makes_no_sense_is_refused(target):
    spec = spec_of("node classification")
    with pytest.raises(UsageError, match="positive number of milliseconds"):
        solve_latency(spec, None, target)


def test_the_callers_random_numbers_stay_as_they_were():
    spec = spec_of("node classification")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    solve_latency(spec, load_dataset(spec.dataset), 1000.0)
    assert torch.equal(torch.rand(3), expected)
