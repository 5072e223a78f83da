"""Watching a run: live numbers, the code of its curves, and a deletion that can be undone."""

import json

import psutil
import pytest

from workbench.runs.folder import Run

RUN = "karate-kd-s0-0123456789ab"


def press(app, key):
    return app.button(key=key).click().run()


def shown(app):
    return {metric.label: metric.value for metric in app.metric}


def test_a_run_that_is_going_on_shows_its_pace_its_device_and_its_memory(open_page, make_run_folder):
    make_run_folder(state="running")
    numbers = shown(open_page("distil", view="watch", run=RUN))
    # Epochs of 0.01 s; 75 s left; the run's process is this one here.
    assert (numbers["Epochs per second"], numbers["Time left, at most"]) == ("100", "1 min 15 s")
    assert numbers["Device"] == "cpu"
    held, unit = numbers["Memory"].split()
    assert float(held) * {"kB": 1e3, "MB": 1e6, "GB": 1e9}[unit] == pytest.approx(
        psutil.Process().memory_info().rss, rel=0.2
    )


def test_a_run_on_a_gpu_shows_what_it_holds_of_it(open_page, make_run_folder):
    status = make_run_folder(state="running") / "status.json"
    status.write_text(
        json.dumps({**json.loads(status.read_text()), "device": "cuda:0", "device_memory": 3_210_000_000})
    )
    numbers = shown(open_page("distil", view="watch", run=RUN))
    assert (numbers["Device"], numbers["GPU memory"]) == (r"cuda\:0", "3.21 GB")  # escaped
    assert "Memory" not in numbers


@pytest.mark.parametrize("lens", [False, True])
def test_the_copied_python_draws_the_same_curves(open_page, make_run_folder, lens):
    import workbench as wb

    metrics = make_run_folder() / "metrics.jsonl"
    records = [json.loads(line) for line in metrics.read_text().splitlines()]
    for record in records:
        if lens and record["stage"] == "student":
            record["terms"]["kd"]["cosine"] = 0.5
    metrics.write_text("".join(json.dumps(record) + "\n" for record in records))
    app = open_page("distil", view="watch", run=RUN)
    lines = next(block.value for block in app.code if block.value.startswith("import workbench")).splitlines()
    calls = [line for line in lines if line.startswith("wb.plots")]
    drawn = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    assert len(calls) == len(drawn) == 1 + lens
    space = {"wb": wb, "run": wb.find_run(RUN)}
    for call, figure in zip(calls, drawn, strict=True):
        assert [trace["name"] for trace in figure["data"]] == [trace.name for trace in eval(call, space).data]


def test_before_the_first_epoch_there_is_no_pace(open_page, make_run_folder):
    (make_run_folder(state="running") / "metrics.jsonl").unlink()
    app = open_page("distil", view="watch", run=RUN)
    assert not app.exception
    assert shown(app)["Epochs per second"] == "–"


@pytest.mark.parametrize("state", ["done", "failed", "stopped", "lost"])
def test_a_deleted_run_can_be_had_back_at_once(open_page, make_run_folder, state, texts):
    folder = make_run_folder(state=state)
    app = press(open_page("distil", view="watch", run=RUN), f"delete-{RUN}")
    assert not app.exception
    assert not folder.exists()
    assert "was deleted" in texts(app)
    app = press(app, "undo-delete")
    assert not app.exception
    assert folder.is_dir()
    assert app.query_params["run"] == RUN
    assert "was deleted" not in texts(app)


def test_deleted_runs_are_listed_for_everybody_and_can_be_put_back(open_page, make_run_folder, no_examples, texts):
    folder = make_run_folder()
    press(open_page("distil", view="watch", run=RUN), f"delete-{RUN}")
    app = open_page("distil", view="watch")  # by another visitor, who has no run left to watch
    assert not app.exception
    assert "No run has been started" in texts(app)
    assert "Deleted runs: 1" in [box.label for box in app.expander]
    press(app, f"restore-{RUN}")
    assert not app.exception
    assert folder.is_dir()


def test_a_run_that_took_the_place_of_a_deleted_one_stays(open_page, make_run_folder):
    make_run_folder()
    app = press(open_page("distil", view="watch", run=RUN), f"delete-{RUN}")
    again = make_run_folder(seed=7)
    app = press(app, "undo-delete")
    assert not app.exception
    assert "there is a run" in app.error[0].value
    assert Run(again).document["seed"] == 7


def test_what_is_going_on_and_what_came_with_the_workbench_cannot_be_deleted(open_page, make_run_folder, examples):
    make_run_folder(state="running")
    for id in (RUN, examples[0].id):
        app = open_page("distil", view="watch", run=id)
        assert not app.exception
        assert "Delete" not in {button.label for button in app.button}


def test_a_run_that_vanished_while_it_was_deleted_is_a_message(open_page, make_run_folder):
    folder = make_run_folder()
    app = open_page("distil", view="watch", run=RUN)
    folder.rename(folder.with_name(".gone"))
    app = press(app, f"delete-{RUN}")
    assert not app.exception
