"""Sweeps in the view in which runs are watched."""

import os
import time

import psutil
import pytest

from workbench.pages.sweep_rows import POLL_SECONDS, progress_text
from workbench.runs.status import HOST
from workbench.runs.sweep_progress import SweepProgress, SweepRecord, write_record


@pytest.fixture
def store(runs_root):
    """``store("a", "b", alive=True)`` stores a sweep with these runs."""

    def write(*runs, alive=True, name="my *grid*"):
        pid = os.getpid() if alive else 2**22 + 1
        own = {"pid": pid, "process_started": psutil.Process().create_time(), "host": HOST}
        record = SweepRecord(
            name=name,
            id=f"{hash(runs) % 16**12:012x}",
            runs=runs,
            started=time.time() - 60,
            engine="local",
            slots=2,
            **own,
        )
        write_record(runs_root, record)

    return write


@pytest.fixture
def polls(monkeypatch):
    """How often each fragment would draw itself again, in seconds, or None."""
    import streamlit as st

    found = {}
    real = st.fragment

    def fragment(func, *, run_every=None):
        found[func.__module__.rpartition(".")[2]] = run_every
        return real(func)

    monkeypatch.setattr(st, "fragment", fragment)
    return found


def expander_labels(app):
    return [expander.label for expander in app.expander]


def test_without_a_sweep_there_is_no_row(open_page, make_run_folder):
    make_run_folder("first")
    app = open_page("distil", view="watch")
    assert not app.exception
    assert not any(label.startswith("Sweeps") for label in expander_labels(app))


def test_a_sweep_that_goes_on_is_polled_and_says_how_far_it_is(open_page, make_run_folder, store, polls, texts):
    make_run_folder("first")
    make_run_folder("second", state="running")
    store("first", "second", "third")
    app = open_page("distil", view="watch")
    assert not app.exception
    assert "Sweeps: 1" in expander_labels(app)
    assert r"my \*grid\*" in texts(app)
    assert polls["sweep_rows"] == POLL_SECONDS


def test_a_sweep_that_is_over_is_not_polled(open_page, make_run_folder, store, polls, texts):
    make_run_folder("first")
    store("first", "second", alive=False)
    app = open_page("distil", view="watch")
    assert not app.exception
    assert "Sweeps: 1" in expander_labels(app)
    assert polls["sweep_rows"] is None
    assert "goes on where it was" in texts(app)


def test_a_sweep_whose_runs_were_all_deleted_is_gone(open_page, make_run_folder, store):
    make_run_folder("another")
    store("first", alive=False)
    assert not any(label.startswith("Sweeps") for label in expander_labels(open_page("distil", view="watch")))


def test_counts_that_are_nought_are_left_out():
    some = SweepProgress(total=40, done=12, failed=1, running=2, waiting=25, alive=True, eta_seconds=30.0)
    assert progress_text(some).startswith("12 of 40 done · 1 failed · 2 running · 25 waiting · about ")
    none = SweepProgress(total=3, done=3, failed=0, running=0, waiting=0, alive=False)
    assert progress_text(none) == "3 of 3 done"
