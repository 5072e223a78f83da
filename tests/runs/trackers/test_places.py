"""How trackers are named in ``WORKBENCH_TRACKERS``, and that naming none costs nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import UsageError
from workbench.runs.trackers import Place, open_tracker, parse_places
from workbench.runs.trackers.told import Facts

FACTS = Facts("a-run", "a title", 0.0, "/runs/a-run", {})


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("tensorboard", [("tensorboard", None)]),
        (" mlflow , tensorboard ", [("mlflow", None), ("tensorboard", None)]),
        (
            "tensorboard=/logs,mlflow=http://host:5000/a=b",
            [("tensorboard", "/logs"), ("mlflow", "http://host:5000/a=b")],
        ),
        (
            "tensorboard=/my logs mlflow=sqlite:////home/me/mlflow.db",
            [("tensorboard", "/my logs"), ("mlflow", "sqlite:////home/me/mlflow.db")],
        ),
        ("tensorboard=/a tensorboard=/b tensorboard=/a", [("tensorboard", "/a"), ("tensorboard", "/b")]),
        ("tensorboard=/runs of mlflow-tests", [("tensorboard", "/runs of mlflow-tests")]),
        ("", []),
    ],
)
def test_trackers_stand_between_commas_or_spaces_and_may_have_a_place(text, places):
    assert parse_places(text) == [Place(*each) for each in places]


@pytest.mark.parametrize(
    ("text", "message"),
    [("tensorbord=/logs", "did you mean 'tensorboard'"), ("mlflow,wandb", "wandb"), ("tensorboard=", "no place")],
)
def test_a_tracker_that_there_is_not_is_named(text, message):
    with pytest.raises(UsageError, match=message):
        parse_places(text)


@pytest.mark.parametrize(("name", "package"), [("tensorboard", "tensorboard"), ("mlflow", "mlflow")])
def test_a_missing_package_is_said_with_what_to_install(monkeypatch, tmp_path, name, package):
    for module in [found for found in sys.modules if found.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, f"workbench.runs.trackers.{name}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=r"pip install gnn-distillation-workbench\[tracking\]"):
        open_tracker(Place(name), FACTS, tmp_path)


RECORD = """
import sys, time
from pathlib import Path
from workbench.runs.folder import Run
from workbench.runs.recorder import RunRecorder
with RunRecorder(Run(Path(sys.argv[1])), in_process=True) as recorder:
    recorder.start_clock()
    recorder.begin("teacher", "training the teacher", 1)
    recorder.epoch({"epoch": 1, "seconds": 0.0})
    recorder.say(state="done")
time.sleep(0.1)
for name in sys.modules:
    if name.split(".")[0] in ("tensorboard", "mlflow") or name.startswith("workbench.runs.trackers"):
        print(name)
"""


@pytest.mark.parametrize(("value", "imported"), [(None, False), ("", False), ("tensorboard", True)])
def test_nothing_of_it_is_imported_unless_the_environment_names_a_tracker(run, value, imported, monkeypatch):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    monkeypatch.delenv("WORKBENCH_TRACKERS", raising=False)
    if value is not None:
        monkeypatch.setenv("WORKBENCH_TRACKERS", value)
    found = subprocess.run([sys.executable, "-c", RECORD, str(run.path)], capture_output=True, text=True, check=True)
    assert bool(found.stdout) is imported
    assert (Path(run.path).parent / "tensorboard" / run.id).is_dir() is imported
