"""The Embeddings page: every kind of run, every choice, every damage."""

import csv
import shutil

import numpy as np
import pytest

from workbench.pages.node_table import as_csv, node_of
from workbench.pages.tasks import page_of

RUN = "karate-kd-s0-0123456789ab"


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


@pytest.mark.parametrize("colour", ["class", "prediction", "agreement", "split", "overlap"])
def test_a_finished_run_is_drawn_in_every_colour(open_page, make_run_folder, colour):
    make_run_folder()
    app = open_page("embeddings", colour=colour)
    assert not app.exception
    assert len(figures(app)) == 1


def test_the_numbers_stand_below_the_figure(open_page, texts, make_run_folder):
    make_run_folder()
    app = open_page("embeddings")
    assert [metric.label for metric in app.metric] == ["Linear CKA", "Common neighbours", "Procrustes disparity"]
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
    ("name", "kept"), [("colour", "class"), ("run", RUN), ("projection", "pca"), ("dimensions", "2")]
)
def test_a_wrong_address_falls_back_and_says_so(open_page, make_run_folder, name, kept):
    make_run_folder()
    app = open_page("embeddings", **{name: "<nonsense>"})
    assert not app.exception
    assert len(figures(app)) == 1
    assert "\\<nonsense\\>" in app.toast[0].value
    assert app.query_params[name] == kept


def test_a_stored_umap_is_drawn(open_page, make_run_folder):
    make_run_folder(umap=True)
    app = open_page("embeddings", projection="umap")
    assert not app.exception
    assert len(figures(app)) == 1


def test_without_a_stored_umap_the_page_offers_to_compute_it(open_page, make_run_folder):
    make_run_folder()
    app = open_page("embeddings", projection="umap")
    assert not app.exception
    assert "no UMAP" in app.info[0].value
    assert [button.label for button in app.button] == ["Compute the UMAP now"]


def test_the_film_shows_kept_epochs(open_page, make_run_folder):
    make_run_folder()
    app = open_page("embeddings")
    film = app.select_slider(key=f"film-{RUN}")
    assert list(film.options) == ["20", "40", "best"]
    at_best = app.metric[0].value
    film.set_value(20).run()
    assert not app.exception
    assert app.metric[0].value != at_best
    assert "epoch=20" in app.code[0].value


def test_what_is_on_the_screen_can_be_copied(open_page, make_run_folder):
    make_run_folder()
    app = open_page("embeddings", colour="agreement")
    python, command = (block.value for block in app.code)
    assert f"find_run('{RUN}')" in python
    assert "wb.plots.embeddings(run, colour='agreement', projection='pca', dimensions=2)" in python
    assert command == f"workbench show {RUN}"


@pytest.mark.parametrize("carried", [[7, 0, 1, 1], {"0": 7, "1": 0}])
def test_a_selected_point_knows_its_node(carried):
    assert node_of({"x": 0.5, "customdata": carried}) == 7


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
        app.select_slider(key=f"film-{RUN}").set_value(20).run()
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
