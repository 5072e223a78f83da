"""Adding a method is adding one file: the example of CONTRIBUTING.md, in a folder of plug-ins, is everywhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The environment of a person who put ``toy.py`` into their plug-in folder."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    example = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if '"toy"' in block)
    plugins = tmp_path_factory.mktemp("plugins")
    (plugins / "toy.py").write_text(example, encoding="utf-8")
    runs = tmp_path_factory.mktemp("runs")
    return {**os.environ, "WORKBENCH_PLUGINS": str(plugins), "WORKBENCH_RUNS": str(runs), "OMP_NUM_THREADS": "1"}


def python(environment, *arguments):
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=280
    )


def test_the_command_line_lists_it_with_its_options(environment):
    done = python(environment, "-m", "workbench", "methods", "--json")
    assert done.returncode == 0, done.stderr
    (toy,) = [entry for entry in json.loads(done.stdout) if entry["name"] == "toy"]
    assert [option["name"] for option in toy["options"]] == ["weight"]


def test_the_command_line_distils_with_it(environment):
    done = python(
        environment, "-m", "workbench", "distill", "builtin-karate", "--teacher", "gcn", "--method", "toy",
        "--toy.weight", "2", "--training.epochs", "3", "--teacher-training.epochs", "3", "--device", "cpu", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    lines = (Path(environment["WORKBENCH_RUNS"]) / run["id"] / "metrics.jsonl").read_text().splitlines()
    terms = json.loads(lines[-1])["terms"]
    assert terms["toy"]["weight"] == 2
    assert terms["toy"]["gradient"] > 0


def test_the_generic_tests_run_over_it(environment):
    done = python(environment, "-m", "pytest", "tests/methods", "-k", "toy", "-v", "-p", "no:cacheprovider",
                  "--deselect", "tests/methods/test_plugin_method.py")  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert len(re.findall(r"\[toy\] PASSED", done.stdout)) >= 3, done.stdout


FORM = """
from streamlit.testing.v1 import AppTest

page = "from workbench.pages.distil import show; show()"
app = AppTest.from_string(page, default_timeout=120).run()
assert not app.exception, app.exception
methods = next(widget for widget in app.multiselect if widget.label.startswith("Method"))
methods.set_value(["toy"]).run()
assert not app.exception, app.exception
weight = next(widget for widget in app.number_input if "-method-toy-weight" in widget.key)
weight.set_value(2.0).run()
assert not app.exception, app.exception
assert any("--toy.weight 2" in code.value for code in app.code), [code.value for code in app.code]
"""


def test_the_apps_form_offers_it_with_its_option(environment):
    done = python(environment, "-c", FORM)
    assert done.returncode == 0, done.stderr
