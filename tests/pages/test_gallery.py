"""The Gallery: light, complete, and calm about damaged folders."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from streamlit.testing.v1 import AppTest

from workbench.pages.gallery import STORY
from workbench.pages.presets import PRESETS
from workbench.pages.tasks import task_of
from workbench.pages.wording import relative_size
from workbench.runs.folder import Run
from workbench.spec import Spec

APP = Path(__file__).parents[2] / "app.py"


def test_the_app_opens_with_the_gallery(runs_root):
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not app.exception
    assert app.title[0].value.startswith("Distil a large graph neural network")


def test_the_first_paint_needs_no_torch(make_run_folder):
    make_run_folder()
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        f"app = AppTest.from_file({str(APP)!r}, default_timeout=60).run();"
        "assert not app.exception and app.title;"
        "print([m for m in ('torch', 'torch_geometric', 'umap', 'sklearn', 'numba') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ), check=True
    )
    assert done.stdout.strip() == "[]"


def test_without_runs_the_gallery_says_where_to_begin(open_page, texts, no_examples):
    app = open_page("gallery")
    assert not app.exception
    assert not app.metric
    assert "None yet" in texts(app)


def test_examples_are_cards_and_without_words_of_their_own_say_what_was_achieved(
    open_page, texts, make_run_folder, monkeypatch
):
    example = Run(make_run_folder())
    (example.path / STORY).write_text("")
    monkeypatch.setattr("workbench.pages.gallery.demo_runs", lambda: [example])
    app = open_page("gallery")
    assert not app.exception
    assert "The student is 12.3 × smaller and 6.2 points worse than its teacher." in texts(app)
    assert "12.3 k → 1,000 parameters · 1.25 ms → 1.25 ms a pass · 30 nodes" in texts(app)


def test_an_example_tells_its_own_story_where_it_has_one(open_page, texts, make_run_folder, monkeypatch):
    folder = make_run_folder()
    (folder / STORY).write_text("A student of *two* units.\n")
    monkeypatch.setattr("workbench.pages.gallery.demo_runs", lambda: [Run(folder)])
    said = texts(open_page("gallery"))
    assert r"A student of \*two\* units\." in said
    assert "than its teacher" not in said


def told(examples):
    """Those that the Gallery shows."""
    return [example for example in examples if (example.path / STORY).is_file()]


def test_the_first_look_shows_what_the_examples_achieved(open_page, texts, examples):
    app = open_page("gallery")
    assert not app.exception
    shown = [(metric.label, metric.value) for metric in app.metric]
    leads_to = [unquote(link.proto.query_string) for link in app.get("page_link")]
    for example in told(examples):
        result = example.result
        metric, label = ("auc", "AUC") if "steps" in result else ("accuracy", "Test accuracy")
        before, after = (100 * result[role]["metrics"]["test"][metric] for role in ("teacher", "student"))
        assert (label, f"{before:.1f} % → {after:.1f} %") in shown
        assert ("The student is", relative_size(result["compression"])) in shown
        assert any(f"run={example.id}" in query for query in leads_to)


NEEDED = {  # the arrays without which an example shows nothing
    "node classification": {"graph", "teacher", "student", "umap"},
    "graph classification": {"clouds", "teacher", "student"},
    "link prediction": {"sequence"},
}


def test_every_example_is_complete_and_says_what_it_shows(examples):
    for example in examples:
        assert example.status.state == "done"
        assert NEEDED[task_of(example)] - {"umap"} <= set(example.array_names())
    for example in told(examples):
        assert NEEDED[task_of(example)] <= set(example.array_names())
        story = (example.path / STORY).read_text()
        assert story.count("\n") == 1, "one line"
        assert "Without a teacher" in story


def test_an_example_without_a_story_is_there_to_compare_with_and_no_card(open_page, examples):
    quiet = {example.id for example in examples} - {example.id for example in told(examples)}
    assert quiet, "the student alone stands beside one of the examples"
    leads_to = "".join(unquote(link.proto.query_string) for link in open_page("gallery").get("page_link"))
    assert not any(id in leads_to for id in quiet)


def test_numbers_that_were_not_finite_are_dashes(open_page, texts, make_run_folder, lose_numbers, monkeypatch):
    folder = make_run_folder()
    (folder / STORY).write_text("A student.\n")
    lose_numbers(folder)
    monkeypatch.setattr("workbench.pages.gallery.demo_runs", lambda: [Run(folder)])
    app = open_page("gallery")
    assert not app.exception
    assert app.metric[0].value == "– → –"
    assert "– → **–**, 12.3 × smaller" in texts(app)


@pytest.mark.parametrize("state", ["done", "running", "queued", "failed", "stopped", "lost"])
def test_a_run_of_any_state_is_listed(open_page, texts, make_run_folder, state):
    make_run_folder(state=state)
    app = open_page("gallery")
    assert not app.exception
    assert "builtin\\-karate · gcn → gcn · kd · seed 0" in texts(app)


def test_a_finished_run_shows_what_came_out(open_page, texts, make_run_folder):
    make_run_folder()
    assert "91.2 % → **85.0 %**, 12.3 × smaller" in texts(open_page("gallery"))


def test_a_failed_run_shows_why(open_page, texts, make_run_folder):
    make_run_folder(state="failed")
    assert "not enough memory: lower the width".replace(":", "\\:") in texts(open_page("gallery"))


@pytest.mark.parametrize("damage", ["spec.yaml", "status.json", "result.json"])
def test_a_half_written_folder_does_not_stop_the_page(open_page, make_run_folder, damage):
    make_run_folder("good-run-0123456789ab", seed=1)
    (make_run_folder("half-run-0123456789ab") / damage).write_text("{half")
    app = open_page("gallery")
    assert not app.exception


def test_names_are_shown_as_they_are_written(open_page, texts, make_run_folder):
    folder = make_run_folder()
    text = (folder / "spec.yaml").read_text().replace("builtin-karate", "<b>*bold*</b> $x$ :red[y]")
    (folder / "spec.yaml").write_text(text)
    said = texts(open_page("gallery"))
    assert r"\<b\>\*bold\*\</b\> \$x\$ \:red\[y\]" in said


@pytest.mark.parametrize("name", PRESETS)
def test_every_starting_point_is_a_valid_spec(name):
    assert Spec.parse(dict(PRESETS[name].document)).dataset.name
