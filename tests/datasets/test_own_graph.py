"""Your own graph: what is read from CSV and .npz, and one clear message for each thing that can be wrong."""

import pickle
import zipfile

import numpy as np
import pytest
import torch

from workbench.datasets import OwnConfig, load_dataset
from workbench.errors import UsageError
from workbench.spec import Spec

NODES = """id,height,weight,label,split
ann,1.5,64,0,train
bob,1.75,75,1,train
cyd,2,-3e1,1,val
dee,0,0,0,test
eve,1,1,,
"""
EDGES = """src,dst,since
ann,bob,1999
bob,ann,2001
cyd,dee,2002
"""
ARRAYS = {
    "x": np.array([[1.5, 64], [1.75, 75], [2, -30], [0, 0], [1, 1]]),
    "edge_index": np.array([[0, 1, 2], [1, 0, 3]]),
    "y": np.array([0, 1, 1, 0, -1]),
    "split": np.array([1, 1, 2, 3, 0]),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nodes.csv").write_text(NODES)
    (tmp_path / "edges.csv").write_text(EDGES)
    return tmp_path


def archive(folder, **changes):
    arrays = {key: value for key, value in {**ARRAYS, **changes}.items() if value is not None}
    path = folder / "graph.npz"
    np.savez(path, **arrays)
    return path


def load(path, **options):
    return load_dataset(OwnConfig(path=str(path), **options))


def refused(path, *parts, **options):
    with pytest.raises(UsageError) as caught:
        load(path, **options)
    for part in parts:
        assert part in str(caught.value)


def test_a_folder_is_read_as_written(folder):
    data = load(folder, undirected=False)
    assert data.x.tolist() == ARRAYS["x"].tolist()
    assert data.y.tolist() == [0, 1, 1, 0, -1]
    assert data.edge_index.tolist() == [[0, 1, 2], [1, 0, 3]]
    assert data.train_mask.tolist() == [True, True, False, False, False]
    assert data.val_mask.tolist() == [False, False, True, False, False]
    assert data.test_mask.tolist() == [False, False, False, True, False]


@pytest.mark.parametrize(
    "split",
    [
        {},
        {"split": np.array(["train", "train", "val", "test", ""])},
        {"split": np.array(["Train", "TRAIN", "Val", "Test", "None"])},
        {"split": None, "train_mask": np.arange(5) < 2, "val_mask": np.arange(5) == 2, "test_mask": np.arange(5) == 3},
    ],
)
def test_an_archive_holds_the_same_graph(folder, split):
    ours, theirs = load(archive(folder, **split)), load(folder)
    for name in ("x", "edge_index", "y", "train_mask", "val_mask", "test_mask"):
        assert torch.equal(ours[name], theirs[name]), name


def test_edges_are_taken_in_both_directions_once(folder):
    assert sorted(map(tuple, load(folder).edge_index.T.tolist())) == [(0, 1), (1, 0), (2, 3), (3, 2)]


def test_features_are_scaled_on_request(folder):
    x = load(folder, normalise_features=True).x
    assert x[0].tolist() == pytest.approx([1.5 / 65.5, 64 / 65.5])
    assert x[2].tolist() == [2, -30]  # no positive sum
    assert x[3].tolist() == [0, 0]


def test_a_file_of_a_spreadsheet_is_read(folder):
    (folder / "nodes.csv").write_bytes(b"\xef\xbb\xbf" + NODES.replace("\n", "\r\n").replace(",", " , ").encode())
    assert load(folder).num_nodes == 5


def test_a_split_may_be_written_in_capitals(folder):
    expected = load(folder).train_mask
    (folder / "nodes.csv").write_text(NODES.replace(",train", ",Train").replace(",val", ",VAL"))
    assert torch.equal(load(folder).train_mask, expected)


def changed(text, old, new):
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id,", "name,", "has no column 'id'"),
        (",label", ",labels", "has no column 'label': did you mean 'labels'"),
        (",split", ",part", "has no column 'split'"),
        ("height,weight", "height,height", "two columns called 'height'"),
        ("ann,1.5", "ann,tall", "line 2, column 'height': 'tall' is not a finite number"),
        ("cyd,2", "cyd,nan", "line 4, column 'height': 'nan' is not a finite number"),
        ("-3e1", "inf", "line 4, column 'weight': 'inf'"),
        ("-3e1", "1e39", "line 4, column 'weight': '1e39'"),
        (",75,", ",,", "line 3, column 'weight': ''"),
        (",75,", ",7_5,", "line 3, column 'weight': '7_5'"),
        ("75,1,", "75,1.0,", "line 3, column 'label': '1.0' is not a label"),
        ("75,1,", "75,-2,", "line 3, column 'label': '-2'"),
        ("75,1,", "75,99999999999999999999,", "line 3, column 'label'"),
        ("75,1,", "75,,", "no label (node 1"),
        ("75,1,", "75,3,", "no training node has labels 1, 2"),
        ("1,1,,", "1,1,3,", "no training node has labels 2, 3"),
        ("75,1,", "75,0,", "no training node has label 1"),
        ("bob,", "ann,", "line 3: the id 'ann' was given to an earlier node"),
        ("bob,", ",", "line 3: the id is empty"),
        (",val", ",valid", "line 4, column 'split': unknown split 'valid'"),
        (",val", ",", "the validation split is empty"),
        (",test", ",", "the test split is empty"),
        ("bob,1.75,75,1", "bob,1.75,75", "line 3 has 4 cells: expected 5"),
        ("bob", '"bob', "cannot be read as CSV"),
        (NODES, "", "is empty: expected a header"),
        (NODES, "id,label,split\nann,0,train\n", "has no feature column"),
        (NODES, "id,a,label,split\n", "has a header and no nodes"),
    ],
)
def test_what_is_wrong_in_nodes_is_said(folder, old, new, message):
    (folder / "nodes.csv").write_text(changed(NODES, old, new))
    refused(folder, message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cyd,dee", "cyd,zoe", "edges.csv, line 4, column 'dst': 'zoe' is not an id of nodes.csv"),
        ("cyd,dee", "zoe,dee", "edges.csv, line 4, column 'src': 'zoe'"),
        ("src", "source", "has no column 'src'"),
        (EDGES, "src,dst\n", "no edges"),
        (EDGES, "", "is empty"),
        (",1999", "", "line 2 has 2 cells: expected 3"),
    ],
)
def test_what_is_wrong_in_edges_is_said(folder, old, new, message):
    (folder / "edges.csv").write_text(changed(EDGES, old, new))
    refused(folder, message)


def test_a_binary_file_is_no_table(folder):
    (folder / "nodes.csv").write_bytes(b"\xff\xfe\x00\x01" * 40)
    refused(folder, "nodes.csv cannot be read as CSV in UTF-8")


@pytest.mark.parametrize("name", ["nodes.csv", "edges.csv"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    refused(folder, f"{name} does not exist")


def test_a_path_that_leads_nowhere_is_refused(tmp_path):
    refused(tmp_path / "nowhere", "nowhere does not exist: expected a folder with nodes.csv")
    refused("", "needs a path")
    (tmp_path / "graph.txt").write_text("0 1")
    refused(tmp_path / "graph.txt", "neither a folder")


@pytest.mark.parametrize("path", ["~nobody-of-this-name/graph.npz", "~nobody-of-this-name"])
def test_a_home_that_is_not_there_is_said(path):
    refused(path, "~nobody-of-this-name has no home folder here; write the path in full")
    with pytest.raises(UsageError, match="has no home folder"):
        OwnConfig(path=path).pinned()
    assert not OwnConfig(path=path).is_ready(None)


@pytest.mark.parametrize("path", ["a" * 300, "/" + "a" * 300, "a" * 300 + ".npz", "a/" * 3000, "a\0b"])
def test_a_path_that_no_file_can_have_is_refused(path):
    refused(path, "does not exist: expected a folder with nodes.csv")


def test_a_data_root_below_a_home_that_is_not_there_is_said(monkeypatch):
    with pytest.raises(UsageError, match="~nobody-of-this-name has no home folder"):
        load_dataset("builtin-karate", root="~nobody-of-this-name/data")
    monkeypatch.setenv("WORKBENCH_DATA", "~nobody-of-this-name/data")
    with pytest.raises(UsageError, match="~nobody-of-this-name has no home folder"):
        load_dataset("builtin-karate")


def test_a_home_that_is_there_is_used(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    archive(folder)
    assert load("~").num_nodes == load("~/graph.npz").num_nodes == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": None}, "has no array 'x'"),
        ({"edge_index": None}, "has no array 'edge_index'"),
        ({"y": None}, "has no array 'y'"),
        ({"split": None}, "has no array 'train_mask'"),
        ({"x": np.zeros(5)}, "x is (5,) of float64"),
        ({"x": np.zeros((5, 0))}, "x is (5, 0)"),
        ({"x": np.zeros((5, 2), dtype=complex)}, "of complex128"),
        ({"x": np.full((5, 2), np.nan)}, "x, row 0, column 0: nan"),
        ({"x": np.where(np.arange(10).reshape(5, 2) == 7, 1e39, 0)}, "x, row 3, column 1: 1e+39"),
        (
            {"edge_index": np.array([[0, 1], [1, 0], [2, 3]])},
            "edge_index is (3, 2) of int64",
        ),
        ({"edge_index": np.array([[0, 1], [1, 0], [2, 3]])}, "edge_index.T"),
        ({"edge_index": np.zeros((2, 3))}, "expected (2, edges) of whole numbers"),
        ({"edge_index": np.zeros((2, 0), dtype=int)}, "edge_index is empty"),
        ({"edge_index": np.array([[0, 1], [1, 5]])}, "edge_index, row 1, column 1: 5 is not a node"),
        ({"edge_index": np.array([[0, -1], [1, 0]])}, "edge_index, row 0, column 1: -1"),
        ({"y": np.array([0, 1])}, "y is (2,) of int64: expected (5,)"),
        ({"y": np.zeros(5)}, "y is (5,) of float64"),
        ({"y": np.array([0, 1, 1, 0, -2])}, "y, row 4: -2 is not a label"),
        ({"y": np.array([0, 1, 1, 0, 10**12])}, "y, row 4: 1000000000000"),
        ({"y": np.array([0, 2, 2, 0, -1])}, "no training node has label 1"),
        ({"split": np.array([1, 1, 2, 3, 4])}, "split, row 4: unknown split 4"),
        ({"split": np.array(["train", "train", "val", "test", "Dev"])}, "unknown split Dev"),
        ({"split": np.array([1, 1, 2, 3])}, "split is (4,)"),
        ({"split": np.array([1, 1, 3, 3, 0])}, "the validation split is empty"),
        ({"split": np.array([1, 1, 2, 3, 0.0])}, "of float64"),
        ({"x": np.array([[object()] * 2] * 5)}, "Python objects"),
        (
            {"split": None, "train_mask": np.ones(5), "val_mask": np.ones(5), "test_mask": np.ones(5)},
            "train_mask is (5,) of float64: expected (5,) of bool",
        ),
        (
            {
                "split": None,
                "train_mask": np.arange(5) < 3,
                "val_mask": np.arange(5) == 2,
                "test_mask": np.arange(5) == 3,
            },
            "the training and validation splits share 1 node (node 2",
        ),
    ],
)
def test_what_is_wrong_in_an_archive_is_said(folder, changes, message):
    refused(archive(folder, **changes), message)


def test_a_cut_off_archive_is_refused(folder):
    path = archive(folder)
    raw = path.read_bytes()
    for length in (0, 30, len(raw) // 2, len(raw) - 5):
        path.write_bytes(raw[:length])
        refused(path, "graph.npz is not an archive of plain arrays")


def test_a_pickle_called_npz_is_not_opened(folder):
    path = folder / "graph.npz"
    path.write_bytes(pickle.dumps(ARRAYS))
    refused(path, "not an archive of plain arrays")


def test_an_array_is_sized_up_before_it_is_unpacked(folder):
    path = archive(folder)
    with zipfile.ZipFile(path, "a") as members, members.open("train_mask.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "|b1", "fortran_order": False, "shape": (10**6, 10**6)})
    refused(path, "train_mask has 1,000,000,000,000 entries")


def test_a_run_remembers_what_it_read(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    pinned = OwnConfig(path=folder.name).pinned()
    assert pinned.path == str(folder)
    assert len(pinned.sha256) == 64
    assert load_dataset(pinned).num_nodes == 5
    assert pinned.pinned() == pinned
    (folder / "edges.csv").write_text(EDGES + "dee,eve,2003\n")
    with pytest.raises(UsageError, match="has changed since the run was defined"):
        load_dataset(pinned)
    with pytest.raises(UsageError, match="leave sha256 out"):
        pinned.pinned()


def test_the_identity_of_a_run_follows_the_files(folder):
    def identity():
        config = OwnConfig(path=str(folder)).pinned()
        return Spec.parse({"dataset": config, "teacher": "gcn", "student": "gcn", "method": "kd"}).id

    first = identity()
    assert identity() == first
    (folder / "nodes.csv").write_text(NODES.replace("1.5", "1.6"))
    assert identity() != first


def test_two_files_that_only_share_their_joined_content_differ(tmp_path):
    from workbench.datasets.own import digest

    for name, content in {"a": b"12", "b": b"3", "c": b"1", "d": b"23"}.items():
        (tmp_path / name).write_bytes(content)
    assert digest([tmp_path / "a", tmp_path / "b"]) != digest([tmp_path / "c", tmp_path / "d"])


def test_readiness_follows_the_files(folder):
    assert OwnConfig(path=str(folder)).is_ready(folder)
    assert not OwnConfig(path=str(folder / "no")).is_ready(folder)
