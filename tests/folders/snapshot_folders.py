"""Folders of runs on snapshots, written without training."""

import json
from pathlib import Path

import numpy as np
import yaml
from run_folders import SPEC, result, write_status_file

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
        document = snapshot_result(len(sequence["birth"]), [step_record(step, seed) for step in online])
        (folder / "result.json").write_text(json.dumps(document))
    return folder


def snapshot_result(nodes: int, steps: list) -> dict:
    """A result with its online steps, and for everybody the means over them."""

    def means(who: str) -> dict:
        known = [step["metrics"][who] for step in steps if step["metrics"][who]["auc"] is not None]
        names = ("auc", "average_precision")
        return {name: sum(each[name] for each in known) / len(known) if known else None for name in names}

    found = {**result(nodes), "plain": {"parameters": 1000, "bytes": 4000}}
    for who in ("teacher", "student", "plain"):
        found[who] |= {"name": "dysat", "metrics": {"test": means(who)}}
    baselines = {who: means(who) for who in ("common_neighbours", "adamic_adar", "edge_bank")}
    return {**found, "steps": steps, "baselines": baselines}


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
    costs = {
        "parameters": {"teacher": 12345, "student": 100 * step},
        "update_seconds": {"student": 1.0 + seed, "plain": 0.5},
        "latency_ms": {"teacher": 4.0, "student": 1.0 + seed, "plain": 1.0},
    }
    links = {"train": 6, "val": 6, "test": 20}
    return {"step": step, "predicts": step + 1, "nodes": 10 * step, "links": links, "metrics": metrics, **costs}
