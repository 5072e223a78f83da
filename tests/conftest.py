"""Fixtures for everybody: run folders as a finished or unfinished run leaves them, written without training."""

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml

SPEC = {
    "format": 1,
    "dataset": {"name": "builtin-karate"},
    "teacher": {"name": "gcn", "hidden_channels": 16},
    "student": {"name": "gcn", "hidden_channels": 2},
    "method": [{"name": "kd", "alpha": 0.5}],
    "seed": 0,
    "device": "cpu",
    "umap": False,
    "training": {"epochs": 40, "keep_every": 20},
    "teacher_training": {"epochs": 40},
}


def write_run(
    root: Path, name: str, *, state: str = "done", umap: bool = False, nodes: int = 30, seed: int = 0
) -> Path:
    """A run folder in the given state; only a ``done`` one has a result and the arrays of the best epoch.

    Teacher and student see the same three clusters; the student puts every tenth node into a wrong one.
    """
    folder = root / name
    (folder / "arrays").mkdir(parents=True)
    (folder / "spec.yaml").write_text(yaml.safe_dump({**SPEC, "seed": seed, "umap": umap}))
    write_status_file(folder, state)
    write_metrics(folder, epochs=40 if state == "done" else 25)
    (folder / "log.txt").write_text("the worker started\nRuntimeError: not enough memory\n")
    if state == "done":
        write_arrays(folder, nodes, umap)
        (folder / "result.json").write_text(json.dumps(result(nodes)))
    return folder


def write_status_file(folder: Path, state: str) -> None:
    here = psutil.Process()
    alive = state in ("queued", "running")
    status = {
        "state": "running" if state == "lost" else state,
        "stage": "student",
        "epoch": 40 if state == "done" else 25,
        "epochs": 40,
        "eta_seconds": 75.0 if alive else None,
        "message": "not enough memory: lower the width" if state == "failed" else "",
        "device": "cpu",
        "pid": here.pid if alive else 0,
        "process_started": here.create_time() if alive else 0.0,
        "created": time.time() - 100,
        "updated": time.time() - (3600 if state == "lost" else 0),
    }
    (folder / "status.json").write_text(json.dumps(status))


def write_metrics(folder: Path, epochs: int) -> None:
    lines = []
    for stage, best in (("teacher", 0.9), ("student", 0.8)):
        for epoch in range(1, epochs + 1):
            terms = {"task": {"value": 2 / epoch, "weight": 0.5, "gradient": 1 / epoch}}
            if stage == "student":
                terms["kd"] = {"value": 30 / epoch, "weight": 0.5, "gradient": 9 / epoch}
            loss = sum(term["weight"] * term["value"] for term in terms.values())
            val = {"accuracy": best * (1 - 1 / (epoch + 1)), "loss": 1 / epoch}
            record = {"stage": stage, "epoch": epoch, "loss": loss, "terms": terms, "val": val, "seconds": 0.01}
            lines.append(json.dumps({**record, "train": {"accuracy": val["accuracy"]}}))
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")


def write_arrays(folder: Path, nodes: int, umap: bool) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(nodes) % 3
    seen = np.where(np.arange(nodes) % 10 == 0, (y + 1) % 3, y)
    ring = np.stack([np.arange(nodes), (np.arange(nodes) + 3) % nodes])
    edge_index = np.concatenate([ring, ring[::-1]], axis=1).astype(np.int32)
    degree = np.bincount(edge_index[1], minlength=nodes)
    np.savez(folder / "arrays/graph.npz", y=y, split=1 + np.arange(nodes) % 3, degree=degree, edge_index=edge_index)
    wide = np.eye(3)[y] @ rng.normal(size=(3, 8)) * 4 + rng.normal(size=(nodes, 8))
    narrow = np.eye(3)[seen] @ rng.normal(size=(3, 2)) * 4 + rng.normal(size=(nodes, 2))
    logits, wrong = 4 * np.eye(3, dtype=np.float32)[y], 4 * np.eye(3, dtype=np.float32)[seen]
    np.savez(folder / "arrays/teacher.npz", embedding=wide.astype(np.float16), logits=logits)
    np.savez(folder / "arrays/student.npz", embedding=narrow.astype(np.float16), logits=wrong)
    for epoch, noise in ((20, 3.0), (40, 0.5)):
        embedding = narrow + noise * rng.normal(size=narrow.shape)
        path = folder / f"arrays/epoch-{epoch:05d}.npz"
        np.savez(path, embedding=embedding.astype(np.float16), logits=wrong.astype(np.float16))
    if umap:
        np.savez(folder / "arrays/umap.npz", teacher=wide[:, :2], student=narrow[:, :2])


def result(nodes: int) -> dict:
    def model(name, parameters, test):
        metrics = {
            split: {"accuracy": test + extra} for split, extra in (("train", 0.05), ("val", 0.02), ("test", 0.0))
        }
        size = {"parameters": parameters, "bytes": 4 * parameters, "latency_ms": 1.25}
        how = {"best_epoch": 31, "epochs": 40, "seconds": 2.5, "reused": False, "hash": "0123456789ab"}
        return {"name": name, **size, "metrics": metrics, **how}

    return {
        "teacher": model("gcn", 12345, 0.912345678),
        "student": model("gcn", 1000, 0.85),
        "compression": 12.345,
        "seconds": 6.0,
        "device": {"type": "cpu", "name": "a processor"},
        "warnings": [],
        "dataset": {"name": "builtin-karate", "nodes": nodes, "edges": 2 * nodes, "classes": 3, "features": 8},
    }


SNAPSHOTS, ONLINE = 8, (4, 5, 6)  # of the runs on snapshots below: how many, and those at which the student is taught
SNAPSHOT_SPEC = {
    "dataset": {"name": "builtin-communities"},
    "teacher": {"name": "dysat"},
    "student": {"name": "dysat"},
    "method": [{"name": "distill2vec"}],
}


def write_snapshot_run(
    root: Path, name: str, *, state: str = "done", seed: int = 0, sequence: dict | None = None, online: tuple = ONLINE
) -> Path:
    """A run on snapshots, those of :func:`toy_sequence` or of given arrays.

    The AUC of the teacher is 0.9, of the student 0.7 + step / 100 + seed / 50, of the student alone 0.7.
    """
    folder = root / name
    (folder / "arrays").mkdir(parents=True)
    (folder / "spec.yaml").write_text(yaml.safe_dump({**SPEC, **SNAPSHOT_SPEC, "seed": seed}))
    write_status_file(folder, state)
    if state == "done":
        sequence = sequence or toy_sequence()
        np.savez(folder / "arrays/sequence.npz", **sequence)
        for step in online:
            write_step(folder, step, sequence["birth"], sequence["groups"][step], known=online[0])
        steps = [step_record(step, seed) for step in online]
        (folder / "result.json").write_text(json.dumps({**result(len(sequence["birth"])), "steps": steps}))
    return folder


def toy_sequence(nodes: int = 60) -> dict:
    """Three communities. Two thirds of the nodes are there from the start; the others, of the third community, come in
    snapshot 3, the last tenth in 5. Each is linked to the next four of its community, and to one more anew each time.
    """
    number = np.arange(nodes)
    birth = np.where(number < 2 * nodes // 3, 0, np.where(number < nodes - nodes // 10, 3, 5)).astype(np.int32)
    group = np.where(birth == 0, number % 2, 2)
    arrays = {"birth": birth, "groups": np.where(birth <= np.arange(SNAPSHOTS)[:, None], group, -1).astype(np.int16)}
    for t in range(SNAPSHOTS):
        links = {(0, 1), (2, 3), (7, 7)} | ({(0, 2 * nodes // 3)} if t >= 3 else set())
        for community in range(3):
            own = np.flatnonzero((group == community) & (birth <= t))
            for hop in (*range(1, 5), 5 + t % 3):
                links |= {(min(a, b), max(a, b)) for a, b in zip(own, np.roll(own, hop), strict=True)}
        arrays[f"links_{t}"] = np.array(sorted(links), dtype=np.int32).T
        arrays[f"weight_{t}"] = np.ones(len(links), dtype=np.float32)
    return arrays


def write_step(folder: Path, step: int, birth: np.ndarray, group: np.ndarray, known: int) -> None:
    """Embeddings by community with some noise; true links score 0.2 higher than negatives on average."""
    rng = np.random.default_rng(step)
    there, taught = int((birth <= step).sum()), int((birth <= known).sum())
    still = np.random.default_rng(0).normal(size=(len(birth), 6))[:there] + 4 * np.eye(8, 6)[group[:there]]
    true = np.repeat([0.2, 0.0], 20)

    def attention(nodes: int, window: int) -> np.ndarray:
        weights = np.tril(rng.random((nodes, window, window)) + 0.1)
        return (weights / weights.sum(axis=2, keepdims=True)).astype(np.float16)

    np.savez(
        folder / f"arrays/step-{step:05d}.npz",
        student=(still[:, :4] + 0.3 * rng.normal(size=(there, 4))).astype(np.float16),
        teacher=(still[:taught] + 0.1 * rng.normal(size=(taught, 6))).astype(np.float16),
        plain=rng.normal(size=(there, 4)).astype(np.float16),
        positives=np.arange(40).reshape(2, 20).astype(np.int32),
        negatives=np.arange(40).reshape(20, 2).T.astype(np.int32),
        scores_teacher=(true + 0.8 * rng.random(40)).astype(np.float32),
        scores_student=(true + 0.8 * rng.random(40)).astype(np.float32),
        scores_plain=rng.random(40).astype(np.float32),
        attention_student=attention(there, 3),
        attention_teacher=attention(taught, 6),
    )


def step_record(step: int, seed: int) -> dict:
    def scores(auc: float, learned: bool = True) -> dict:
        return {"auc": auc, "average_precision": auc + 0.01, **({"dot_auc": auc - 0.05} if learned else {})}

    metrics = {"teacher": scores(0.9), "student": scores(0.7 + step / 100 + seed / 50), "plain": scores(0.7)}
    metrics |= {"common_neighbours": scores(0.65, False), "adamic_adar": scores(0.66, False)}
    metrics["edge_bank"] = {"auc": None, "average_precision": None}
    return {"step": step, "predicts": step + 1, "links": {"test": 20}, "metrics": metrics}


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


@pytest.fixture
def modelnet_root() -> Path:
    """The shared data root with ModelNet10's files; nothing writes there."""
    return shared_folder("ModelNet10").parent
