"""UMAP on the Embeddings page: stored, asked for, on its way, failed, or not to be had of two sides."""

import json
import subprocess
import sys

import pytest

RUN = "karate-kd-s0-0123456789ab"
SECONDS = 60  # the first page of a process is slow


def figures(app):
    return app.get("plotly_chart")


def test_a_stored_umap_is_drawn(open_page, make_run_folder):
    make_run_folder(umap=True)
    app = open_page("embeddings", projection="umap")
    assert not app.exception
    assert len(figures(app)) == 1


def labels(app):
    return [button.label for button in app.button]


def test_without_a_stored_umap_the_page_offers_to_compute_it_and_shows_the_pca(open_page, texts, make_run_folder):
    make_run_folder()
    app = open_page("embeddings", projection="umap")
    assert not app.exception
    assert "no UMAP yet" in texts(app)
    assert "Compute the UMAP now" in labels(app)
    assert len(figures(app)) == 1
    assert "projection='pca'" in app.code[0].value


@pytest.fixture
def umap_worker():
    """A process of this one that looks like the worker of a run's UMAP."""
    started = []

    def start(folder):
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", str(folder), "umap"]))

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_while_a_umap_is_computed_the_page_says_how_far_it_is(open_page, texts, make_run_folder, umap_worker):
    folder = make_run_folder()
    umap_worker(folder)
    app = open_page("embeddings", projection="umap")
    assert "being computed" in texts(app)
    (bar,) = app.get("progress")
    assert bar.proto.text == "starting"  # what its log ends with is of the run itself
    with (folder / "log.txt").open("a") as log:
        log.write("12:34:56 UMAP of the student (2 of 2)\n")
    (bar,) = app.run().get("progress")
    assert bar.proto.text == "student \\(2 of 2\\), since 12\\:34\\:56"
    assert bar.proto.value == 50
    assert "Compute the UMAP now" not in labels(app)


def test_a_umap_that_failed_is_told_and_may_be_tried_again(open_page, make_run_folder):
    status = make_run_folder() / "status.json"
    told = {"warnings": ["the UMAP could not be computed: MemoryError: <too little>"]}
    status.write_text(json.dumps(json.loads(status.read_text()) | told))
    app = open_page("embeddings", projection="umap")
    assert "\\<too little\\>" in app.warning[0].value
    assert "Compute the UMAP now" in labels(app)


def test_an_example_without_umap_is_copied_not_changed(open_page, texts, make_run_folder, monkeypatch):
    make_run_folder()
    monkeypatch.setattr("workbench.pages.umap_request.is_example", lambda run: True)
    app = open_page("embeddings", projection="umap")
    assert "distil it yourself" in texts(app)
    assert "Compute the UMAP now" not in labels(app)


@pytest.mark.parametrize(
    "choice", [{"right-epoch": "20"}, {"left": "student", "left-epoch": "20"}, {"right-run": "other"}]
)
def test_a_umap_is_of_one_runs_best_epoch_and_the_pca_is_shown_otherwise(open_page, make_run_folder, choice):
    make_run_folder("other-run-0123456789ab", umap=True, seed=5)
    make_run_folder(umap=True)
    choice = {name: "other-run-0123456789ab" if value == "other" else value for name, value in choice.items()}
    app = open_page("embeddings", run=RUN, projection="umap", **choice)
    assert not app.exception
    assert "This is the PCA" in app.info[0].value
    assert len(figures(app)) == 1
    assert "projection='pca'" in app.code[0].value
