"""What the Distil page says before a launch: budgets, past runs, an earlier run of the very spec, devices."""

import json
from types import SimpleNamespace

import pytest

from workbench.runs.folder import Run
from workbench.spec import Spec

START = "set-up-1"


def press(app, key):
    return app.button(key=key).click().run()


def shown(app):
    return {metric.label: metric.value for metric in app.metric}


def test_a_budget_in_milliseconds_takes_the_width_that_was_timed_and_says_how(open_page, launched, monkeypatch, texts):
    import workbench.runs.latency_budget as module

    # A clock by which a pass takes a tenth of a millisecond per unit of width.
    monkeypatch.setattr(
        module, "widest_within", lambda _, widths, target: (round(10 * target), {round(10 * target): target})
    )
    app = open_page("distil", preset="karate")
    app.segmented_control(key=f"{START}-budget-unit").set_value("ms").run()
    app.number_input(key=f"{START}-budget-ms").set_value(0.7).run()
    assert not app.exception
    # 39·h + 4 parameters, with h = 7
    assert shown(app)["Student"] == str(39 * 7 + 4)
    assert "Hidden channels 7 is the widest that fits: 0.70 ms a pass, measured on this machine" in texts(app)
    assert "noisy" in texts(app)
    press(app, "launch")
    assert launched[0].student.hidden_channels == 7


def test_a_latency_is_measured_once_until_it_is_asked_for_again(open_page, monkeypatch):
    import workbench.runs.latency_budget as module

    timed = []
    monkeypatch.setattr(module, "widest_within", lambda *_: (3, {3: timed.append(1) or 0.5}))
    app = open_page("distil", preset="karate")
    app.segmented_control(key=f"{START}-budget-unit").set_value("ms").run()
    app.number_input(key=f"{START}-budget-ms").set_value(0.123).run()
    before = len(timed)
    app.number_input(key=f"{START}-seed").set_value(5).run()
    assert len(timed) == before
    press(app, "time-anew")
    assert not app.exception
    assert len(timed) == before + 1


def test_a_latency_that_nothing_meets_is_a_message(open_page):
    app = open_page("distil", preset="karate")
    app.segmented_control(key=f"{START}-budget-unit").set_value("ms").run()
    app.number_input(key=f"{START}-budget-ms").set_value(0.001).run()
    assert not app.exception
    assert "raise the budget" in app.error[0].value


def finished(make_run_folder, name="earlier", **changes):
    """A finished run whose spec is the form's, filled in from the starting point."""
    from workbench.pages.presets import PRESETS

    spec = Spec.parse({**PRESETS["karate"].document, "device": "cpu", **changes})
    folder = make_run_folder(name, state=changes.pop("state", "done"))
    (folder / "spec.yaml").write_text(spec.to_yaml())
    return folder, spec


def test_past_runs_on_the_dataset_are_behind_the_dial(open_page, make_run_folder):
    finished(make_run_folder)
    app = open_page("distil", preset="karate")
    assert not app.get("plotly_chart")
    app.segmented_control(key=f"{START}-budget-unit").set_value("× smaller").run()
    assert not app.exception
    (chart,) = app.get("plotly_chart")
    figure = json.loads(chart.proto.spec)
    # The teacher has 2,500 parameters, and the dial stands at ten times smaller.
    assert [shape["x0"] for shape in figure["layout"]["shapes"] if shape["type"] == "line"] == [250]


def test_without_past_runs_on_the_dataset_the_dial_says_so(open_page, no_examples, make_run_folder, texts, monkeypatch):
    monkeypatch.setattr("workbench.pages.past_cloud.demo_runs", list)
    make_run_folder("other", state="failed")
    app = open_page("distil", preset="karate")
    app.segmented_control(key=f"{START}-budget-unit").set_value("MB").run()
    assert not app.exception
    assert not app.get("plotly_chart")
    assert "No run on this dataset is finished yet" in texts(app)


def test_the_time_of_a_run_alike_tells_what_this_one_will_take(open_page, make_run_folder, texts):
    assert "Training, at most" not in texts(open_page("distil", preset="karate"))
    finished(make_run_folder)
    # 2.5 s for 40 epochs there, 100 epochs each here: 6.25 s.
    app = open_page("distil", preset="karate")
    assert "Training, at most: teacher 6 s (1 earlier run), student 6 s (1 earlier run)." in texts(app)


@pytest.mark.parametrize("epochs", [0.5, float("inf"), 10**400, "many"])
def test_a_damaged_result_of_a_run_alike_keeps_nobody_from_setting_up_a_run(open_page, make_run_folder, texts, epochs):
    finished(make_run_folder)
    folder, _ = finished(make_run_folder, "damaged", seed=1)
    result = json.loads((folder / "result.json").read_text())
    for role in ("teacher", "student"):
        result[role]["epochs"] = epochs
    (folder / "result.json").write_text(json.dumps(result))
    app = open_page("distil", preset="karate")
    assert not app.exception
    assert not app.error
    assert "Training, at most: teacher 6 s (1 earlier run), student 6 s (1 earlier run)." in texts(app)


def place_of(spec):
    from workbench.runs.claim import run_id

    return run_id(spec)


@pytest.fixture
def very_run(make_run_folder):
    """``very_run("failed")``: the very spec of the form has been launched before, with that outcome."""

    def make(state):
        folder, spec = finished(make_run_folder)
        target = folder.rename(folder.with_name(place_of(spec)))
        made = make_run_folder("like", state=state)
        for file in ("status.json", "result.json"):
            (target / file).unlink()
            if (made / file).exists():
                (target / file).write_text((made / file).read_text())
        return target

    return make


def test_a_spec_that_was_run_offers_its_result_before_the_launch(open_page, very_run, launched, texts):
    folder = very_run("done")
    app = open_page("distil", preset="karate")
    assert not app.exception
    assert "This very spec has been run" in texts(app)
    assert app.button(key="launch").label == "Look at the result"
    assert any(folder.name in link.proto.query_string for link in app.get("page_link"))
    press(app, "again")
    assert not app.exception
    assert len(launched) == 1
    other = open_page("distil", preset="karate")
    other.number_input(key=f"{START}-seed").set_value(1).run()
    assert "This very spec" not in texts(other)
    assert other.button(key="launch").label == "Launch"


def test_running_it_again_is_a_fresh_run_and_looking_is_not(open_page, very_run, monkeypatch):
    import workbench.runs.launch as module

    folder, seen = very_run("done"), []

    def launch(spec, root=None, fresh=False, progress=None):
        seen.append(fresh)
        return SimpleNamespace(run=Run(folder), status="finished", notes=[])

    monkeypatch.setattr(module, "launch", launch)
    press(open_page("distil", preset="karate"), "launch")
    press(open_page("distil", preset="karate"), "again")
    assert seen == [False, True]


@pytest.mark.parametrize(("state", "words"), [("running", "is on its way"), ("failed", "begun before and is failed")])
def test_a_spec_that_is_on_its_way_or_was_begun_is_said(open_page, very_run, texts, state, words):
    very_run(state)
    app = open_page("distil", preset="karate")
    assert not app.exception
    assert words in texts(app)
    assert app.button(key="launch").label == "Launch"


def test_of_several_runs_those_that_are_finished_are_counted(open_page, very_run, texts):
    very_run("done")
    app = open_page("distil", preset="karate")
    app.number_input(key=f"{START}-seeds").set_value(3).run()
    assert "3 seeds: **3 runs**, of which 1 finished already." in texts(app)
    assert "fresh" in [box.key for box in app.checkbox]


def test_devices_are_listed_with_what_is_free_and_who_is_on_them(open_page, make_run_folder, texts):
    import psutil

    for name in ("a", "b"):
        make_run_folder(name, state="running")
    make_run_folder("c", state="done")
    said = texts(open_page("distil", preset="karate"))
    (line,) = (line for line in said.splitlines() if line.startswith("**cpu**"))
    assert f"{psutil.cpu_count()} core" in line
    assert f"of {psutil.virtual_memory().total / 1e9:.3g} GB free".replace(".", r"\.") in line
    assert "2 runs on it" in line


@pytest.mark.parametrize("dataset", ["builtin-karate", "own", "builtin-communities", "builtin-shapes"])
def test_every_control_of_the_form_has_help(open_page, dataset):
    app = open_page("distil", preset="karate")
    app.selectbox(key=f"{START}-dataset").set_value(dataset).run()
    ends = ("-budget-unit", "-methods")
    controls = [control for kind in ("selectbox", "number_input", "text_input", "toggle") for control in app.get(kind)]
    controls += [control for kind in ("segmented_control", "multiselect") for control in app.get(kind)]
    controls = [control for control in controls if str(control.key).startswith("set-up")]
    assert {end for end in ends for control in controls if control.key.endswith(end)} == set(ends)
    assert [control.key for control in controls if not control.help] == []


def test_free_memory_of_cards_is_told_by_the_driver_and_unknown_without_it(monkeypatch):
    from workbench.pages import device_list

    answer = "GPU-0a1b, 1024\nGPU-2c3d, [N/A]\nnonsense\n"
    monkeypatch.setattr(device_list.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=answer[:-9]))
    assert device_list._free_memory() == {"0a1b": 1024 << 20}
    monkeypatch.setattr(device_list.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=answer))
    assert device_list._free_memory() == {}

    def missing(*_, **__):
        raise FileNotFoundError("nvidia-smi")

    monkeypatch.setattr(device_list.subprocess, "run", missing)
    assert device_list._free_memory() == {}


@pytest.mark.parametrize("method", ["lsp", "gcrd", "none"])
def test_the_address_may_name_another_method_than_the_starting_point(open_page, method):
    app = open_page("distil", preset="karate", method=method)
    assert not app.exception
    assert next(box for box in app.multiselect if box.label.startswith("Methods")).value == [method]


def test_an_unknown_method_in_the_address_is_said_to_be_one(open_page, texts):
    app = open_page("distil", preset="karate", method="<b>no</b>")
    assert not app.exception
    assert "there is no method" in texts(app)
