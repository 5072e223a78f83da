"""``workbench doctor``: what is installed, which devices and datasets are here, and where things are kept."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import typer

from workbench.cli.output import MISSING, print_table
from workbench.cli.roots import is_writable

REQUIRED = (
    "gnn-distillation-workbench", "torch", "torch_geometric", "streamlit", "plotly", "umap-learn", "networkx", "numpy",
    "pandas", "pydantic", "scikit-learn", "scipy", "safetensors",
)  # fmt: skip
OPTIONAL = (
    "jupyter", "pytest", "ray", "optuna", "onnx", "onnxruntime", "ogb", "tensorboard", "mlflow",
    "pyg-lib", "torch-scatter", "torch-sparse", "torch-cluster",
)  # fmt: skip


def examine() -> dict[str, Any]:
    """Everything as plain data. Nothing is created or downloaded."""
    packages = {name: _version(name) for name in REQUIRED}
    roots = _roots()
    datasets = _datasets() if packages["torch"] else {}
    to_fetch = [name for name, ready in datasets.items() if not ready and not _is_brought(name)]
    needed = {"runs", "data"} if to_fetch else {"runs"}  # complete data may well be read-only
    missing = [name for name, found in packages.items() if found is None]
    problems = [f"{name} is not installed: install the workbench again" for name in missing]
    problems += [
        f"cannot write below {root['path']}: set {root['variable']} to a folder that you may write to"
        for name, root in roots.items()
        if name in needed and not root["writable"]
    ]
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "packages": packages,
        "optional": {name: _version(name) for name in OPTIONAL},
        "devices": _devices() if packages["torch"] else [],
        "roots": roots,
        "datasets": datasets,
        "problems": problems,
    }


def print_examination(document: dict[str, Any]) -> None:
    """The same for people."""
    typer.echo(f"Python {document['python']} on {document['platform']}, {document['cores']} cores\n")
    versions = {**document["packages"], **document["optional"]}
    print_table(("package", "version"), [(name, found or MISSING) for name, found in versions.items()])
    typer.echo("")
    print_table(("device", "name"), [(device["device"], device["name"]) for device in document["devices"]])
    typer.echo("")
    rows = [
        (name, root["path"], _word(root["exists"]), _word(root["writable"]), root["variable"])
        for name, root in document["roots"].items()
    ]
    print_table(("root", "folder", "exists", "writable", "set by"), rows)
    typer.echo("")
    groups: dict[str, list[str]] = {"on disk": [], "to be downloaded": [], "to be put there by you": []}
    for name, ready in document["datasets"].items():
        where = "on disk" if ready else "to be put there by you" if _is_brought(name) else "to be downloaded"
        groups[where].append(name)
    for title, names in groups.items():
        typer.echo(f"datasets {title}: {', '.join(names) or 'none'}")
    for problem in document["problems"]:
        typer.echo(f"\nProblem: {problem}")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _devices() -> list[dict[str, str]]:
    import torch

    from workbench.training.device import available_devices, device_name

    return [{"device": name, "name": device_name(torch.device(name))} for name in available_devices()]


def _roots() -> dict[str, dict[str, Any]]:
    from workbench.datasets.base import DATA_ROOT, data_root
    from workbench.runs.store import RUNS_ROOT, runs_root

    return {"data": _root(data_root(), DATA_ROOT), "runs": _root(runs_root(), RUNS_ROOT)}


def _root(path: Path, variable: str) -> dict[str, Any]:
    return {"path": str(path), "exists": path.is_dir(), "writable": is_writable(path), "variable": variable}


def _datasets() -> dict[str, bool]:
    from workbench.datasets.base import data_root
    from workbench.registry import datasets

    named = [name for name in datasets if "path" not in datasets[name].model_fields]  # one's own is where one says
    return {name: datasets[name].model_construct().is_ready(data_root()) for name in named}


def _is_brought(name: str) -> bool:
    """Whether a dataset is never downloaded: a person puts its files below the data root."""
    from workbench.datasets.base import data_root
    from workbench.registry import datasets

    return bool(datasets[name].model_construct().wanted(data_root()))


def _word(yes: bool) -> str:
    return "yes" if yes else "no"
