"""ACM, DBLP and ogbn-mag: what the papers count, what PyG and OGB read from the same files."""

import gzip
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from workbench.datasets import load_dataset, measure
from workbench.datasets.mag import RELATIONS
from workbench.errors import UsageError
from workbench.registry import datasets
from workbench.spec import Spec
from workbench.tasks import NodeClassification

MAG_COUNTS = {"author": 9, "field_of_study": 4, "institution": 3, "paper": 12}


@pytest.mark.parametrize("name", ["acm", "dblp"])
def test_the_figures_on_the_card_are_measured(name, hetero_root):
    card, found = datasets[name].card, measure(load_dataset(name, hetero_root))
    assert set(card.measured) == set(found)
    assert found == pytest.approx(dict(card.measured), abs=5e-5)
    assert {key: found[key] for key in card.published} == dict(card.published)


def test_acm_is_what_heco_counts(hetero_root):
    data = load_dataset("acm", hetero_root)
    assert data.x.counts == {"paper": 4019, "author": 7167, "subject": 60}
    assert data.x.relations["paper", "to", "author"].shape[1] == 13407
    assert data.x.relations["paper", "to", "subject"].shape[1] == 4019
    assert data.y.bincount().tolist() == [1993, 965, 1061]
    assert data.edge_index.shape[1] + 4019 == 57853  # HeCo's paper – author – paper, which has loops


@pytest.mark.parametrize("per_class", [20, 40, 60])
def test_acm_with_labels_of_so_many_papers_of_every_class(hetero_root, per_class):
    data = datasets["acm"](labels_per_class=per_class).load(hetero_root)
    assert data.y[data.train_mask].bincount().tolist() == [per_class] * 3
    assert (int(data.val_mask.sum()), int(data.test_mask.sum())) == (1000, 1000)


def test_dblp_is_what_heco_and_magnn_count(hetero_root):
    data = load_dataset("dblp", hetero_root)
    relations = {key: edges.shape[1] for key, edges in data.x.relations.items()}
    for one, other, count in (("author", "paper", 19645), ("paper", "term", 85810), ("paper", "conference", 14328)):
        assert relations[one, "to", other] == relations[other, "to", one] == count
    assert [int(data[f"{name}_mask"].sum()) for name in ("train", "val", "test")] == [400, 400, 3257]
    assert data.edge_index.shape[1] + 4057 == 11113  # HeCo's author – paper – author, which has loops


def test_dblp_is_what_pyg_loads(hetero_root, tmp_path):
    from torch_geometric.datasets import DBLP

    (tmp_path / "DBLP" / "raw").mkdir(parents=True)
    for file in (hetero_root / "DBLP" / "raw").iterdir():
        shutil.copyfile(file, tmp_path / "DBLP" / "raw" / file.name)
    theirs, ours = DBLP(str(tmp_path / "DBLP"))[0], load_dataset("dblp", hetero_root)
    for name in ("author", "paper", "term"):
        assert torch.equal(theirs[name].x, ours.x.features[name])
    assert "conference" not in ours.x.features
    assert torch.equal(theirs["author"].y, ours.y)
    assert all(torch.equal(theirs["author"][f"{name}_mask"], ours[f"{name}_mask"]) for name in ("train", "val", "test"))
    assert {relation: edges.shape[1] for relation, edges in ours.x.relations.items()} == {
        relation: theirs[relation].edge_index.shape[1] for relation in theirs.edge_types
    }
    for relation, edges in ours.x.relations.items():
        found = theirs[relation].edge_index
        order = [torch.argsort(each[0] * 30000 + each[1]) for each in (edges, found)]
        assert torch.equal(edges[:, order[0]], found[:, order[1]])


def write(path, table, header=False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(table).to_csv(path, index=False, header=header, compression="gzip")


@pytest.fixture
def mag_root(tmp_path):
    """A small graph in the files of OGB's release of ogbn-mag."""
    random = np.random.default_rng(0)
    folder = tmp_path / "OGB" / "ogbn_mag"
    raw, split = folder / "raw", folder / "split" / "time"
    write(raw / "num-node-dict.csv.gz", {name: [count] for name, count in MAG_COUNTS.items()}, header=True)
    write(raw / "triplet-type-list.csv.gz", list(RELATIONS))
    for source, name, destination in RELATIONS:
        edges = np.stack([random.integers(0, MAG_COUNTS[each], 20) for each in (source, destination)], axis=1)
        write(raw / "relations" / f"{source}___{name}___{destination}" / "edge.csv.gz", edges)
        write(raw / "relations" / f"{source}___{name}___{destination}" / "num-edge-list.csv.gz", [20])
    write(raw / "node-feat" / "paper" / "node-feat.csv.gz", random.normal(size=(12, 128)).round(6))
    write(raw / "node-label" / "paper" / "node-label.csv.gz", np.arange(12) % 3)
    has = {name: [name == "paper"] for name in MAG_COUNTS}
    write(raw / "nodetype-has-label.csv.gz", has, header=True)
    write(split / "nodetype-has-split.csv.gz", has, header=True)
    for name, nodes in (("train", range(6)), ("valid", range(6, 9)), ("test", range(9, 12))):
        write(split / "paper" / f"{name}.csv.gz", list(nodes))
    return tmp_path


def test_mag_is_what_ogb_reads(mag_root):
    read = pytest.importorskip("ogb.io.read_graph_raw", reason="OGB is not installed")
    raw = mag_root / "OGB" / "ogbn_mag"
    (theirs,) = read.read_csv_heterograph_raw(str(raw / "raw"))
    labels = read.read_node_label_hetero(str(raw / "raw"))["paper"][:, 0]
    split = read.read_nodesplitidx_split_hetero(str(raw / "split" / "time"))
    ours = load_dataset("mag", mag_root)
    assert ours.x.counts == {name: int(count) for name, count in theirs["num_nodes_dict"].items()}
    assert ours.x.features.keys() == {"paper"}
    np.testing.assert_array_equal(ours.x.features["paper"].numpy(), theirs["node_feat_dict"]["paper"])
    np.testing.assert_array_equal(ours.y.numpy(), labels)
    for name, nodes in zip(("train", "val", "test"), split, strict=True):
        np.testing.assert_array_equal(ours[f"{name}_mask"].nonzero()[:, 0].numpy(), nodes["paper"])
    assert len(ours.x.relations) == 7
    for (source, name, destination), edges in theirs["edge_index_dict"].items():
        if name != "cites":
            np.testing.assert_array_equal(ours.x.relations[source, name, destination].numpy(), edges)
            np.testing.assert_array_equal(ours.x.relations[destination, f"rev_{name}", source].numpy(), edges[::-1])
    cites = {tuple(pair) for pair in theirs["edge_index_dict"]["paper", "cites", "paper"].T.tolist()}
    found = {tuple(pair) for pair in ours.x.relations["paper", "cites", "paper"].T.tolist()}
    assert found == cites | {(b, a) for a, b in cites}


def test_accuracy_on_mag_is_that_of_ogbs_evaluator(mag_root):
    evaluator = pytest.importorskip("ogb.nodeproppred", reason="OGB is not installed").Evaluator
    data = load_dataset("mag", mag_root)
    logits = torch.randn(12, 3, generator=torch.Generator().manual_seed(1))
    for split in ("train", "val", "test"):
        mask = data[f"{split}_mask"]
        given = {
            "y_true": {"paper": data.y[mask][:, None].numpy()},
            "y_pred": {"paper": logits[mask].argmax(1, keepdim=True).numpy()},
        }
        plain = evaluator("ogbn-mag").eval({key: value["paper"] for key, value in given.items()})
        assert NodeClassification().evaluate(logits, data, split)["accuracy"] == pytest.approx(plain["acc"])


def test_the_preset_on_mag_has_the_published_sizes():
    spec = Spec.parse({"dataset": "mag", "preset": "gcrd-mag-rgcn"}, "test")
    assert (spec.teacher.num_layers, spec.teacher.hidden_channels) == (3, 512)
    assert (spec.student.num_layers, spec.student.hidden_channels) == (2, 32)
    assert spec.training.learning_rate == 0.005
    assert spec.training.epochs == 30 * 30


@pytest.mark.parametrize("name", ["acm", "dblp", "mag"])
def test_what_is_not_there_is_said(name, tmp_path):
    assert not datasets[name]().is_ready(tmp_path)
    with pytest.raises(UsageError, match="Nothing is downloaded"):
        load_dataset(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("raw/num-node-dict.csv.gz", "author,paper\n9,12\n", "expected author, field_of_study"),
        ("raw/num-node-dict.csv.gz", "nonsense", "cannot be read|expected author"),
        ("raw/node-label/paper/node-label.csv.gz", "0\n1\n", "count other papers"),
        ("raw/relations/author___writes___paper/edge.csv.gz", "9,0\n", "names no node"),
        ("split/time/paper/train.csv.gz", "77\n", "train split names nodes"),
    ],
)
def test_damaged_files_of_mag_are_refused(mag_root, file, text, message):
    with gzip.open(mag_root / "OGB" / "ogbn_mag" / file, "wt") as opened:
        opened.write(text)
    with pytest.raises(UsageError, match=message):
        load_dataset("mag", mag_root)


@pytest.mark.parametrize("file", ["raw/adjM.npz", "raw/features_1.npz", "raw/labels.npy", "raw/train_val_test_idx.npz"])
def test_damaged_files_of_dblp_are_refused(hetero_root, tmp_path, file):
    shutil.copytree(hetero_root / "DBLP" / "raw", tmp_path / "DBLP" / "raw", copy_function=shutil.copyfile)
    (tmp_path / "DBLP" / "raw").chmod(0o755)
    path = tmp_path / "DBLP" / file
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(UsageError, match="damaged"):
        load_dataset("dblp", tmp_path)


def test_a_damaged_file_of_acm_is_refused(hetero_root, tmp_path):
    (tmp_path / "ACM").mkdir()
    (tmp_path / "ACM" / "acm.npz").write_bytes((hetero_root / "ACM" / "acm.npz").read_bytes()[:-900])
    with pytest.raises(UsageError, match="damaged"):
        load_dataset("acm", tmp_path)


def test_the_preset_on_mag_runs_with_other_sizes(mag_root, tmp_path, monkeypatch):
    import workbench as wb

    monkeypatch.setenv("WORKBENCH_DATA", str(mag_root))
    found = wb.distill(
        "mag",
        preset="gcrd-mag-rgcn",
        teacher={"name": "rgcn", "hidden_channels": 6},
        student={"name": "rgcn", "hidden_channels": 4},
        method="kd+gcrd",
        training={"epochs": 2},
        teacher_training={"epochs": 2},
        device="cpu",
        root=tmp_path / "runs",
    )

    def layer(before: int, after: int) -> int:  # seven relations, four roots with a bias
        return 11 * before * after + 4 * after

    assert found.result["teacher"]["parameters"] == layer(128, 6) + layer(6, 6) + layer(6, 3)
    assert found.result["student"]["parameters"] == layer(128, 4) + layer(4, 3)
    assert found.result["student"]["embedding_parameters"] == 128 * (9 + 4 + 3)
