"""Point clouds: what is checked, measured and batched; ModelNet's files: what is read and what is refused."""

import numpy as np
import pytest
import torch

from workbench.datasets import (
    ModelNet10Config,
    ModelNet40Config,
    PointClouds,
    check,
    fingerprint,
    load_dataset,
    measure,
    mini_batch,
)
from workbench.datasets.point_clouds import in_unit_ball, with_validation
from workbench.errors import UsageError


def shapes(count=12, points=20, seed=0):
    """Two classes, and all three splits with both of them."""
    drawn = in_unit_ball(np.random.RandomState(seed).normal(size=(count, points, 3)))
    number = np.arange(count)
    return PointClouds.of_arrays(drawn, number % 2, ("chair", "table"), 1 + number // 2 % 3)


def test_they_are_measured_and_found_sound():
    clouds = shapes()
    check(clouds, "shapes")
    assert measure(clouds) == {
        "shapes": 12, "points": 20, "features": 3, "classes": 2, "train": 4, "val": 4, "test": 4
    }  # fmt: skip
    assert (clouds.num_features, clouds.num_classes, len(clouds)) == (3, 2, 12)
    assert clouds.of_split("val").tolist() == [2, 3, 8, 9]


def test_the_fingerprint_changes_with_everything_that_is_learned_from():
    clouds = shapes()
    assert fingerprint(clouds) == fingerprint(shapes())
    changed = [shapes(seed=1), shapes(), shapes(), shapes()]
    changed[1].labels = changed[1].labels.flip(0)
    changed[2].split = changed[2].split.flip(0)
    changed[3].class_names = ("chair", "desk")
    assert len({fingerprint(each) for each in (clouds, *changed)}) == 5


def test_a_mini_batch_says_which_shape_every_point_is_of():
    clouds = shapes()
    batch = clouds.mini_batch(torch.tensor([3, 0]))
    assert torch.equal(batch.x, torch.cat([clouds.points[3], clouds.points[0]]))
    assert batch.batch.tolist() == [0] * 20 + [1] * 20
    assert batch.ptr.tolist() == [0, 20, 40]
    assert batch.y.tolist() == [1, 0]
    assert batch.edge_index is None
    assert mini_batch(clouds.points[:1] * 2, clouds.labels[:1]).x.shape == (20, 3)


def broken(**changes):
    clouds = shapes()
    for name, value in changes.items():
        setattr(clouds, name, value)
    return clouds


def with_point(value):
    points = shapes().points
    points[5, 7] = value
    return points


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": torch.zeros(12, 20, 2)}, r"points is \(12, 20, 2\) of float32: expected \(M, n, 3\)"),
        ({"labels": torch.zeros(12)}, "labels is .* of float32: expected .* int64"),
        ({"split": torch.ones(11, dtype=torch.int8)}, "11 entries of split"),
        ({"points": torch.zeros(12, 0, 3)}, "at least one shape and one point"),
        ({"points": with_point(float("nan"))}, "1 shapes hold points that are NaN or infinite, the first is shape 5"),
        ({"points": with_point(2.0)}, "a point lies 3.464 from the origin"),
        ({"class_names": ("chair",)}, "there is 1 class"),
        ({"labels": torch.arange(12)}, "labels go from 0 to 11: expected 0 to 1"),
        ({"class_names": ("chair", "table", "lamp")}, "no training shape is lamp"),
        ({"split": shapes().split - 1}, r"split goes from 0 to 2: expected 1 \(train\), 2 \(val\) and 3 \(test\)"),
        ({"split": shapes().split + 1}, "split goes from 2 to 4"),
        ({"split": torch.ones(12, dtype=torch.int8)}, "the split 'val' is empty\n  - the split 'test' is empty"),
    ],
)
def test_what_cannot_be_learned_from_is_listed(changes, message):
    with pytest.raises(UsageError, match=f"(?s)^shapes cannot be learned from:\n.*{message}"):
        check(broken(**changes), "shapes")


def test_shapes_fill_the_unit_ball():
    points = np.random.RandomState(0).normal(5, 3, (4, 30, 3))
    found = in_unit_ball(points)
    assert found.mean(axis=1) == pytest.approx(np.zeros((4, 3)), abs=1e-12)
    assert np.linalg.norm(found, axis=2).max(axis=1) == pytest.approx(np.ones(4))
    assert not in_unit_ball(np.ones((1, 5, 3))).any()


def test_a_share_of_every_class_validates():
    labels = np.repeat([0, 1, 2], [100, 50, 3])
    split = with_validation(np.random.RandomState(0), labels, 0.1)
    assert [(split[labels == label] == 2).sum() for label in range(3)] == [10, 5, 1]
    assert set(split) == {1, 2}


def write_modelnet(root, folder="ModelNet40", points=1024, names=("chair", "lamp"), **left_out):
    (root / folder).mkdir(parents=True, exist_ok=True)
    random = np.random.RandomState(0)
    for part, count in (("train", 40), ("test", 6)):
        drawn = in_unit_ball(random.normal(size=(count, points, 3))).astype(np.float16)
        arrays = {"points": drawn, "labels": np.arange(count) % 2, "class_names": np.array(names)}
        arrays = {key: value for key, value in arrays.items() if key not in left_out.get(part, ())}
        np.savez(root / folder / f"{folder.lower()}_1024_{part}.npz", **arrays)


@pytest.mark.parametrize("config", [ModelNet10Config, ModelNet40Config])
def test_files_in_the_layout_are_read(config, tmp_path):
    assert not config().is_ready(tmp_path)
    write_modelnet(tmp_path, config.folder)
    assert config().is_ready(tmp_path)
    clouds = load_dataset(config(), tmp_path)
    assert measure(clouds) == {
        "shapes": 46, "points": 1024, "features": 3, "classes": 2, "train": 36, "val": 4, "test": 6
    }  # fmt: skip
    stored = np.load(tmp_path / config.folder / f"{config.folder.lower()}_1024_train.npz")
    assert torch.equal(clouds.points[:40], torch.from_numpy(stored["points"].astype(np.float32)))
    assert clouds.class_names == ("chair", "lamp")
    assert clouds.split[40:].tolist() == [3] * 6


def test_fewer_points_are_the_same_ones_of_every_shape(tmp_path):
    write_modelnet(tmp_path)
    whole = load_dataset(ModelNet40Config(), tmp_path)
    fewer = load_dataset(ModelNet40Config(points=64), tmp_path)
    assert fewer.points.shape == (46, 64, 3)
    chosen = [int((whole.points[0] == point).all(1).nonzero()[0]) for point in fewer.points[0]]
    assert torch.equal(fewer.points, whole.points[:, chosen])
    assert torch.equal(fewer.split, whole.split)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"points": 512}, r"points \(40, 512, 3\) .*expected an npz file with points \(m, 1024, 3\)"),
        ({"train": ("labels",)}, "train.npz has no labels: expected"),
        ({"test": ("points", "class_names")}, "test.npz has no points and no class_names"),
    ],
)
def test_files_in_another_layout_are_refused(files, message, tmp_path):
    write_modelnet(tmp_path, **files)
    with pytest.raises(UsageError, match=message):
        load_dataset(ModelNet40Config(), tmp_path)


def test_absent_and_damaged_files_and_other_classes_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"modelnet40_1024_train\.npz is missing: expected an npz file with points"):
        load_dataset("modelnet40", tmp_path)
    write_modelnet(tmp_path, names=("chair", "sofa"))
    train = tmp_path / "ModelNet40/modelnet40_1024_train.npz"
    kept = train.read_bytes()
    write_modelnet(tmp_path)
    train.write_bytes(kept)
    with pytest.raises(UsageError, match="class_names of the training file are not those of the test file"):
        load_dataset("modelnet40", tmp_path)
    train.write_bytes(kept[: len(kept) // 2])
    with pytest.raises(UsageError, match=r"train\.npz cannot be read"):
        load_dataset("modelnet40", tmp_path)


def test_the_figures_on_modelnet10s_card_are_measured(modelnet_root):
    card = ModelNet10Config.card
    found = measure(load_dataset("modelnet10", modelnet_root))
    assert found == dict(card.measured)
    assert {key: found[key] for key in card.published} == dict(card.published)


def test_modelnet10_has_the_published_classes(modelnet_root):
    clouds = load_dataset(ModelNet10Config(points=16), modelnet_root)
    test = clouds.split == 3
    train = [106, 515, 889, 200, 200, 465, 200, 680, 392, 344]
    assert torch.bincount(clouds.labels[~test]).tolist() == train
    assert torch.bincount(clouds.labels[test]).tolist() == [50, 100, 100, 86, 86, 100, 86, 100, 100, 100]
    assert [round(0.1 * count) for count in train] == torch.bincount(clouds.labels[clouds.split == 2]).tolist()
