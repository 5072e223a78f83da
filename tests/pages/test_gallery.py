"""The Gallery: light, complete, and calm about damaged folders."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench.pages.presets import PRESETS
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


def test_without_runs_the_gallery_says_where_to_begin(open_page, texts):
    app = open_page("gallery")
    assert not app.exception
    assert "None yet" in texts(app)


def test_examples_are_shown_as_cards_with_their_story(open_page, texts, make_run_folder, monkeypatch):
    example = Run(make_run_folder())
    monkeypatch.setattr("workbench.pages.gallery.demo_runs", lambda: [example])
    app = open_page("gallery")
    assert not app.exception
    assert "The student is 12.3 × smaller and 6.2 points worse than its teacher." in texts(app)
    assert "12.3 k → 1,000 parameters · 30 nodes" in texts(app)


@pytest.mark.parametrize("state", ["done", "running", "queued", "failed", "stopped", "lost"])
def test_a_run_of_any_state_is_listed(open_page, texts, make_run_folder, state):
    make_run_folder(state=state)
    app = open_page("gallery")
    assert not app.exception
    assert "builtin\\-karate · gcn → gcn · kd · seed 0" in texts(app)


def test_a_finished_run_shows_what_came_out(open_page, texts, make_run_folder):
    make_run_folder()
    assert "91.2 % → **85.0 %** at 12.3 × smaller" in texts(open_page("gallery"))


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
