"""Fixtures for everybody: folders of runs of every kind, and copies of the shared data."""

import os
import shutil
from pathlib import Path

import pytest
from cloud_folders import write_cloud_run
from run_folders import write_run
from snapshot_folders import write_snapshot_run


@pytest.fixture
def runs_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty runs root in a temporary folder, which ``WORKBENCH_RUNS`` names for this test."""
    root = tmp_path / "runs"
    root.mkdir()
    monkeypatch.setenv("WORKBENCH_RUNS", os.fspath(root))
    return root


@pytest.fixture
def make_run_folder(runs_root: Path):
    """``make_run_folder("a-name", state="failed")`` writes a run below the temporary runs root."""

    def make(name: str = "karate-kd-s0-0123456789ab", **options) -> Path:
        return write_run(runs_root, name, **options)

    return make


@pytest.fixture(scope="session")
def write_snapshots():
    """:func:`write_snapshot_run`, for fixtures that choose their own root."""
    return write_snapshot_run


@pytest.fixture
def make_snapshot_folder(runs_root: Path):
    """``make_snapshot_folder("a-name", state="failed")`` writes a run on snapshots below the temporary runs root."""

    def make(name: str = "communities-distill2vec-s0-0123456789ab", **options) -> Path:
        return write_snapshot_run(runs_root, name, **options)

    return make


@pytest.fixture
def make_cloud_folder(runs_root: Path):
    """``make_cloud_folder("a-name", method="none")`` writes a run on point clouds below the temporary runs root."""

    def make(name: str = "shapes-lsp-s0-0123456789ab", **options) -> Path:
        return write_cloud_run(runs_root, name, **options)

    return make


@pytest.fixture
def graphs_root() -> Path:
    """The shared data root with the files of ENZYMES, ogbg-molhiv and PPI; nothing writes there."""
    shared_folder("TUDataset/ENZYMES"), shared_folder("OGB/ogbg_molhiv")
    return shared_folder("PPI").parent


def shared_folder(name: str) -> Path:
    """A folder of the shared data; a test that needs it is skipped where there is none."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    source = Path(os.environ.get("WORKBENCH_SHARED_DATA") or beside) / name
    if not source.is_dir():
        pytest.skip(f"no {name} files in {source} (WORKBENCH_SHARED_DATA names another folder)")
    return source


@pytest.fixture
def planetoid_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with copies of Cora's, CiteSeer's and PubMed's raw files, which ``WORKBENCH_DATA`` names.

    They come from a folder shared/data beside the checkout with raw files in PyG's layout, or from the one
    in ``WORKBENCH_SHARED_DATA``; a test that needs them is skipped where there is neither.
    """
    source = shared_folder("Planetoid")
    root = tmp_path / "data"
    for raw in source.glob("*/raw"):
        copies = root / "Planetoid" / raw.parent.name / "raw"
        copies.mkdir(parents=True)
        for file in raw.iterdir():
            shutil.copyfile(file, copies / file.name)  # contents only: the copies may be written to
    monkeypatch.setenv("WORKBENCH_DATA", os.fspath(root))
    return root


@pytest.fixture
def dynamic_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with copies of the files of graphs that change, which ``WORKBENCH_DATA`` names."""
    source = shared_folder("Dynamic")
    root = tmp_path / "data"
    for file in (path for path in source.rglob("*") if path.is_file()):
        copy = root / "Dynamic" / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    monkeypatch.setenv("WORKBENCH_DATA", os.fspath(root))
    return root


@pytest.fixture(scope="session")
def archives_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with copies of the npz archives of single graphs; tests that need them only read them."""
    root = tmp_path_factory.mktemp("archives")
    for name in ("Amazon", "Coauthor", "CitationFull", "HeterophilousGraph"):
        for file in shared_folder(name).glob("*/raw/*.npz"):
            copy = root / file.relative_to(shared_folder(name).parent)
            copy.parent.mkdir(parents=True)
            shutil.copyfile(file, copy)
    return root


@pytest.fixture
def modelnet_root() -> Path:
    """The shared data root with ModelNet10's files; nothing writes there."""
    return shared_folder("ModelNet10").parent


@pytest.fixture(scope="session")
def hetero_root() -> Path:
    """The shared data root with the files of ACM and DBLP; nothing writes there."""
    shared_folder("ACM")
    return shared_folder("DBLP").parent
