"""A run from its launch to the trash and back, in a real browser: started, watched, stopped, deleted, had back."""

import os
import time
from pathlib import Path

import pytest
import yaml
from run_folders import SPEC, write_run

from workbench.runs.store import list_runs

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

LONG = "karate-long-s0-0123456789ab"  # a spec that would train for minutes, to be copied
PATIENCE = 120  # seconds: a launch imports torch twice


@pytest.fixture(scope="module")
def environment(chromium, tmp_path_factory):
    root = tmp_path_factory.mktemp("distil") / "runs"
    folder = write_run(root, LONG, state="stopped")
    training = {"epochs": 100_000, "patience": 0}
    (folder / "spec.yaml").write_text(yaml.safe_dump(SPEC | {"training": training, "teacher_training": {"epochs": 20}}))
    return {**os.environ, "WORKBENCH_RUNS": str(root), "OMP_NUM_THREADS": "1"}


def test_a_run_is_launched_stopped_deleted_and_had_back(page, server, environment, settle):
    root = Path(environment["WORKBENCH_RUNS"])

    def started():
        return [run for run in list_runs(root) if run.id != LONG]

    page.set_viewport_size({"width": 1280, "height": 900})
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{server}/distil?copy={LONG}")
    page.get_by_role("button", name="Launch").click()
    page.wait_for_url("**view=watch*")
    page.get_by_text("student · epoch").first.wait_for()
    page.get_by_text("Student: weighted loss terms").first.wait_for()  # the curves of a run that is going on
    (run,) = started()
    assert run.status.alive

    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Resume").first.wait_for()  # a redrawn one stands beside the old one
    wait_until(lambda: run.status.state == "stopped" and not run.status.alive)
    page.get_by_role("button", name="Stop", exact=True).first.wait_for(state="detached")

    settle(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_text(f"Run {run.id} was deleted.").wait_for()
    wait_until(lambda: not started())
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").wait_for(state="detached")
    page.wait_for_url(f"**run={run.id}*")
    page.get_by_role("button", name="Resume").first.wait_for()  # a redrawn one stands beside the old one
    assert [(back.id, back.status.state) for back in started()] == [(run.id, "stopped")]
    assert page.faults == []


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
