"""Amazon, Coauthor and full citation graphs: what is read from the archives, how it is split, and what is refused."""

import functools
import http.server
import io
import shutil
import socket
import threading
from typing import ClassVar, Literal

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from torch_geometric.data import Data
from torch_geometric.io import read_npz

from workbench.datasets import AmazonPhotoConfig, Card, load_dataset
from workbench.datasets.npz_graphs import NpzGraphConfig, largest_component
from workbench.errors import UsageError
from workbench.registry import datasets

REAL = ["amazon-photo", "amazon-computers", "coauthor-cs", "coauthor-physics", "cora-ml", "dblp-citation"]
NODES, WORDS, CLASSES = 180, 12, 3
CARD = Card(
    title="Small", task="node classification", summary="A small graph.", citation="none", licence="none",
    published={"nodes": NODES, "edges": 0, "features": WORDS, "classes": CLASSES},
)  # fmt: skip


def archive(**changes):
    """An archive in the published format: links in one direction, loops and a stray pair apart from the rest."""
    random = np.random.default_rng(0)
    path = [(i, i + 1) for i in range(NODES - 3)]
    across = [(i, (i * 7 + 3) % (NODES - 2)) for i in range(20, NODES - 2)]
    links = np.unique([*path, *across, (4, 4), (9, 8), (NODES - 2, NODES - 1)], axis=0)
    adjacency = csr_matrix((np.ones(len(links), np.float32), links.T), (NODES, NODES))
    counts = random.integers(1, 4, (NODES, WORDS)) * (random.random((NODES, WORDS)) < 0.3)
    counts[0] = 0  # a node without words
    words = csr_matrix(counts)
    parts = {
        f"{name}_{part}": np.asarray(getattr(matrix, part))
        for name, matrix in (("adj", adjacency), ("attr", words))
        for part in ("data", "indices", "indptr", "shape")
    }
    arrays = {
        **parts,
        "labels": np.arange(NODES, dtype=np.int32) % CLASSES,
        "class_names": np.array(["a", None], object),
    }
    raw = io.BytesIO()
    np.savez_compressed(raw, **{name: value for name, value in {**arrays, **changes}.items() if value is not None})
    return raw.getvalue(), adjacency.toarray(), words.toarray()


RAW, ADJACENCY, COUNTS = archive()
LINKS = np.clip(ADJACENCY + ADJACENCY.T, 0, 1) * (1 - np.eye(NODES))


class SmallConfig(NpzGraphConfig):
    title: ClassVar[str] = "Small"
    source: ClassVar[str] = "http://127.0.0.1:9/none"
    place: ClassVar[str] = "Small/raw"
    file: ClassVar[str] = "small.npz"
    card: ClassVar[Card] = Card(**{**vars(CARD), "published": {**CARD.published, "edges": int(LINKS.sum())}})

    name: Literal["small-npz"] = "small-npz"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "data/Small/raw"
    folder.mkdir(parents=True)
    (folder / "small.npz").write_bytes(RAW)
    return tmp_path / "data"


def dense(edge_index, nodes):
    found = np.zeros((nodes, nodes))
    np.add.at(found, tuple(edge_index.numpy()), 1)
    return found


def test_links_count_in_both_directions_once_and_loops_not_at_all(root):
    data = load_dataset(SmallConfig(), root)
    assert np.array_equal(dense(data.edge_index, NODES), LINKS)


def test_words_are_there_or_not_and_add_up_to_one_per_node(root):
    present = (COUNTS > 0).astype(np.float64)
    plain = load_dataset(SmallConfig(), root).x.double().numpy()
    assert np.array_equal(plain, present)
    x = load_dataset(SmallConfig(normalise_features=True), root).x.double().numpy()
    np.testing.assert_allclose(x, present / np.maximum(present.sum(1, keepdims=True), 1), rtol=1e-6)
    assert x[0].sum() == 0


def test_twenty_nodes_of_every_class_train_and_thirty_validate(root):
    data = load_dataset(SmallConfig(), root)
    for mask, count in ((data.train_mask, 20), (data.val_mask, 30), (data.test_mask, 10)):
        assert torch.bincount(data.y[mask], minlength=CLASSES).tolist() == [count] * CLASSES
    assert (data.train_mask.int() + data.val_mask.int() + data.test_mask.int() == 1).all()


def test_the_seed_of_the_split_draws_another_one_and_the_same_again(root):
    first, again, other = (load_dataset(SmallConfig(split_seed=seed), root).train_mask for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_help_of_the_split_says_that_it_was_decided_here():
    assert "decided here" in NpzGraphConfig.model_fields["split_seed"].description
    assert all("There is no published split" in datasets[name].card.summary for name in REAL)


def test_the_largest_component_leaves_out_what_is_apart(root):
    whole = load_dataset(SmallConfig(), root)
    data = load_dataset(SmallConfig(largest_component=True), root)
    kept = largest_component(whole.edge_index.numpy(), NODES)
    assert not {NODES - 2, NODES - 1} & set(kept.tolist())
    assert data.num_nodes == len(kept)
    assert np.array_equal(dense(data.edge_index, len(kept)), LINKS[np.ix_(kept, kept)])
    assert torch.equal(data.x, whole.x[torch.from_numpy(kept)])
    assert torch.equal(data.y, whole.y[torch.from_numpy(kept)])


def test_of_parts_of_one_size_the_first_is_kept():
    assert largest_component(np.array([[0, 1], [2, 3]]), 4).tolist() == [0, 2]


DAMAGED = {
    "a cut off archive": RAW[:-200],
    "no archive": b"<html>rate limit</html>",
    "a missing array": archive(labels=None)[0],
    "another number of labels": archive(labels=np.arange(NODES - 1) % CLASSES)[0],
    "another class": archive(labels=np.arange(NODES) % (CLASSES + 1))[0],
    "labels with fractions": archive(labels=(np.arange(NODES) % CLASSES) / 2)[0],
    "labels that need a pickle": archive(labels=np.array([None] * NODES))[0],
    "an entry out of range": archive(attr_indices=np.full(int((COUNTS > 0).sum()), WORDS))[0],
    "rows that do not end": archive(adj_indptr=np.zeros(NODES + 1, int))[0],
    "another shape": archive(adj_shape=np.array([NODES, NODES + 1]))[0],
    "fewer links": archive(adj_indices=np.zeros(int(ADJACENCY.sum()), int))[0],
}


@pytest.mark.parametrize("raw", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_archive_is_named_and_left_as_it_is(raw, root):
    path = root / "Small/raw/small.npz"
    path.write_bytes(raw)
    with pytest.raises(UsageError, match=r"small\.npz is cut off, damaged or another file .*get it again"):
        load_dataset(SmallConfig(), root)
    assert [file.name for file in path.parent.iterdir()] == ["small.npz"]


def test_a_class_too_small_to_be_split_is_said(root, monkeypatch):
    raw, _, _ = archive(labels=(np.arange(NODES) >= 50).astype(int) + (np.arange(NODES) >= 100))
    (root / "Small/raw/small.npz").write_bytes(raw)
    with pytest.raises(UsageError, match="class 0 has 50 nodes, and 20 \\+ 30 are drawn"):
        load_dataset(SmallConfig(), root)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(root, monkeypatch):
    """A server on this machine with the small archive, in the place of the published address."""
    handler = functools.partial(QuietHandler, directory=str(root / "Small/raw"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as found:
        monkeypatch.setattr(SmallConfig, "source", f"http://127.0.0.1:{found.server_port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield root / "Small/raw/small.npz"
        found.shutdown()


def test_a_missing_archive_is_fetched(server, tmp_path):
    told = []
    assert not SmallConfig().is_ready(tmp_path / "new")
    load_dataset(SmallConfig(), tmp_path / "new", lambda text, share: told.append((text, share)))
    assert (tmp_path / "new/Small/raw/small.npz").read_bytes() == RAW
    assert told[0] == ("downloading small.npz", 0.0)
    assert told[-1] == ("downloaded", 1.0)
    assert SmallConfig().is_ready(tmp_path / "new")


def test_a_damaged_download_leaves_nothing(server, tmp_path):
    server.write_bytes(RAW[:-200])
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:\d+/small\.npz is cut off"):
        load_dataset(SmallConfig(), tmp_path / "new")
    assert not [path for path in (tmp_path / "new").rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["amazon-photo", "coauthor-cs", "cora-ml", "minesweeper"])
def test_without_a_network_it_says_what_to_put_where(name, monkeypatch, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
        for variable in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(variable, proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(UsageError) as caught:
            load_dataset(name, tmp_path)
    files = datasets[name]().files
    text = str(caught.value)
    assert all(part in text for part in (*files.names, files.source, files.place, str(tmp_path), "WORKBENCH_DATA"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_nothing_is_written_below_the_root(root):
    before = sorted(root.rglob("*"))
    load_dataset(SmallConfig(), root)
    assert sorted(root.rglob("*")) == before


def test_pygs_reader_gives_the_same_graph(archives_root):
    theirs: Data = read_npz(str(archives_root / "Amazon/Photo/raw/amazon_electronics_photo.npz"))
    ours = load_dataset(AmazonPhotoConfig(), archives_root)
    assert all(torch.equal(ours[name], theirs[name]) for name in ("x", "edge_index", "y"))


def test_the_largest_component_of_amazon_photo_is_that_of_glnn(archives_root):
    """7,487 nodes and 119,043 links (Zhang et al., ICLR 2022, Table 5)."""
    data = load_dataset(AmazonPhotoConfig(largest_component=True), archives_root)
    assert (data.num_nodes, data.num_edges) == (7487, 2 * 119_043)


def test_a_copy_with_another_graph_is_refused(archives_root, tmp_path):
    folder = tmp_path / "other/Amazon/Photo/raw"
    folder.mkdir(parents=True)
    shutil.copyfile(archives_root / "CitationFull/cora_ml/raw/cora_ml.npz", folder / "amazon_electronics_photo.npz")
    with pytest.raises(UsageError, match="it is not of 7,650 nodes with 745 features"):
        load_dataset("amazon-photo", tmp_path / "other")
