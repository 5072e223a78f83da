"""Run folders as a finished or unfinished run leaves them, written without training: runs on the nodes of one graph."""

import json
import time
from pathlib import Path

import numpy as np
import psutil
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
    early = wide @ np.random.default_rng(1).normal(size=(8, 6))
    layers = {"num_hidden": np.array(2), "hidden_0": early.astype(np.float16), **attention_arrays(edge_index, nodes)}
    np.savez(folder / "arrays/teacher.npz", embedding=wide.astype(np.float16), logits=logits, **layers)
    hidden = {"num_hidden": np.array(1)}  # the embedding alone
    np.savez(folder / "arrays/student.npz", embedding=narrow.astype(np.float16), logits=wrong, **hidden)
    for epoch, noise in ((20, 3.0), (40, 0.5)):
        embedding = narrow + noise * rng.normal(size=narrow.shape)
        path = folder / f"arrays/epoch-{epoch:05d}.npz"
        np.savez(path, embedding=embedding.astype(np.float16), logits=wrong.astype(np.float16), **hidden)
    if umap:
        np.savez(folder / "arrays/umap.npz", teacher=wide[:, :2], student=narrow[:, :2])


def attention_arrays(edge_index: np.ndarray, nodes: int) -> dict[str, np.ndarray]:
    """Attention of the teacher's two hidden layers, of two heads, and of its output layer, of one; self-loops too."""
    loops = np.tile(np.arange(nodes, dtype=np.int32), (2, 1))
    pairs = np.concatenate([edge_index, loops], axis=1)  # (2, E + N)
    rng, arrays = np.random.default_rng(2), {}
    for layer, heads in enumerate((2, 2, 1)):
        weight = rng.random((pairs.shape[1], heads)) + 0.1
        total = np.zeros((nodes, heads))
        np.add.at(total, pairs[1], weight)
        arrays[f"attention_{layer}"] = (weight / total[pairs[1]]).astype(np.float16)
        arrays[f"attention_edge_index_{layer}"] = pairs
    return arrays


def pair_layers(folder: Path) -> None:
    """Make the run one of ABKD, with maps of 3 × 2 layers in every epoch: row i looks at column 0 more and more."""
    spec = yaml.safe_load((folder / "spec.yaml").read_text())
    (folder / "spec.yaml").write_text(yaml.safe_dump({**spec, "method": [{"name": "abkd", "layers": "all"}]}))
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for record in records:
        if record["stage"] == "student":
            sure = [0.5 + 0.01 * record["epoch"] * share for share in (1.0, 0.5, 0.25)]
            attention = [[share, 1 - share] for share in sure]
            distance = [[3 / record["epoch"], 4 / record["epoch"]]] * 3
            record["pictures"] = {"abkd-attention": attention, "abkd-dissimilarity": distance}
    (folder / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


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
        "dataset": {
            "name": "builtin-karate",
            "fingerprint": f"graph-of-{nodes}-nodes",
            "nodes": nodes,
            "edges": 2 * nodes,
            "classes": 3,
            "features": 8,
        },
    }
