"""The Embeddings page: every kind of run, every choice, every damage."""

import base64
import csv
import json
import shutil
import subprocess
import sys

import numpy as np
import plotly.graph_objects as go
import pytest

from workbench.pages import class_mode, embedding_controls
from workbench.pages.node_table import SELECTED
from workbench.pages.shown import as_csv, carried
from workbench.pages.tasks import page_of
from workbench.plots import embedding_arrays

RUN = "karate-kd-s0-0123456789ab"
SECONDS = 60  # the first page of a process is slow


def figures(app):
    return app.get("plotly_chart")


def test_without_runs_the_page_says_what_to_do(open_page, texts, no_examples):
    app = open_page("embeddings")
    assert not app.exception
    assert "distil a first one" in texts(app)


@pytest.mark.parametrize("projection", ["pca", "umap"])
def test_every_example_is_drawn_in_both_projections(open_page, examples, projection):
    for example in (example for example in examples if page_of(example) == "embeddings"):
        app = open_page("embeddings", run=example.id, projection=projection)
        assert not app.exception
        assert not app.error
        assert len(figures(app)) == 1
        assert not app.warning
        assert app.selectbox(key="choice-run").value == example.id


def test_an_example_is_called_one(open_page, make_run_folder, examples):
    make_run_folder()
    names = open_page("embeddings").selectbox(key="choice-run").options
    shown_here = [example for example in examples if page_of(example) == "embeddings"]
    assert [name.endswith("example") for name in names] == [False] + [True] * len(shown_here)


def test_a_finished_run_is_shown_before_a_newer_one_that_is_not(open_page, make_run_folder):
    make_run_folder("finished-run-0123456789ab")
    make_run_folder("waiting-run-0123456789ab", state="queued", seed=1)
    assert open_page("embeddings").selectbox(key="choice-run").value == "finished-run-0123456789ab"


@pytest.mark.parametrize("colour", ["class", "prediction", "agreement", "split", "overlap", "degree"])
def test_a_finished_run_is_drawn_in_every_colour(open_page, make_run_folder, colour):
    make_run_folder()
    app = open_page("embeddings", colour=colour)
    assert not app.exception
    assert len(figures(app)) == 1


def test_the_numbers_stand_below_the_figure(open_page, texts, make_run_folder):
    make_run_folder()
    app = open_page("embeddings")
    assert [metric.label for metric in app.metric] == [
        "Linear CKA",
        "Global structure (r)",
        "Local structure (r)",
        "Common neighbours",
        "Procrustes disparity",
    ]
    assert "the 10 validation nodes" in texts(app)
    assert "20 directed links" in texts(app)
    assert "The student is 12.3 × smaller and 6.2 points worse than its teacher." in texts(app)


def test_the_address_chooses_what_is_shown(open_page, make_run_folder):
    make_run_folder("first-run-0123456789ab")
    make_run_folder("other-run-0123456789ab", seed=5)
    app = open_page("embeddings", run="other-run-0123456789ab", colour="split", dimensions="3")
    assert app.selectbox(key="choice-run").value == "other-run-0123456789ab"
    assert app.selectbox(key="choice-colour").value == "split"
    assert app.query_params["dimensions"] == "3"


def test_a_choice_on_the_page_goes_into_the_address(open_page, make_run_folder):
    make_run_folder()
    app = open_page("embeddings")
    app.selectbox(key="choice-colour").select("agreement").run()
    assert not app.exception
    assert (app.query_params["colour"], app.query_params["run"]) == ("agreement", RUN)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("colour", "class"),
        ("run", RUN),
        ("projection", "pca"),
        ("dimensions", "2"),
        ("right-run", "same"),
        ("right-epoch", "0"),
    ],
)
def test_a_wrong_address_falls_back_and_says_so(open_page, make_run_folder, name, kept):
    make_run_folder()
    app = open_page("embeddings", **{name: "<nonsense>"})
    assert not app.exception
    assert len(figures(app)) == 1
    assert "\\<nonsense\\>" in app.toast[0].value
    assert app.query_params[name] == kept


def test_the_film_shows_kept_epochs(open_page, make_run_folder):
    make_run_folder()
    app = open_page("embeddings")
    film = app.select_slider(key="choice-right-epoch")
    assert list(film.options) == ["20", "40", "best"]
    at_best = app.metric[0].value
    film.set_value(20).run()
    assert not app.exception
    assert app.metric[0].value != at_best
    assert app.query_params["right-epoch"] == "20"
    assert "epoch=20" in app.code[0].value


def test_what_is_on_the_screen_can_be_copied(open_page, make_run_folder):
    make_run_folder()
    app = open_page("embeddings", colour="agreement")
    python, command = [block.value for block in app.code][:2]
    assert f"find_run('{RUN}')" in python
    assert "wb.plots.embeddings(run, colour='agreement', projection='pca', dimensions=2)" in python
    assert command == f"workbench show {RUN}"


def drawn(app):
    """The figure on the page, as plain data."""
    (figure,) = figures(app)
    return json.loads(figure.proto.spec)


def numbers(packed):
    """An array as Plotly packs it."""
    return np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])


def of_snippet(python):
    """The figure of its last line."""
    *before, last = python.splitlines()
    names: dict = {}
    exec("\n".join([*before, f"figure = {last}"]), names)
    assert isinstance(names["figure"], go.Figure)
    return json.loads(names["figure"].to_json())


def points(figure):
    return [(trace.get("name"), trace["x"], trace["y"], trace["marker"]["color"]) for trace in figure["data"]]


@pytest.mark.parametrize(
    "address",
    [
        {"colour": "degree"},
        {"colour": "overlap", "dimensions": "3"},
        {"projection": "umap", "colour": "split"},
        {"right-epoch": "20", "colour": "prediction"},
        {"left": "student", "left-epoch": "40", "right": "teacher", "colour": "agreement"},
        {"right-run": "other-run-0123456789ab", "left": "student", "right-epoch": "20"},
        {"points": "all", "small": "yes"},
        {"points": "sample", "small": "yes", "colour": "agreement"},
    ],
)
def test_the_copied_python_makes_the_figure_on_the_screen(open_page, make_run_folder, monkeypatch, address):
    if address.pop("small", None):
        monkeypatch.setattr(embedding_arrays, "SAMPLE", 12)
    make_run_folder("other-run-0123456789ab", seed=5)
    make_run_folder(umap=True)
    app = open_page("embeddings", run=RUN, **address)
    assert not app.exception
    assert not app.toast
    again, shown = of_snippet(app.code[0].value), drawn(app)
    assert points(again) == points(shown)
    said = [[title["text"] for title in figure["layout"]["annotations"]] for figure in (again, shown)]
    assert said[0] == said[1]


def test_any_two_sides_can_be_compared(open_page, texts, make_run_folder):
    make_run_folder("other-run-0123456789ab", seed=5)
    make_run_folder()
    app = open_page("embeddings", **{"run": RUN, "right-run": "other-run-0123456789ab", "left": "student"})
    assert [title["text"] for title in drawn(app)["layout"]["annotations"]] == ["Student (seed 0)", "Student (seed 5)"]
    assert "Left: The student is" in texts(app)
    assert "Right: The student is" in texts(app)
    commands = [f"workbench show {RUN}", "workbench show other-run-0123456789ab"]
    assert app.code[1].value.splitlines() == commands


def select(app, graph, nodes):
    """As a lasso does; AppTest cannot draw one."""
    app.session_state[SELECTED] = (graph, nodes)
    return app.run()


def test_selected_nodes_are_ringed_on_both_sides_and_listed_and_can_be_let_go(open_page, make_run_folder):
    make_run_folder()
    app = select(open_page("embeddings"), "graph-of-30-nodes", [3, 7])
    names = [trace.get("name") for trace in drawn(app)["data"]]
    assert names.count("selected") == 2
    assert app.dataframe[0].value["node"].tolist() == [3, 7]
    assert app.dataframe[0].value["teacher says"].tolist() == [0, 1]
    app.button(key="clear-selection").click().run()
    assert "selected" not in [trace.get("name") for trace in drawn(app)["data"]]
    assert not app.dataframe


def test_a_selection_is_kept_over_the_film_and_over_runs_on_the_same_graph(open_page, make_run_folder):
    make_run_folder("other-run-0123456789ab", seed=5)
    make_run_folder()
    app = select(open_page("embeddings", run=RUN), "graph-of-30-nodes", [3, 7])
    app.select_slider(key="choice-right-epoch").set_value(20).run()
    assert app.dataframe[0].value["node"].tolist() == [3, 7]
    app.selectbox(key="choice-run").select("other-run-0123456789ab").run()
    assert app.dataframe[0].value["node"].tolist() == [3, 7]


def test_a_selection_does_not_survive_a_change_of_graph(open_page, make_run_folder):
    make_run_folder("other-run-0123456789ab", nodes=40)
    make_run_folder()
    app = select(open_page("embeddings", run=RUN), "graph-of-30-nodes", [3, 7])
    app.selectbox(key="choice-run").select("other-run-0123456789ab").run()
    assert not app.dataframe
    app.selectbox(key="choice-run").select(RUN).run()
    assert not app.exception
    assert not app.dataframe


def test_three_dimensions_show_a_selection_but_take_none(open_page, texts, make_run_folder):
    make_run_folder()
    app = open_page("embeddings", dimensions="3")
    assert not figures(app)[0].proto.selection_mode
    assert "draw a lasso" not in texts(app)
    app = select(app, "graph-of-30-nodes", [3])
    assert not app.exception
    assert [trace.get("name") for trace in drawn(app)["data"]].count("selected") == 2
    assert app.dataframe[0].value["node"].tolist() == [3]


@pytest.fixture
def small_sample(monkeypatch):
    """As if the 30 nodes of a run were too many to be drawn at once."""
    monkeypatch.setattr(embedding_arrays, "SAMPLE", 12)


def test_too_many_nodes_are_sampled_which_the_page_says(open_page, texts, make_run_folder, small_sample):
    make_run_folder()
    app = open_page("embeddings")
    assert "A sample of 12 of the 30 nodes" in app.info[0].value
    assert sum(len(numbers(trace["x"])) for trace in drawn(app)["data"]) == 2 * 12
    assert app.query_params["points"] == "sample"
    assert "the 4 validation nodes" in texts(app)
    assert app.get("plotly_chart")[0].proto.selection_mode


def test_the_full_set_is_drawn_on_demand_and_cannot_be_selected(open_page, make_run_folder, small_sample):
    make_run_folder()
    app = open_page("embeddings")
    app.segmented_control(key="choice-points").set_value("all").run()
    assert not app.exception
    assert app.query_params["points"] == "all"
    assert "All 30 nodes are drawn" in app.info[0].value
    assert not app.get("plotly_chart")[0].proto.selection_mode
    assert app.metric[3].value == "–"  # common neighbours are a matter of the sample
    assert "points='all'" in app.code[0].value


@pytest.fixture
def slow_neighbours(monkeypatch):
    """As if the neighbours of 30 nodes took long to find."""
    monkeypatch.setattr(embedding_controls, "AT_ONCE", 29)


def test_neighbours_of_many_nodes_are_compared_on_request(open_page, make_run_folder, slow_neighbours):
    make_run_folder()
    app = open_page("embeddings")
    assert app.metric[3].value == "–"
    app.segmented_control(key="choice-neighbours").set_value("compare").run()
    assert not app.exception
    assert app.query_params["neighbours"] == "compare"
    assert app.metric[3].value == open_page("embeddings", neighbours="compare").metric[3].value != "–"


def test_a_colour_that_needs_the_neighbours_asks_for_them(open_page, make_run_folder, slow_neighbours):
    make_run_folder()
    app = open_page("embeddings", colour="overlap")
    assert app.metric[3].value != "–"
    assert "choice-neighbours" not in [control.key for control in app.segmented_control]


def test_neighbours_of_few_nodes_are_always_compared(open_page, make_run_folder):
    make_run_folder()
    app = open_page("embeddings", neighbours="skip")
    assert app.metric[3].value != "–"
    assert "choice-neighbours" not in [control.key for control in app.segmented_control]


def test_common_neighbours_are_no_colour_of_the_full_set(open_page, make_run_folder, small_sample):
    make_run_folder()
    app = open_page("embeddings", colour="overlap", points="all")
    assert not app.exception
    assert "colour='class'" in app.code[0].value


def test_a_small_graph_has_no_choice_of_nodes(open_page, make_run_folder):
    make_run_folder()
    app = open_page("embeddings", points="nonsense")
    assert not app.toast
    assert "choice-points" not in [control.key for control in app.segmented_control]


def test_class_mode_leaves_the_figure_alone(open_page, make_run_folder):
    make_run_folder()
    hide = "run,left,right,right-run,colour,projection,dimensions,right-epoch,speed,code,downloads,share,notes,tables"
    app = open_page("embeddings", colour="degree")
    assert app.code
    app.session_state[class_mode.STATE] = frozenset(hide.split(","))
    app.run()
    assert not app.exception
    assert len(figures(app)) == 1
    assert not app.code
    assert not app.selectbox
    assert not app.segmented_control
    assert "degree" in json.dumps(drawn(app))


@pytest.mark.parametrize("data", [[7, 0, 1, 1], {"0": 7, "1": 0}])
def test_a_selected_point_knows_its_node(data):
    assert carried({"x": 0.5, "customdata": data}) == 7
    assert carried({"customdata": data}, 1) == 0


def test_all_nodes_can_be_taken_away_as_a_table():
    table = as_csv({"node": np.arange(2), "split": np.array(["train", "a, b"]), "x": np.array([0.5, 1.5])})
    assert list(csv.reader(table.splitlines())) == [["node", "split", "x"], ["0", "train", "0.5"], ["1", "a, b", "1.5"]]


@pytest.mark.parametrize("state", ["queued", "running", "failed", "stopped", "lost"])
def test_an_unfinished_run_is_a_message_although_there_are_finished_examples(
    open_page, texts, make_run_folder, examples, state
):
    make_run_folder(state=state)
    app = open_page("embeddings")
    assert not app.exception
    assert not figures(app)
    assert "no embeddings to show" in texts(app)


@pytest.mark.parametrize("name", ["graph", "teacher", "student", "epoch-00020"])
def test_damaged_or_missing_arrays_are_a_message(open_page, make_run_folder, name):
    folder = make_run_folder()
    file = folder / f"arrays/{name}.npz"
    file.write_bytes(b"half")
    app = open_page("embeddings")
    if name.startswith("epoch"):
        app.select_slider(key="choice-right-epoch").set_value(20).run()
    assert not app.exception
    assert "damaged" in app.error[0].value
    if not name.startswith("epoch"):
        file.unlink()
        app.run()
        assert not app.exception
        assert "has no arrays" in app.error[0].value


def test_features_that_are_not_finite_are_a_message(open_page, make_run_folder):
    folder = make_run_folder()
    np.savez(folder / "arrays/student.npz", embedding=np.full((30, 2), np.inf), logits=np.zeros((30, 3)))
    app = open_page("embeddings")
    assert not app.exception
    assert "diverged" in app.error[0].value


def test_a_run_that_is_deleted_while_it_is_shown_is_a_message(open_page, texts, make_run_folder):
    make_run_folder("other-run-0123456789ab", seed=5)
    folder = make_run_folder()
    app = open_page("embeddings", run=RUN)
    shutil.rmtree(folder)
    app.run()
    assert not app.exception
    assert app.query_params["run"] == "other-run-0123456789ab"


def test_a_result_without_numbers_is_no_traceback(open_page, texts, make_run_folder):
    (make_run_folder() / "result.json").write_text("{}")
    app = open_page("embeddings")
    assert not app.exception
    assert "not been measured" in texts(app)


def test_metrics_that_were_not_finite_are_no_traceback(open_page, texts, make_run_folder, lose_numbers):
    lose_numbers(make_run_folder())
    app = open_page("embeddings")
    assert not app.exception
    assert "not been measured" in texts(app)
    assert len(figures(app)) == 1


def test_links_that_were_not_stored_are_said_to_be_missing(open_page, texts, make_run_folder):
    folder = make_run_folder()
    with np.load(folder / "arrays/graph.npz") as stored:
        kept = {name: stored[name] for name in ("y", "split", "degree")}
    np.savez(folder / "arrays/graph.npz", **kept)
    app = open_page("embeddings")
    assert not app.exception
    assert app.metric[2].value == "–"
    assert "did not store its links" in texts(app)


def test_a_run_of_an_older_version_without_degrees_is_a_message(open_page, make_run_folder):
    folder = make_run_folder()
    np.savez(folder / "arrays/graph.npz", y=np.zeros(30, int), split=np.ones(30, int))
    app = open_page("embeddings")
    assert not app.exception
    assert "hold no 'degree'" in app.error[0].value


def test_a_run_of_another_task_is_shown_elsewhere(open_page, texts, make_run_folder, make_snapshot_folder):
    make_run_folder()
    other = make_snapshot_folder()
    app = open_page("embeddings", run=other.name)
    assert not app.exception
    assert "is no run on the nodes of one graph" in texts(app)
    assert app.query_params["run"] == RUN


def test_an_embedding_that_has_collapsed_has_no_correlation(open_page, make_run_folder):
    folder = make_run_folder()
    np.savez(folder / "arrays/student.npz", embedding=np.ones((30, 2)), logits=np.zeros((30, 3)))
    app = open_page("embeddings")
    assert not app.exception
    assert [metric.value for metric in app.metric][:3] == ["0.00", "–", "–"]


def test_the_page_needs_no_torch(make_run_folder):
    make_run_folder()
    script = f"""
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_string("from workbench.pages.embeddings import show; show()", default_timeout={SECONDS})
app.query_params["run"] = {RUN!r}
assert not app.run().exception
assert len(app.get("plotly_chart")) == 1
print([name for name in ("torch", "umap", "sklearn") if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_selected_nodes_are_in_the_address_and_in_what_is_copied(open_page, make_run_folder):
    make_run_folder()
    app = open_page("embeddings", nodes="3,14")
    assert not app.exception
    assert not app.toast
    assert list(app.dataframe[0].value["node"]) == [3, 14]
    assert "highlight=[3, 14]" in app.code[0].value
    next(button for button in app.button if button.label == "Clear the selection").click().run()
    assert "nodes" not in app.query_params
    assert "highlight" not in app.code[0].value


@pytest.mark.parametrize("nodes", ["../x", "<b>", "-1", "1e9", "9" * 400])
def test_nodes_in_the_address_that_are_none_are_left_aside(open_page, make_run_folder, nodes):
    make_run_folder()
    app = open_page("embeddings", nodes=nodes)
    assert not app.exception
    assert "no numbers" in app.toast[0].value


def test_nodes_in_the_address_that_the_graph_has_not_ring_nothing(open_page, make_run_folder):
    make_run_folder()
    app = open_page("embeddings", nodes="999999")
    assert not app.exception
    assert len(figures(app)) == 1
