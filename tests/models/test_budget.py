"""The budget: the largest student that fits, or a clear word that none does."""

import time
from typing import ClassVar, Literal

import pytest
from torch import nn

from workbench.errors import UsageError
from workbench.models import (
    GATConfig,
    GCNConfig,
    GCNIIConfig,
    GraphModel,
    ModelConfig,
    SAGEConfig,
    parameter_bytes,
    solve_budget,
)
from workbench.models.budget import possible_widths
from workbench.models.dysat import DySATConfig
from workbench.options import Option
from workbench.registry import models

CORA = (1433, 7)


@pytest.mark.parametrize("name", models.names())
@pytest.mark.parametrize("target", [30_000, 250_000])
def test_the_next_wider_model_would_not_fit(name, target):
    found = solve_budget(models[name](), *CORA, parameters=target)
    assert found.parameters == found.config.count_parameters(*CORA) <= target == found.target
    width = getattr(found.config, found.config.width_option) + found.config.width_step
    wider = found.config.replace(**{found.config.width_option: width})
    assert wider.count_parameters(*CORA) > target


def test_a_width_is_found_by_arithmetic():
    # GCN of width w on Cora: 1433 w + w + 7 w + 7 = 1441 w + 7
    found = solve_budget(GCNConfig(), *CORA, parameters=1441 * 16 + 7)
    assert (found.config.hidden_channels, found.parameters) == (16, 1441 * 16 + 7)
    assert solve_budget(GCNConfig(), *CORA, parameters=1441 * 16 + 6).config.hidden_channels == 15


def test_megabytes_are_a_million_bytes_of_float32():
    found = solve_budget(GCNConfig(), *CORA, megabytes=0.1)
    assert found.target == 25_000
    assert found.bytes == parameter_bytes(found.parameters) == 4 * found.parameters <= 100_000


def test_compression_is_relative_to_the_teacher():
    teacher = GATConfig().count_parameters(*CORA)
    found = solve_budget(GCNConfig(), *CORA, compression=10, teacher_parameters=teacher)
    assert found.target == teacher // 10
    assert found.ratio == teacher / found.parameters >= 10


def test_the_published_compression_is_reached():
    found = solve_budget(GCNIIConfig(), 500, 3, compression=294_403 / 2_083, teacher_parameters=294_403, depth=4)
    assert (found.config.hidden_channels, found.config.num_layers, found.parameters) == (4, 4, 2_083)


def test_heads_stay_and_the_width_is_of_one_head():
    found = solve_budget(GATConfig(heads=3), *CORA, parameters=50_000)
    assert found.config.heads == 3
    # (1433 + 3) · 3 w + 3 w · 7 + 21 for width w of a head
    assert found.config.hidden_channels == (50_000 - 21) // (3 * 1433 + 3 * 3 + 3 * 7)


def test_a_width_that_heads_share_is_a_multiple_of_them():
    # DySAT of N nodes, width d, h heads and T snapshots: N d + (2 d + 2 h) + T d + 3 d² + (d² + d) parameters
    nodes, heads, window = 500, 6, 3

    def size(d):
        return nodes * d + 2 * d + 2 * heads + (window + 1) * d + 4 * d * d + d

    found = solve_budget(DySATConfig(hidden_channels=12, heads=heads, window=window), nodes, 0, parameters=size(42) - 1)
    assert (found.config.hidden_channels, found.parameters) == (36, size(36))


def test_possible_widths_are_those_that_the_option_takes():
    assert possible_widths(GCNConfig()) == range(1, 8193)
    assert list(possible_widths(DySATConfig(hidden_channels=12, heads=6)))[:3] == [6, 12, 18]
    assert possible_widths(SteppedConfig()) == range(4, 500)


def test_everything_else_stays_as_it_was():
    found = solve_budget(GCNConfig(num_layers=3, dropout=0.25, batch_norm=True), *CORA, parameters=20_000)
    assert (found.config.num_layers, found.config.dropout, found.config.batch_norm) == (3, 0.25, True)


def test_depth_is_chosen_for_the_largest_model_that_fits():
    target = 40_000
    found = solve_budget(SAGEConfig(), *CORA, parameters=target, depth=range(2, 7))
    one_by_one = [solve_budget(SAGEConfig(num_layers=d), *CORA, parameters=target).parameters for d in range(2, 7)]
    assert found.parameters == max(one_by_one)
    assert found.config.num_layers == 2 + one_by_one.index(max(one_by_one))


def test_one_depth_may_be_given():
    assert solve_budget(GCNConfig(), *CORA, parameters=40_000, depth=5).config.num_layers == 5


def test_a_model_without_hidden_layers_has_no_width_to_choose():
    found = solve_budget(GCNConfig(num_layers=1), *CORA, parameters=20_000)
    assert found.parameters == 1433 * 7 + 7
    assert found.config.hidden_channels == 1


def test_the_widest_model_is_the_answer_to_a_huge_budget():
    assert solve_budget(GCNConfig(), 10, 2, parameters=10**9).config.hidden_channels == 8192


class Stepped(GraphModel):
    def __init__(self, in_channels: int, width: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(in_channels, width // 4 * 4), nn.Linear(width // 4 * 4, out_channels))


class SteppedConfig(ModelConfig):
    """A model whose size grows in steps, as no polynomial does."""

    depth_option: ClassVar[str | None] = None
    width_option: ClassVar[str] = "width"

    name: Literal["stepped"] = "stepped"
    width: int = Option(8, help="Width, rounded down to a multiple of four.", gt=3, lt=500)

    def build(self, in_channels: int, out_channels: int) -> Stepped:
        return Stepped(in_channels, self.width, out_channels)


def test_sizes_that_follow_no_law_are_counted_one_by_one():
    # width w, a multiple of four: 10 w + w + 3 w + 3 = 14 w + 3
    found = solve_budget(SteppedConfig(), 10, 3, parameters=14 * 40 + 3 + 20)
    assert found.parameters == 14 * 40 + 3
    assert found.config.width // 4 == 10


def test_a_model_without_depth_says_so():
    with pytest.raises(UsageError, match="no depth to choose"):
        solve_budget(SteppedConfig(), 10, 3, parameters=1000, depth=2)


def test_too_small_a_budget_names_the_smallest_model():
    with pytest.raises(UsageError, match=r"no GCN fits into 1,000 parameters.*hidden_channels 1, num_layers 2.*1,448"):
        solve_budget(GCNConfig(), *CORA, parameters=1000)


def test_over_several_depths_the_smallest_model_is_the_smallest_of_all():
    with pytest.raises(UsageError, match=r"num_layers 2\) has 1,448"):
        solve_budget(GCNConfig(), *CORA, parameters=1000, depth=[4, 3, 2])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "one of parameters, megabytes and compression; none was given"),
        ({"parameters": 10, "megabytes": 1}, "parameters and megabytes was given"),
        ({"parameters": 0}, "parameters must be a positive number"),
        ({"megabytes": -1.0}, "megabytes must be a positive number"),
        ({"compression": float("nan"), "teacher_parameters": 10}, "compression must be a positive number"),
        ({"compression": 10}, "give teacher_parameters too"),
        ({"compression": 10, "teacher_parameters": 0}, "teacher_parameters must be at least 1"),
        ({"parameters": 10_000, "depth": []}, "depth holds no number"),
        ({"parameters": 10_000, "depth": 0}, "num_layers of gcn goes from 1 to 128"),
        ({"parameters": 10_000, "depth": range(100, 200)}, "num_layers of gcn goes from 1 to 128"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(options, complaint):
    with pytest.raises(UsageError, match=complaint):
        solve_budget(GCNConfig(), *CORA, **options)


@pytest.mark.parametrize("name", models.names())
def test_the_dial_turns_without_waiting(name):
    config = models[name](**models[name].teacher_preset)
    config.count_parameters(*CORA)  # imports PyG
    seconds = []
    for _ in range(3):
        started = time.process_time()
        solve_budget(config, *CORA, parameters=40_000)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.2
