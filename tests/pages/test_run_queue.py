"""Several runs at once: what a form asks for, how they stand in line, and how they are stopped."""

import json
import threading
from types import SimpleNamespace

import pytest

from workbench.errors import UsageError
from workbench.pages.run_queue import each_method, in_line, stop_all, wanted_specs
from workbench.runs.folder import Run
from workbench.spec import Spec

START = "set-up-1"
DOCUMENT = {
    "dataset": {"name": "builtin-karate"},
    "teacher": {"name": "gcn"},
    "student": {"name": "gcn"},
    "method": [{"name": "kd", "alpha": 0.25}, {"name": "gcrd"}],
}


@pytest.fixture
def launched(monkeypatch, make_run_folder):
    """Launches are recorded; each leaves the folder of a run that waits. Methods of ``refuse`` cannot be launched."""
    import workbench.runs.launch as module

    found = SimpleNamespace(specs=[], fresh=[], refuse=set())

    def launch(spec, root=None, fresh=False, progress=None):
        progress("reading", 0.5)
        if spec.objective.name in found.refuse:
            raise UsageError(f"{spec.objective.name} needs *attention*")
        folder = make_run_folder(f"launched-{len(found.specs)}", state="queued", seed=spec.seed)
        found.specs.append(spec)
        found.fresh.append(fresh)
        return SimpleNamespace(run=Run(folder), status="started", notes=[])

    monkeypatch.setattr(module, "launch", launch)
    return found


def comparing(open_page, seeds=2):
    app = open_page("distil", preset="karate")
    app.multiselect(key=f"{START}-methods").set_value(["kd", "gcrd"])
    app.number_input(key=f"{START}-seeds").set_value(seeds).run()
    app.segmented_control(key=f"{START}-several").set_value("compare").run()
    assert not app.exception
    return app


def test_methods_that_add_up_are_one_document_and_compared_ones_are_one_each():
    assert each_method(DOCUMENT, compare=False) == [DOCUMENT]
    one, other = each_method(DOCUMENT, compare=True)
    assert (one["method"], other["method"]) == ([DOCUMENT["method"][0]], [DOCUMENT["method"][1]])
    assert one["dataset"] == other["dataset"] == DOCUMENT["dataset"]


def test_there_is_a_spec_for_every_method_and_seed_and_compared_ones_share_their_teacher():
    specs = wanted_specs(each_method(DOCUMENT, compare=True), [3, 4])
    assert [(spec.objective.name, spec.seed) for spec in specs] == [("kd", 3), ("gcrd", 3), ("kd", 4), ("gcrd", 4)]
    assert specs == [
        Spec.parse({**DOCUMENT, "method": [DOCUMENT["method"][n]], "seed": s}) for s in (3, 4) for n in (0, 1)
    ]
    assert specs[0].teacher_id == specs[1].teacher_id != specs[2].teacher_id
    assert specs[0].method[0].alpha == 0.25


def test_too_many_runs_at_once_are_refused():
    assert len(wanted_specs([DOCUMENT], range(100))) == 100
    with pytest.raises(UsageError, match="these are 102 runs, and at most 100"):
        wanted_specs(each_method(DOCUMENT, compare=True), range(51))


def test_one_method_is_not_asked_how_several_go_together(open_page):
    app = open_page("distil", preset="karate")
    assert f"{START}-several" not in [control.key for control in app.segmented_control]


def test_the_number_of_runs_is_shown_before_the_launch(open_page, texts):
    app = comparing(open_page, seeds=3)
    assert "2 methods × 3 seeds: **6 runs**" in texts(app)
    assert app.button(key="launch").label == "Launch 6 runs"


def test_what_adds_up_is_one_run_per_seed(open_page, launched):
    app = comparing(open_page)
    app.segmented_control(key=f"{START}-several").set_value("sum").run()
    app.button(key="launch").click().run()
    assert [spec.objective.name for spec in launched.specs] == ["kd+gcrd"] * 2


def test_compared_methods_are_launched_each_by_itself_and_shown_in_a_queue(open_page, launched, texts):
    app = comparing(open_page)
    app.button(key="launch").click().run()
    assert not app.exception
    assert [(spec.objective.name, spec.seed) for spec in launched.specs] == [
        ("kd", 0),
        ("gcrd", 0),
        ("kd", 1),
        ("gcrd", 1),
    ]
    assert launched.fresh == [False] * 4
    assert (app.query_params["view"], app.query_params["run"]) == ("watch", "launched-0")
    assert "Queue: 4 runs" in [box.label for box in app.expander]
    assert "**cpu** · 4 queued" in texts(app)
    keys = {button.key for button in app.button}
    assert {"stop-all", *(f"stop-in-queue-launched-{n}" for n in range(4))} <= keys


def test_a_run_that_cannot_be_started_does_not_hold_up_the_others_and_is_said(open_page, launched, texts):
    launched.refuse = {"gcrd"}
    app = comparing(open_page)
    app.button(key="launch").click().run()
    assert not app.exception
    assert [spec.seed for spec in launched.specs] == [0, 1]
    assert [warning.value for warning in app.warning] == [
        rf"Not started: gcrd, seed {seed}\: gcrd needs \*attention\*" for seed in (0, 1)
    ]


def test_where_none_can_be_started_the_form_stays_with_a_message(open_page, launched):
    launched.refuse = {"kd", "gcrd"}
    app = comparing(open_page)
    app.button(key="launch").click().run()
    assert not app.exception
    # Each fault on a line of its own.
    first, *faults = app.error[0].value.split("  \n")
    assert "none of these runs can be started" in first
    assert faults == [rf"{m}, seed {s}\: {m} needs \*attention\*" for s in (0, 1) for m in ("kd", "gcrd")]
    assert app.query_params["view"] != "watch"


@pytest.mark.parametrize("fault", [UsageError("no room"), OSError(28, "No space left on device")])
@pytest.mark.parametrize("seeds", [1, 2])
def test_a_launch_that_fails_leaves_no_bar_and_the_snippets_stay(open_page, monkeypatch, fault, seeds):
    import workbench.runs.launch as module

    def launch(spec, root=None, fresh=False, progress=None):
        progress("reading", 0.5)
        raise fault

    monkeypatch.setattr(module, "launch", launch)
    app = open_page("distil", preset="karate")
    app.number_input(key=f"{START}-seeds").set_value(seeds).run()
    before = [block.value for block in app.code]
    app.button(key="launch").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert not app.get("progress")
    assert [block.value for block in app.code] == before != []


def test_the_snippets_of_a_comparison_make_the_same_runs(open_page):
    app = comparing(open_page)
    python, command = [block.value for block in app.code][:2]
    seen = []
    fake = type("Workbench", (), {"distill": staticmethod(lambda name, **rest: seen.append((name, rest)))})
    space = {"wb": fake}
    exec(python.replace("import workbench as wb", ""), space)
    assert [(rest["method"], rest["seed"]) for _, rest in seen] == [("kd", 0), ("kd", 1), ("gcrd", 0), ("gcrd", 1)]
    assert len(space["kd"]) == len(space["gcrd"]) == 2
    lines = command.splitlines()
    assert [line.split("--method ")[1].split()[0] for line in lines] == ["kd", "gcrd"]
    assert all(line.startswith("workbench distill builtin-karate") and "--seeds 0-1" in line for line in lines)


def set_status(folder, **changes):
    status = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps({**status, **changes}))


def test_runs_stand_in_the_order_in_which_they_drew_their_tickets(make_run_folder, runs_root, monkeypatch):
    monkeypatch.setattr("workbench.runs.status.process_is_there", lambda status: True)
    queue = runs_root / ".workbench" / "queue" / "cpu"
    queue.mkdir(parents=True)
    for name, state, pid, created in (
        ("late", "queued", 103, 1.0),
        ("early", "queued", 102, 2.0),
        ("new", "queued", 0, 3.0),
        ("now", "running", 101, 4.0),
        ("over", "done", 0, 0.0),
    ):
        set_status(make_run_folder(name, state=state), pid=pid, created=created)
    for drawn, pid in ((5, 101), (6, 102), (7, 103)):
        (queue / f"{drawn:020d}-{pid}.json").write_text("{}")
    runs = [Run(runs_root / name) for name in ("over", "late", "new", "now", "early")]
    assert [run.id for run in in_line(runs, runs_root)] == ["now", "early", "late", "new", "over"]


def test_stopping_all_stops_them_at_the_same_time(make_run_folder, monkeypatch):
    import workbench.runs.launch as module

    together = threading.Barrier(3, timeout=10)  # breaks unless all three are being stopped at once

    def stop(run):
        together.wait()
        if run.id == "b":
            raise UsageError("run b is done: there is nothing to stop")
        stopped.append(run.id)

    stopped = []
    monkeypatch.setattr(module, "stop", stop)
    stop_all([Run(make_run_folder(name, state="running")) for name in "abc"])
    assert sorted(stopped) == ["a", "c"]


def test_a_run_that_somebody_deletes_does_not_keep_the_others_from_being_stopped(make_run_folder, monkeypatch):
    import workbench.runs.launch as module

    def stop(run):
        if run.id == "b":
            raise FileNotFoundError(2, "No such file or directory", str(run.path / "stop"))
        stopped.append(run.id)

    stopped = []
    monkeypatch.setattr(module, "stop", stop)
    stop_all([Run(make_run_folder(name, state="running")) for name in "abc"])
    assert sorted(stopped) == ["a", "c"]


def test_a_stop_that_the_file_system_refuses_is_a_message(open_page, make_run_folder, monkeypatch):
    import workbench.runs.launch as module

    def stop(run):
        raise PermissionError(13, "Permission denied", "stop")

    monkeypatch.setattr(module, "stop", stop)
    for name in ("first", "second"):
        make_run_folder(name, state="running")
    app = open_page("distil", view="watch", run="first")
    app.button(key="stop-all").click().run()
    assert not app.exception
    assert any("Permission denied" in error.value for error in app.error)


def test_one_of_a_queue_is_stopped(open_page, make_run_folder, monkeypatch):
    import workbench.runs.launch as module

    stopped = []
    monkeypatch.setattr(module, "stop", lambda run: stopped.append(run.id))
    for name in ("first", "second"):
        make_run_folder(name, state="running")
    app = open_page("distil", view="watch", run="first")
    app.button(key="stop-in-queue-second").click().run()
    assert not app.exception
    assert stopped == ["second"]
    app.button(key="stop-all").click().run()
    assert sorted(stopped[1:]) == ["first", "second"]


@pytest.mark.parametrize("states", [["running"], ["done", "failed", "stopped"], ["running", "done"]])
def test_there_is_no_queue_of_fewer_than_two(open_page, make_run_folder, states):
    for state in states:
        make_run_folder(f"run-{state}", state=state)
    app = open_page("distil", view="watch")
    assert not app.exception
    assert not [box for box in app.expander if "Queue" in box.label]


def test_a_damaged_run_in_the_queue_is_no_traceback(open_page, make_run_folder):
    folders = [make_run_folder(f"run-{n}", state="running") for n in range(3)]
    (folders[1] / "spec.yaml").write_text("{half")
    app = open_page("distil", view="watch", run="run-0")
    assert not app.exception
    assert "Queue: 2 runs" in [box.label for box in app.expander]
