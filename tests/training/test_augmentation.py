"""What is done to clouds in training: every cloud in its own way, within the stated bounds, by torch's generator."""

import pytest
import torch

from workbench.errors import UsageError
from workbench.training.augmentation import augmented

CLOUDS, POINTS = 500, 16


@pytest.fixture
def points():
    return torch.randn(CLOUDS, POINTS, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_every_axis_of_every_cloud_is_scaled_and_moved_within_the_published_bounds(points):
    found = augmented(points, generator=generator())
    scale = (found[:, 1] - found[:, 0]) / (points[:, 1] - points[:, 0])  # (B, 3)
    shift = found[:, 0] - scale * points[:, 0]
    torch.testing.assert_close(found, points * scale[:, None] + shift[:, None])
    assert 2 / 3 <= scale.min() < 0.68
    assert 1.48 < scale.max() <= 1.5
    assert -0.2 <= shift.min() < -0.19
    assert 0.19 < shift.max() <= 0.2
    assert scale.mean().item() == pytest.approx((2 / 3 + 3 / 2) / 2, abs=0.03)


def test_no_scale_and_no_shift_leave_everything_as_it_is(points):
    assert torch.equal(augmented(points, 1, 0), points)


def test_the_generator_decides(points):
    same = [augmented(points, generator=generator(seed)) for seed in (1, 1, 2)]
    assert torch.equal(same[0], same[1])
    assert not torch.equal(same[0], same[2])
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        found.append(augmented(points.float()))
    assert torch.equal(*found)
    assert found[0].dtype == torch.float32


def test_nothing_is_changed_in_place(points):
    before = points.clone()
    augmented(points)
    assert torch.equal(points, before)


@pytest.mark.parametrize("options", [{"scale": 0.5}, {"shift": -1}])
def test_what_cannot_be_done_is_refused(points, options):
    with pytest.raises(UsageError, match="augmentation takes a scale from 1 and a shift from 0"):
        augmented(points, **options)
