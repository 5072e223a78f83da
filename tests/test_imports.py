"""What is light stays light, and imports point one way."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import workbench

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "torch_geometric", "umap", "numba", "sklearn", "streamlit", "plotly", "pandas", "networkx"}


def loaded(code):
    """The heavy packages that a fresh interpreter has loaded after ``code``."""
    script = f"{code}\nimport sys, json; print(json.dumps(sorted({HEAVY!r} & set(sys.modules))), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def command(*arguments):
    return (
        f"import sys; sys.argv = ['workbench', *{arguments!r}]\n"
        "from workbench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as leaving:\n    assert not leaving.code, leaving.code"
    )


def test_importing_the_workbench_loads_nothing_heavy():
    assert loaded("import workbench") == set()


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("distill", "--help"), ("controls", "--help"), ("runs",), ("datasets",)],
    ids=" ".join,
)
def test_commands_that_only_look_load_nothing_heavy(arguments, monkeypatch, runs_root):
    assert loaded(command(*arguments)) == set()


@pytest.mark.parametrize("module", ["workbench.runs.store", "workbench.runs.launch", "workbench.analysis.projection"])
def test_what_the_gallery_needs_is_free_of_torch(module):
    assert loaded(f"import {module}") == set()


@pytest.mark.parametrize("module", ["workbench.models", "workbench.methods", "workbench.spec"])
def test_listing_models_and_methods_needs_torch_at_most(module):
    assert loaded(f"import {module}") <= {"torch"}


def test_every_name_of_the_public_api_is_there():
    missing = [name for name in workbench.__all__ if getattr(workbench, name, None) is None]
    assert missing == []
    assert set(workbench.__all__) <= set(dir(workbench))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="distil_everything"):
        _ = workbench.distil_everything


def test_python_m_workbench_is_the_command():
    done = subprocess.run([sys.executable, "-m", "workbench", "--version"], capture_output=True, text=True)
    assert done.stdout.strip() == f"workbench {workbench.__version__}"


def test_the_import_contracts_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
