"""Cora, CiteSeer and PubMed from raw files: what is read, what is fetched, and what is refused."""

import functools
import http.server
import os
import pickle
import shutil
import socket
import subprocess
import sys
import threading

import pytest
import torch

from workbench.datasets import CiteSeerConfig, CoraConfig, PubMedConfig, load_dataset, measure, planetoid
from workbench.errors import UsageError

PUBLISHED = {  # nodes, directed edges, features, classes, training nodes (Planetoid's documentation in PyG)
    CoraConfig: (2708, 10556, 1433, 7, 140),
    CiteSeerConfig: (3327, 9104, 3703, 6, 120),
    PubMedConfig: (19717, 88648, 500, 3, 60),
}


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("config", PUBLISHED)
def test_the_published_counts_are_found(config, planetoid_root):
    found = measure(load_dataset(config(), planetoid_root))
    assert tuple(found[key] for key in ("nodes", "edges", "features", "classes", "train")) == PUBLISHED[config]
    assert (found["val"], found["test"]) == (500, 1000)


@pytest.mark.parametrize("config", PUBLISHED)
def test_pygs_own_dataset_holds_the_same(config, planetoid_root, tmp_path):
    from torch_geometric.datasets import Planetoid

    shutil.copytree(planetoid_root, tmp_path / "copy")
    theirs = Planetoid(str(tmp_path / "copy/Planetoid"), config.folder)[0]
    ours = load_dataset(config(normalise_features=False), planetoid_root)
    for name in ("x", "edge_index", "y", "train_mask", "val_mask", "test_mask"):
        assert torch.equal(ours[name], theirs[name]), name


def test_features_are_scaled_to_a_sum_of_one_where_there_are_any(planetoid_root):
    raw = load_dataset(CiteSeerConfig(normalise_features=False), planetoid_root).x.double()
    x = load_dataset("citeseer", planetoid_root).x.double()
    total = raw.sum(1, keepdim=True)
    assert (total == 0).sum() > 0  # papers without words stay as they are
    torch.testing.assert_close(x, raw / total.clamp(min=1), rtol=1e-6, atol=0)


def test_nothing_is_written_below_the_root(planetoid_root):
    before = files_below(planetoid_root)
    load_dataset("cora", planetoid_root)
    assert files_below(planetoid_root) == before


def test_the_data_root_of_the_environment_is_used(planetoid_root):
    assert os.environ["WORKBENCH_DATA"] == str(planetoid_root)
    assert load_dataset("cora").num_nodes == 2708


def test_readiness_is_known_before_loading(planetoid_root, tmp_path):
    assert CoraConfig().is_ready(planetoid_root)
    assert not CoraConfig().is_ready(tmp_path)


@pytest.mark.parametrize("part", planetoid.PARTS)
def test_a_cut_off_file_is_named_and_nothing_is_left_behind(part, planetoid_root):
    raw = planetoid_root / "Planetoid/Cora/raw" / f"ind.cora.{part}"
    raw.write_bytes(raw.read_bytes()[:-9])
    before = files_below(planetoid_root)
    with pytest.raises(UsageError, match=rf"raw/ind\.cora\.{part} is cut off.*get (it|the file) again"):
        load_dataset("cora", planetoid_root)
    assert files_below(planetoid_root) == before


def test_a_file_with_another_content_is_refused(planetoid_root):
    raw = planetoid_root / "Planetoid/Cora/raw"
    shutil.copy(raw / "ind.cora.tx", raw / "ind.cora.x")
    with pytest.raises(UsageError, match=r"ind\.cora\.x is cut off, damaged or changed.*SHA-256"):
        load_dataset("cora", planetoid_root)


class Attack:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_a_planted_program_does_not_run(planetoid_root, tmp_path):
    mark = tmp_path / "it-ran"
    (planetoid_root / "Planetoid/Cora/raw/ind.cora.graph").write_bytes(pickle.dumps(Attack(str(mark)), 2))
    with pytest.raises(UsageError, match=r"ind\.cora\.graph was not read"):
        load_dataset("cora", planetoid_root)
    assert not mark.exists()


def test_two_processes_may_load_at_once(planetoid_root):
    program = "from workbench.datasets import load_dataset; print(load_dataset('cora').num_edges)"
    both = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=240)[0].strip() for process in both] == ["10556", "10556"]


@pytest.fixture
def mirror(planetoid_root, monkeypatch):
    """A server on this machine with Cora's raw files, in the place of the published address."""
    handler = functools.partial(QuietHandler, directory=str(planetoid_root / "Planetoid/Cora/raw"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        monkeypatch.setattr(planetoid, "SOURCE", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield planetoid_root / "Planetoid/Cora/raw"
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_missing_files_are_fetched_with_progress(mirror, tmp_path):
    told = []
    data = load_dataset("cora", tmp_path / "new", lambda text, fraction: told.append((text, fraction)))
    assert measure(data)["edges"] == 10556
    assert [path.name for path in (tmp_path / "new/Planetoid/Cora").iterdir()] == ["raw"]
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert any("ind.cora.allx" in text for text, _ in told)


def test_only_what_is_missing_is_fetched(mirror, planetoid_root, tmp_path):
    shutil.copytree(planetoid_root / "Planetoid/Cora", tmp_path / "Planetoid/Cora")
    (tmp_path / "Planetoid/Cora/raw/ind.cora.ty").unlink()
    told = []
    load_dataset("cora", tmp_path, lambda text, _: told.append(text))
    assert {text for text in told if text.startswith("downloading")} == {"downloading ind.cora.ty"}


def test_a_damaged_download_leaves_nothing(mirror, tmp_path):
    (mirror / "ind.cora.graph").write_bytes(b"<html>rate limit</html>")
    with pytest.raises(UsageError, match=r"ind\.cora\.graph is cut off or damaged"):
        load_dataset("cora", tmp_path / "new")
    assert not [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert not CoraConfig().is_ready(tmp_path / "new")


def test_a_missing_file_on_the_server_is_said(mirror, tmp_path):
    (mirror / "ind.cora.y").unlink()
    with pytest.raises(UsageError, match=r"ind\.cora\.y could not be fetched.*put ind\.cora\.x"):
        load_dataset("cora", tmp_path / "new")


def test_without_a_network_it_says_what_to_put_where(monkeypatch, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        monkeypatch.setattr(planetoid, "SOURCE", f"http://127.0.0.1:{closed.getsockname()[1]}/data")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with pytest.raises(UsageError) as caught:
            load_dataset("citeseer", tmp_path)
    text = str(caught.value)
    for part in planetoid.PARTS:
        assert f"ind.citeseer.{part}" in text
    assert str(tmp_path / "Planetoid/CiteSeer/raw") in text
    assert planetoid.SOURCE in text
    assert "WORKBENCH_DATA" in text


def test_a_root_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "root").write_text("a file where a folder is needed")
    with pytest.raises(UsageError, match=r"cannot be written.*WORKBENCH_DATA"):
        load_dataset("cora", tmp_path / "root")
