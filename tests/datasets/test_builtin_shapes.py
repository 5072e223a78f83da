"""The drawn shapes: each is what its name says, and a seed always gives the same ones."""

import numpy as np
import pytest
import torch

from workbench.datasets import BuiltinShapesConfig, fingerprint, load_dataset
from workbench.datasets.builtin_shapes import SHAPES, random_rotation
from workbench.errors import UsageError

POINTS = 4000


@pytest.fixture
def drawn():
    """Points of one shape as it is drawn, before it is turned and scaled."""
    return lambda name, seed=0: SHAPES[name](np.random.RandomState(seed), POINTS)


def small(**options):
    return load_dataset(BuiltinShapesConfig(shapes_per_class=10, points=64, **options))


def test_a_graph_seed_always_draws_the_same_shapes():
    before = np.random.get_state()[1].copy()
    torch.manual_seed(1)
    assert fingerprint(small()) == fingerprint(small())
    assert fingerprint(small(graph_seed=1)) != fingerprint(small())
    assert (np.random.get_state()[1] == before).all()


def test_classes_are_balanced_in_every_split():
    shapes = small()
    assert shapes.class_names == tuple(SHAPES)
    for split, count in (("train", 6), ("val", 2), ("test", 2)):
        assert torch.bincount(shapes.labels[shapes.of_split(split)]).tolist() == [count] * len(SHAPES)


def test_shapes_lie_in_the_unit_ball_on_a_grid():
    points = small().points
    reach = points.norm(dim=2).amax(1)
    torch.testing.assert_close(reach, torch.ones_like(reach), atol=2e-4, rtol=0)
    assert torch.equal((points * 2**14).round(), points * 2**14)


@pytest.mark.parametrize(("noise", "low", "high"), [(0.0, 0.0, 0.015), (0.1, 0.09, 0.11)])
def test_noise_moves_points_by_as_much_as_it_says(noise, low, high):
    """A sphere has one radius (but for the middle, which is the mean of its points); noise spreads the radii."""
    shapes = load_dataset(BuiltinShapesConfig(shapes_per_class=5, points=4096, noise=noise))
    spheres = shapes.points[shapes.labels == 0]
    radius = (spheres - spheres.mean(1, keepdim=True)).norm(dim=2)
    spread = (radius / radius.mean(1, keepdim=True)).std(1).mean()
    assert low < spread < high


def test_round_shapes_have_their_radius(drawn):
    assert np.linalg.norm(drawn("sphere"), axis=1) == pytest.approx(np.ones(POINTS))
    dome = drawn("hemisphere")
    assert np.linalg.norm(dome, axis=1) == pytest.approx(np.ones(POINTS))
    assert dome[:, 2].min() >= 0
    assert np.hypot(*drawn("tube").T[:2]) == pytest.approx(np.ones(POINTS))
    assert np.hypot(*drawn("helix").T[:2]) == pytest.approx(np.ones(POINTS))


def test_a_sphere_is_covered_evenly(drawn):
    """Second moments of a uniform sphere are a third of the identity."""
    points = drawn("sphere")
    assert points.T @ points / POINTS == pytest.approx(np.eye(3) / 3, abs=0.03)
    assert (drawn("hemisphere")[:, 2] < 0.5).mean() == pytest.approx(0.5, abs=0.03)


def test_cube_and_tetrahedron_have_flat_faces(drawn):
    cube = drawn("cube")
    assert np.abs(cube).max(axis=1) == pytest.approx(np.ones(POINTS))
    largest = np.abs(cube).argmax(axis=1) * 2 + (cube[np.arange(POINTS), np.abs(cube).argmax(axis=1)] > 0)
    assert np.bincount(largest) / POINTS == pytest.approx(np.full(6, 1 / 6), abs=0.03)
    # The four faces of this tetrahedron are the planes ±x ± y ± z = 1 with an odd number of minus signs.
    normals = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1], [-1, -1, -1]])
    height = drawn("tetrahedron") @ normals.T
    assert height.max(axis=1) == pytest.approx(np.ones(POINTS))
    assert np.bincount(height.argmax(axis=1)) / POINTS == pytest.approx(np.full(4, 0.25), abs=0.03)


def test_a_cylinder_has_lids_where_a_tube_has_none(drawn):
    points = drawn("cylinder")
    radius, top = np.hypot(*points.T[:2]), np.abs(points[:, 2]).max()
    on_lid = np.abs(points[:, 2]) > top - 1e-9
    assert radius[~on_lid] == pytest.approx(np.ones((~on_lid).sum()))
    # Both lids have the area 2π and the side 2π · height, which is twice as high as its top.
    assert on_lid.mean() == pytest.approx(1 / (1 + 2 * top), abs=0.03)
    assert (radius[on_lid] < np.sqrt(0.5)).mean() == pytest.approx(0.5, abs=0.06)


def test_a_cone_narrows_to_its_tip(drawn):
    points = drawn("cone")
    radius, on_base = np.hypot(*points.T[:2]), points[:, 2] == 0
    side = points[~on_base]
    height = (side[:, 2] / (1 - radius[~on_base])).mean()
    assert side[:, 2] == pytest.approx(height * (1 - radius[~on_base]))
    assert on_base.mean() == pytest.approx(1 / (1 + np.hypot(1, height)), abs=0.03)


def test_a_torus_keeps_its_distance_from_a_circle(drawn):
    points = drawn("torus")
    outward, z = np.hypot(*points.T[:2]) - 1, points[:, 2]
    tube = np.hypot(outward, z)
    assert tube == pytest.approx(np.full(POINTS, tube.mean()))
    assert outward.mean() == pytest.approx(tube.mean() ** 2 / 2, abs=0.02)  # there is more surface outside


def test_a_moebius_band_turns_over_once(drawn):
    """Going round by an angle, the band turns by half of it: at the angle φ it points along (cos φ/2, sin φ/2)."""
    points = drawn("Möbius band")
    angle = np.arctan2(points[:, 1], points[:, 0])
    outward, z = np.hypot(*points.T[:2]) - 1, points[:, 2]
    off = outward * np.sin(angle / 2) - z * np.cos(angle / 2)
    assert off == pytest.approx(np.zeros(POINTS), abs=1e-9)
    assert np.hypot(outward, z).max() <= 0.5


def test_proportions_vary(drawn):
    assert np.ptp(drawn("tube")[:, 2]) != pytest.approx(np.ptp(drawn("tube", seed=1)[:, 2]), abs=0.05)


@pytest.mark.parametrize("how", ["any", "vertical", "none"])
def test_rotations_are_rotations(how):
    random = np.random.RandomState(0)
    found = np.stack([random_rotation(random, how) for _ in range(2000)])
    assert found @ found.transpose(0, 2, 1) == pytest.approx(np.broadcast_to(np.eye(3), found.shape), abs=1e-12)
    assert np.linalg.det(found) == pytest.approx(np.ones(2000))
    expected = {"any": np.zeros((3, 3)), "vertical": np.diag([0, 0, 1]), "none": np.eye(3)}[how]
    assert found.mean(axis=0) == pytest.approx(expected, abs=0.05)


def test_options_outside_their_range_are_refused():
    for options in ({"points": 4}, {"noise": -1}, {"shapes_per_class": 2}, {"rotation": "some"}):
        with pytest.raises(UsageError):
            BuiltinShapesConfig.parse(options)
