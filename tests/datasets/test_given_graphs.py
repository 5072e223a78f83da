"""ENZYMES, ogbg-molhiv and PPI: small files of the same layout, and the real ones where they are."""

import gzip

import numpy as np
import pytest
import torch

from workbench.datasets import load_dataset, measure
from workbench.datasets.molhiv import ATOMS, BONDS
from workbench.errors import UsageError
from workbench.registry import datasets

REAL = {"enzymes": "TUDataset/ENZYMES", "molhiv": "OGB/ogbg_molhiv", "ppi": "PPI"}


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def lines(rows):
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


@pytest.fixture
def enzymes(tmp_path):
    """Twenty graphs of two classes, each a path of three nodes; node numbers begin at 1, as TUDataset's do."""
    folder, count = "TUDataset/ENZYMES/raw/ENZYMES_", 20
    nodes = range(3 * count)
    pairs = [(3 * g + a + 1, 3 * g + b + 1) for g in range(count) for a, b in ((0, 1), (1, 0), (1, 2), (2, 1))]
    write(tmp_path, folder + "A.txt", "".join(f"{a}, {b}\n" for a, b in pairs))
    write(tmp_path, folder + "graph_indicator.txt", lines([(node // 3 + 1,) for node in nodes]))
    write(tmp_path, folder + "graph_labels.txt", lines([(g % 2 + 1,) for g in range(count)]))
    write(tmp_path, folder + "node_labels.txt", lines([(node % 3 + 1,) for node in nodes]))
    write(tmp_path, folder + "node_attributes.txt", lines([[float(node + k) for k in range(18)] for node in nodes]))
    return tmp_path


def test_enzymes_are_read_from_the_files_of_tudataset(enzymes):
    found = load_dataset("enzymes", enzymes)
    assert measure(found) == {
        "graphs": 20, "nodes": 60, "edges": 80, "features": 21, "classes": 2, "train": 16, "val": 2, "test": 2,
    }  # fmt: skip
    for split, count in (("train", 8), ("val", 1), ("test", 1)):
        assert torch.bincount(found.y[found.of_split(split)]).tolist() == [count, count]
    assert found.mini_batch(torch.tensor([7])).edge_index.tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]
    assert torch.equal(found.x[:3, 18:], torch.eye(3))
    seen = found.x[found.nodes_of(found.of_split("train")), :18].double()
    torch.testing.assert_close(seen.mean(0), torch.zeros(18, dtype=torch.double), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen.std(0, correction=0), torch.ones(18, dtype=torch.double), atol=1e-5, rtol=0)


def test_enzymes_may_be_left_as_they_are_and_split_otherwise(enzymes):
    plain = load_dataset(datasets["enzymes"](standardise=False), enzymes)
    assert plain.x[5, :3].tolist() == [5, 6, 7]
    other = load_dataset(datasets["enzymes"](split_seed=1), enzymes)
    assert not torch.equal(plain.split, other.split)


@pytest.fixture
def molhiv(tmp_path):
    """Four molecules: two atoms and a bond, one atom, three atoms and two bonds, two atoms and a bond."""
    raw, random = "OGB/ogbg_molhiv/raw/", np.random.RandomState(0)
    atoms, bonds = (2, 1, 3, 2), (1, 0, 2, 1)
    draw = lambda count, sizes: np.stack([random.randint(size, size=count) for size in sizes], axis=1)  # noqa: E731
    write(tmp_path, raw + "node-feat.csv.gz", lines(draw(8, ATOMS)))
    write(tmp_path, raw + "edge-feat.csv.gz", lines([(0, 0, 0), (1, 2, 1), (4, 5, 0), (2, 1, 1)]))
    write(tmp_path, raw + "edge.csv.gz", lines([(0, 1), (0, 1), (2, 1), (1, 0)]))
    write(tmp_path, raw + "num-node-list.csv.gz", lines([(count,) for count in atoms]))
    write(tmp_path, raw + "num-edge-list.csv.gz", lines([(count,) for count in bonds]))
    write(tmp_path, raw + "graph-label.csv.gz", lines([(0,), (1,), (1,), (0,)]))
    for name, chosen in (("train", (2, 0)), ("valid", (3,)), ("test", (1,))):
        write(tmp_path, f"OGB/ogbg_molhiv/split/scaffold/{name}.csv.gz", lines([(each,) for each in chosen]))
    return tmp_path


def test_molecules_are_read_from_the_files_of_ogb(molhiv):
    found = load_dataset("molhiv", molhiv)
    assert (found.num_features, found.num_features.edges, found.num_classes) == (173, 13, 1)
    assert [found.of_split(name).tolist() for name in ("train", "val", "test")] == [[0, 2], [3], [1]]
    third = found.mini_batch(torch.tensor([2]))
    assert third.y.tolist() == [[1.0]]
    # bonds (0, 1) of kinds (1, 2, 1) and (2, 1) of kinds (4, 5, 0), in both directions; 5 and 5 + 6 kinds before
    assert dict(zip(zip(*third.edge_index.tolist(), strict=True), third.edge_attr.tolist(), strict=True)) == {
        (0, 1): [1, 7, 12],
        (1, 0): [1, 7, 12],
        (2, 1): [4, 10, 11],
        (1, 2): [4, 10, 11],
    }
    first = np.cumsum([0, *ATOMS[:-1]])
    raw = np.loadtxt(molhiv / "OGB/ogbg_molhiv/raw/node-feat.csv.gz", delimiter=",", dtype=int)
    assert torch.equal(found.x, torch.from_numpy(raw + first))
    assert (sum(ATOMS), sum(BONDS)) == (173, 13)


@pytest.fixture
def ppi(tmp_path):
    """Three graphs of two nodes, the nodes of which stand in turn; one loop."""
    path = tmp_path / "PPI/ppi.npz"
    path.parent.mkdir()
    np.savez(
        path,
        edge_index=np.array([[0, 1, 2, 4], [3, 4, 5, 4]], dtype=np.int32),
        feat=np.array([[1, 0], [0, 1], [1, 1], [3, 0], [0, 5], [1, 0]], dtype=np.uint8),
        label=np.array([[1, 0], [0, 1], [1, 1], [0, 0], [0, 1], [1, 0]], dtype=np.uint8),
        graph_id=np.array([1, 2, 3, 1, 2, 3], dtype=np.uint8),
        split=np.array([0, 1, 2, 0, 1, 2], dtype=np.uint8),
    )
    return tmp_path


def test_tissues_are_read_from_one_file(ppi):
    found = load_dataset("ppi", ppi)
    assert (len(found), found.level, found.num_classes) == (3, "node", 2)
    assert found.edge_index.shape == (2, 6)  # three edges in both directions, and no loop
    assert found.y.tolist() == [[1, 0], [0, 0], [0, 1], [0, 1], [1, 1], [1, 0]]
    # training features (1, 3) and (0, 0): mean 2, deviation 1; a constant column is left where it is
    assert found.x.tolist() == [[-1, 0], [1, 0], [-2, 1], [-2, 5], [-1, 1], [-1, 0]]


@pytest.mark.parametrize("name", REAL)
def test_what_is_missing_is_said_and_nothing_is_downloaded(name, tmp_path):
    with pytest.raises(UsageError, match=rf"dataset '{name}' is missing: put {REAL[name].split('/')[0]}/"):
        load_dataset(name, tmp_path)
    assert not list(tmp_path.iterdir())
    assert not datasets[name]().is_ready(tmp_path)


@pytest.mark.parametrize(
    ("layout", "file", "text", "message"),
    [
        ("enzymes", "TUDataset/ENZYMES/raw/ENZYMES_node_attributes.txt", "1, 2\n", "has 2 numbers in a line"),
        ("enzymes", "TUDataset/ENZYMES/raw/ENZYMES_graph_labels.txt", "1\n2\n", "does not fit the other files"),
        ("enzymes", "TUDataset/ENZYMES/raw/ENZYMES_A.txt", "a, b\n", "cannot be read"),
        ("molhiv", "OGB/ogbg_molhiv/raw/num-edge-list.csv.gz", "1\n0\n2\n2\n", "count other atoms or bonds"),
        ("molhiv", "OGB/ogbg_molhiv/raw/edge-feat.csv.gz", "5,0,0\n" * 4, "out of range"),
        ("molhiv", "OGB/ogbg_molhiv/split/scaffold/test.csv.gz", "9\n", "names molecules that there are not"),
        ("molhiv", "OGB/ogbg_molhiv/split/scaffold/test.csv.gz", "0\n", "another split has already"),
        ("ppi", "PPI/ppi.npz", "no archive", "expected an npz file with edge_index"),
    ],
)
def test_what_is_broken_is_said(request, layout, file, text, message):
    root = request.getfixturevalue(layout)
    write(root, file, text)
    with pytest.raises(UsageError, match=message):
        load_dataset(layout, root)


def test_a_molecule_in_no_split_is_said(molhiv):
    write(molhiv, "OGB/ogbg_molhiv/split/scaffold/valid.csv.gz", "3\n")
    write(molhiv, "OGB/ogbg_molhiv/split/scaffold/train.csv.gz", "2\n")
    with pytest.raises(UsageError, match="split goes from 0 to 3"):
        load_dataset("molhiv", molhiv)


@pytest.mark.parametrize("name", REAL)
def test_the_figures_on_a_card_are_measured(name, graphs_root):
    card, found = datasets[name].card, load_dataset(name, graphs_root)
    assert measure(found) == dict(card.measured)
    assert {key: measure(found)[key] for key in card.published} == dict(card.published)
    if name == "molhiv":  # the positives that OGB publishes of every split
        assert [int(found.y[found.of_split(split)].sum()) for split in ("train", "val", "test")] == [1232, 81, 130]
    if name == "enzymes":
        assert torch.bincount(found.y).tolist() == [100] * 6
    if name == "ppi":  # 44,906 training nodes, 61,318.4 edges of a training graph
        train = found.of_split("train")
        assert found.nodes_of(train).numel() == 44_906
        edges = found.edge_slices[train + 1] - found.edge_slices[train]
        assert float(edges.double().mean()) == pytest.approx(61_318.4)
