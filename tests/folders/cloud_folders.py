"""Folders of runs on point clouds, written without training."""

import json
from pathlib import Path

import numpy as np
import yaml
from run_folders import SPEC, result, write_status_file

CLASSES = ("sphere", "cube", "torus")
LABELS = (0, 1, 2, 0)  # of the stored shapes
SAID = {"teacher": (0, 1, 2, 0), "student": (0, 1, 1, 0)}  # the student takes the torus for a cube
WIDTHS = {"teacher": (4, 6, 8), "student": (3, 5)}  # of the layers
NEIGHBOURS = {"teacher": 5, "student": 3}
SCORES = {"teacher": (0.9, 0.85), "lsp": (0.8, 0.75), "none": (0.7, 0.65)}  # accuracy and its mean over classes
CLOUD_SPEC = {"teacher": {"name": "dgcnn"}, "student": {"name": "dgcnn"}}


def write_cloud_run(
    root: Path, name: str, *, state: str = "done", method: str = "lsp", seed: int = 0, points: int = 40, drawn: int = 0
) -> Path:
    """A run on four shapes, of which ``drawn`` chooses the points; its teacher has three layers, its student two.

    Of another ``method`` the student has other features, and the accuracy that stands in :data:`SCORES`.
    """
    folder = root / name
    (folder / "arrays").mkdir(parents=True)
    dataset = {"name": "builtin-shapes", "graph_seed": drawn}
    spec = {**SPEC, **CLOUD_SPEC, "dataset": dataset, "method": [{"name": method}], "seed": seed}
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec))
    write_status_file(folder, state)
    if state == "done":
        write_clouds(folder, points, drawn, taught=list(SCORES).index(method))
        (folder / "result.json").write_text(json.dumps(cloud_result(method, drawn)))
    return folder


def write_clouds(folder: Path, points: int, drawn: int, taught: int) -> None:
    rng = np.random.default_rng(drawn)
    clouds = rng.normal(size=(len(LABELS), points, 3))
    clouds = (clouds / np.linalg.norm(clouds, axis=2, keepdims=True)).astype(np.float16)
    names, shapes = np.array(CLASSES), np.arange(10, 10 + len(LABELS), dtype=np.int32)
    labels = np.array(LABELS, dtype=np.int16)
    np.savez(folder / "arrays/clouds.npz", points=clouds, labels=labels, class_names=names, shapes=shapes)
    for role, widths in WIDTHS.items():
        rng = np.random.default_rng(0 if role == "teacher" else taught)
        arrays, read = {"logits": 4 * np.eye(len(CLASSES), dtype=np.float32)[list(SAID[role])]}, clouds
        for layer, width in enumerate(widths):
            arrays[f"neighbours_{layer}"] = nearest(read, NEIGHBOURS[role])
            read = np.tanh(read @ rng.normal(size=(read.shape[2], width))).astype(np.float16)
            arrays[f"features_{layer}"] = read
        np.savez(folder / f"arrays/{role}.npz", **arrays)


def nearest(features: np.ndarray, k: int) -> np.ndarray:
    """The ``k`` points (M, n, k) that are nearest to each point in features (M, n, d), itself first."""
    features = features.astype(np.float64)
    apart = ((features[:, :, None] - features[:, None]) ** 2).sum(3)
    return apart.argsort(axis=2, kind="stable")[:, :, :k].astype(np.int16)


def cloud_result(method: str, drawn: int) -> dict:
    found = result(0)
    for role, taught in (("teacher", "teacher"), ("student", method)):
        scores = dict(zip(("accuracy", "mean_class_accuracy"), SCORES[taught], strict=True))
        found[role] |= {"name": "dgcnn", "metrics": dict.fromkeys(("train", "val", "test"), scores)}
    shapes = {"shapes": 1000, "points": 256, "features": 3, "classes": len(CLASSES)}
    return {**found, "dataset": {"name": "builtin-shapes", "fingerprint": f"{drawn:012x}", **shapes}}
