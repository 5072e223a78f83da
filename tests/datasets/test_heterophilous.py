"""Heterophilous graphs: the ten splits, both directions of a link, and what is refused."""

import io
import shutil
from typing import ClassVar, Literal

import numpy as np
import pytest
import torch
from torch_geometric.datasets import HeterophilousGraphDataset

from workbench.datasets import Card, load_dataset
from workbench.datasets.heterophilous import HeterophilousConfig
from workbench.errors import UsageError
from workbench.registry import datasets

NODES, FEATURES = 40, 3
EDGES = np.array([(i, i + 1) for i in range(NODES - 1)])
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(NODES, FEATURES)).astype(np.float32)
Y = np.arange(NODES) % 2
PARTS = np.stack([RANDOM.permutation(np.arange(NODES) % 4) for _ in range(10)])  # half trains, a quarter each


def archive(**changes):
    masks = {"train_masks": PARTS < 2, "val_masks": PARTS == 2, "test_masks": PARTS == 3}
    raw = io.BytesIO()
    np.savez(raw, **{"node_features": X, "node_labels": Y, "edges": EDGES, **masks, **changes})
    return raw.getvalue()


class SmallConfig(HeterophilousConfig):
    title: ClassVar[str] = "Small"
    graph: ClassVar[str] = "small"
    card: ClassVar[Card] = Card(
        title="Small", task="node classification", metric="auc", summary="A path.", citation="none", licence="none",
        published={"nodes": NODES, "edges": 2 * (NODES - 1), "features": FEATURES, "classes": 2},
    )  # fmt: skip

    name: Literal["small-heterophilous"] = "small-heterophilous"


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "HeterophilousGraph/small/raw"
    folder.mkdir(parents=True)
    (folder / "small.npz").write_bytes(archive())
    return folder / "small.npz"


@pytest.mark.parametrize("split", range(10))
def test_each_of_the_ten_splits_can_be_taken(split, path, tmp_path):
    data = load_dataset(SmallConfig(split=split), tmp_path)
    assert data.train_mask.tolist() == (PARTS[split] < 2).tolist()
    assert data.val_mask.tolist() == (PARTS[split] == 2).tolist()
    assert data.test_mask.tolist() == (PARTS[split] == 3).tolist()


def test_there_is_no_eleventh_split():
    with pytest.raises(UsageError, match="split"):
        SmallConfig.parse({"split": 10})


def test_features_labels_and_links_are_those_of_the_file(path, tmp_path):
    data = load_dataset(SmallConfig(), tmp_path)
    assert torch.equal(data.x, torch.from_numpy(X))
    assert torch.equal(data.y, torch.from_numpy(Y))
    pairs = {tuple(pair) for pair in data.edge_index.T.tolist()}
    assert pairs == {tuple(pair) for pair in [*EDGES.tolist(), *EDGES[:, ::-1].tolist()]}


DAMAGED = {
    "another graph": archive(node_features=X[:-1]),
    "labels of three classes": archive(node_labels=np.arange(NODES) % 3),
    "nine splits": archive(val_masks=PARTS[:9] == 2),
    "splits of numbers": archive(test_masks=(PARTS == 3).astype(int)),
    "edges turned round": archive(edges=EDGES.T),
    "no edges": archive(edges=EDGES[:0]),
    "an edge to nowhere": archive(edges=EDGES + 1),
    "an edge too few": archive(edges=EDGES[:-1]),
}


@pytest.mark.parametrize("raw", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_archive_is_named(raw, path, tmp_path):
    path.write_bytes(raw)
    with pytest.raises(UsageError, match=r"small\.npz is cut off, damaged or another file .*get it again"):
        load_dataset(SmallConfig(), tmp_path)


@pytest.mark.parametrize("name", ["minesweeper", "tolokers"])
def test_pygs_own_dataset_holds_the_same(name, archives_root, tmp_path):
    shutil.copytree(archives_root / "HeterophilousGraph" / name, tmp_path / name)
    theirs = HeterophilousGraphDataset(str(tmp_path), name.capitalize())[0]
    ours = load_dataset(datasets[name](split=3), archives_root)
    assert torch.equal(ours.x, theirs.x)
    assert torch.equal(ours.y, theirs.y)
    assert torch.equal(ours.edge_index, theirs.edge_index)
    assert torch.equal(ours.test_mask, theirs.test_mask[:, 3])


def test_two_classes_are_judged_by_the_area_under_the_curve_and_more_by_accuracy():
    judged = {name: datasets[name].card.metric for name in ("minesweeper", "tolokers", "chameleon-filtered")}
    assert judged == {"minesweeper": "auc", "tolokers": "auc", "chameleon-filtered": "accuracy"}
