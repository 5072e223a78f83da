"""The Dynamic graph page: every figure, the film, every kind of run, every damage."""

import csv
import json
import shutil

import numpy as np
import pytest
import yaml

from workbench.pages import player
from workbench.pages.shown import as_csv
from workbench.pages.step_table import _long_table
from workbench.pages.tasks import page_of, task_of
from workbench.runs.folder import Run

RUN = "communities-distill2vec-s0-0123456789ab"
FIGURES = {
    "graph": "evolution",
    "embeddings": "embeddings_over_time",
    "scores": "link_scores",
    "attention": "temporal_attention",
}


def charts(app):
    return app.get("plotly_chart")


def metrics(app):
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def step(app):
    return app.select_slider(key="choice-step").value


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by one tick of the film whenever it is asked to."""
    now = [0.0]
    monkeypatch.setattr(player.time, "monotonic", lambda: now[0])

    def tick():
        now[0] += player.TICK_SECONDS

    return tick


def test_without_runs_the_page_says_what_to_do(open_page, texts, make_run_folder, no_examples):
    make_run_folder()  # a run, but not on snapshots
    app = open_page("dynamic_graph")
    assert not app.exception
    assert "builtin\\-communities" in texts(app)
    assert not charts(app)


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_drawn_and_can_be_copied(open_page, make_snapshot_folder, figure):
    make_snapshot_folder()
    app = open_page("dynamic_graph", figure=figure, step="5")
    assert not app.exception
    assert not app.error
    assert len(charts(app)) == (2 if figure == "graph" else 1)
    python, command = [block.value for block in app.code][:2]
    assert f"wb.plots.{FIGURES[figure]}(run, step=5)" in python
    assert command == f"workbench show {RUN}"


def test_the_numbers_are_those_of_the_step(open_page, make_snapshot_folder):
    make_snapshot_folder()
    app = open_page("dynamic_graph", step="5")
    shown = metrics(app)
    assert shown["AUC, teacher"][0] == "0.900"
    assert shown["AUC, student"] == ("0.750", "+0.050 by distilling")
    assert shown["AUC, student alone"][0] == "0.700"
    assert shown["AUC, best without learning"] == ("0.660", "Adamic–Adar")
    app.select_slider(key="choice-step").set_value(6).run()
    assert metrics(app)["AUC, student"][0] == "0.760"
    assert app.query_params["step"] == "6"


@pytest.mark.parametrize(("name", "kept"), [("figure", "graph"), ("run", RUN), ("step", "4")])
def test_a_wrong_address_falls_back_and_says_so(open_page, make_snapshot_folder, name, kept):
    make_snapshot_folder()
    app = open_page("dynamic_graph", **{name: "<nonsense>"})
    assert not app.exception
    assert "\\<nonsense\\>" in app.toast[0].value
    assert app.query_params[name] == kept


def test_the_film_goes_through_all_steps_and_stops(open_page, make_snapshot_folder, clock):
    make_snapshot_folder()
    app = open_page("dynamic_graph")
    app.button(key="play").click().run()
    assert app.button(key="play").label == "Pause"
    seen = [step(app)]
    for _ in range(4):
        clock()
        app.run()
        assert not app.exception
        seen.append(step(app))
    assert seen == [4, 5, 6, 6, 6]
    assert app.button(key="play").label == "Play"
    assert app.query_params["step"] == "6"


def test_the_film_waits_for_its_tick_and_for_pause(open_page, make_snapshot_folder, clock):
    make_snapshot_folder()
    app = open_page("dynamic_graph")
    app.button(key="play").click().run()
    app.run()
    assert step(app) == 4  # no time has passed
    app.button(key="play").click().run()
    clock()
    app.run()
    assert (step(app), app.button(key="play").label) == (4, "Play")


def test_played_at_the_end_the_film_begins_again(open_page, make_snapshot_folder, clock):
    make_snapshot_folder()
    app = open_page("dynamic_graph", step="6")
    app.button(key="play").click().run()
    assert not app.exception
    assert step(app) == 4


def test_the_step_buttons_go_back_and_on_and_end_at_the_ends(open_page, make_snapshot_folder):
    make_snapshot_folder()
    app = open_page("dynamic_graph")
    back, on = (f"move-One step {where}" for where in ("back", "on"))
    assert app.button(key=back).disabled
    app.button(key=on).click().run()
    assert step(app) == 5
    app.button(key=on).click().run()
    assert (step(app), app.button(key=on).disabled) == (6, True)
    app.button(key=back).click().run()
    assert step(app) == 5


def test_nodes_to_follow_stand_in_the_address(open_page, make_snapshot_folder):
    make_snapshot_folder()
    app = open_page("dynamic_graph", figure="embeddings", follow="3, 14")
    assert "nodes=[3, 14]" in app.code[0].value
    app.text_input(key="field-follow").set_value("7").run()
    assert app.query_params["follow"] == "7"
    app.text_input(key="field-follow").set_value("").run()
    assert "follow" not in app.query_params
    assert "nodes" not in app.code[0].value


@pytest.mark.parametrize(("figure", "field"), [("embeddings", "follow"), ("attention", "node")])
@pytest.mark.parametrize(
    ("typed", "answer"), [("many", "no node numbers"), ("6000", "0\\.\\.59"), ("9" * 25, "0\\.\\.59")]
)
def test_a_node_that_there_is_not_is_a_message(open_page, make_snapshot_folder, figure, field, typed, answer):
    make_snapshot_folder()
    app = open_page("dynamic_graph", figure=figure, step="5", **{field: typed})
    assert not app.exception
    assert answer in app.error[0].value


def test_steps_are_a_table_over_the_seeds_of_the_same_spec(open_page, texts, make_snapshot_folder):
    make_snapshot_folder()
    assert "seeds" not in texts(open_page("dynamic_graph"))
    make_snapshot_folder("seed-one-0123456789ab", seed=1)
    make_snapshot_folder("still-queued-0123456789ab", seed=2, state="queued")
    app = open_page("dynamic_graph", run=RUN)
    assert "over the 2 seeds" in texts(app)
    table = app.dataframe[0].value
    assert list(table["step"]) == [4, 5, 6]
    assert list(table["student"]) == ["0.750 ± 0.014", "0.760 ± 0.014", "0.770 ± 0.014"]  # 0.02 / √2 apart
    assert "last-snapshot memory" not in table  # it was never measured


def test_the_file_holds_every_metric_of_every_seed(make_snapshot_folder):
    runs = [Run(make_snapshot_folder(f"seed-{seed}", seed=seed)) for seed in range(2)]
    rows = list(csv.DictReader(as_csv(_long_table(runs)).splitlines()))
    assert len(rows) == 2 * 3 * 6
    (row,) = [row for row in rows if (row["run"], row["step"], row["who"]) == ("seed-1", "5", "student")]
    assert (float(row["auc"]), float(row["dot_auc"])) == pytest.approx((0.77, 0.72))
    assert {row["auc"] for row in rows if row["who"] == "edge_bank"} == {""}


@pytest.mark.parametrize("state", ["queued", "running", "failed", "stopped", "lost"])
def test_an_unfinished_run_is_a_message(open_page, texts, make_snapshot_folder, state):
    make_snapshot_folder(state=state)
    app = open_page("dynamic_graph")
    assert not app.exception
    assert not charts(app)
    assert "no snapshots to show" in texts(app)


def test_a_finished_run_is_shown_before_a_newer_one_that_is_not(open_page, make_snapshot_folder):
    make_snapshot_folder("finished-run-0123456789ab")
    make_snapshot_folder("waiting-run-0123456789ab", state="queued", seed=1)
    assert open_page("dynamic_graph").selectbox(key="choice-run").value == "finished-run-0123456789ab"


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("name", ["sequence", "step-00005"])
def test_damaged_arrays_are_a_message_or_not_needed(open_page, make_snapshot_folder, name, figure):
    folder = make_snapshot_folder()
    (folder / f"arrays/{name}.npz").write_bytes(b"half")
    app = open_page("dynamic_graph", figure=figure, step="5")
    assert not app.exception
    needed = {"graph": {"sequence"}, "embeddings": {"sequence", "step-00005"}}.get(figure, {"step-00005"})
    assert [("damaged" in error.value) for error in app.error] == [True] * (name in needed)


def test_embeddings_that_are_not_finite_are_a_message(open_page, make_snapshot_folder):
    file = make_snapshot_folder() / "arrays/step-00005.npz"
    with np.load(file) as stored:
        arrays = dict(stored)
    np.savez(file, **{**arrays, "student": np.full_like(arrays["student"], np.nan)})
    app = open_page("dynamic_graph", figure="embeddings")
    assert not app.exception
    assert "diverged" in app.error[0].value


def test_a_step_that_could_not_be_judged_says_so(open_page, texts, make_snapshot_folder):
    folder = make_snapshot_folder()
    file = folder / "arrays/step-00005.npz"
    with np.load(file) as stored:
        arrays = {name: of for name, of in stored.items() if name[:5] not in ("posit", "negat", "score")}
    np.savez(file, **arrays)
    result = json.loads((folder / "result.json").read_text())
    for metrics in result["steps"][1]["metrics"].values():
        metrics.update(dict.fromkeys(metrics))
    (folder / "result.json").write_text(json.dumps(result))
    for figure in FIGURES:
        app = open_page("dynamic_graph", figure=figure, step="5")
        assert not app.exception
        assert not app.error
        assert "no AUC here" in texts(app)
        assert bool(charts(app)) == (figure != "scores")
    table = app.dataframe[0].value
    assert list(table["student"].isna()) == [False, True, False]


def test_a_film_ends_with_a_run_of_a_single_step(open_page, make_snapshot_folder):
    single = make_snapshot_folder("single-run-0123456789ab", seed=1)
    for step in (4, 6):
        (single / f"arrays/step-{step:05d}.npz").unlink()
    make_snapshot_folder()
    app = open_page("dynamic_graph", run=RUN, step="4")
    app.button(key="play").click().run()
    assert app.session_state["playing"]
    app.selectbox(key="choice-run").set_value(single.name).run()
    assert not app.exception
    assert not app.session_state["playing"]


def test_a_run_on_live_snapshots_is_one_of_this_page(make_snapshot_folder):
    folder = make_snapshot_folder(state="running")
    document = yaml.safe_load((folder / "spec.yaml").read_text())
    document["dataset"] = {"name": "live", "fingerprint": "0123456789ab"}
    (folder / "spec.yaml").write_text(yaml.safe_dump(document))
    assert (task_of(Run(folder)), page_of(Run(folder))) == ("link prediction", "dynamic")


def test_a_run_that_is_deleted_while_it_is_shown_is_a_message(open_page, make_snapshot_folder):
    make_snapshot_folder("other-run-0123456789ab", seed=5)
    folder = make_snapshot_folder()
    app = open_page("dynamic_graph", run=RUN)
    shutil.rmtree(folder)
    app.run()
    assert not app.exception
    assert app.query_params["run"] == "other-run-0123456789ab"


@pytest.mark.parametrize("steps", [None, [], [{"step": 5, "metrics": {"student": {"auc": None}}}]])
def test_results_without_numbers_are_no_traceback(open_page, make_snapshot_folder, steps):
    folder = make_snapshot_folder()
    (folder / "result.json").write_text(json.dumps({"steps": steps}))
    app = open_page("dynamic_graph", step="5")
    assert not app.exception
    assert metrics(app)["AUC, student"][0] == "–"
    assert "has been measured" in app.error[0].value
    assert len(charts(app)) == 1  # the graph needs no metrics
