"""Pages opened as a browser opens them, without one."""

import json
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from workbench.runs.folder import Run
from workbench.runs.store import demo_runs
from workbench.spec import Spec

SCRIPT = "from workbench.pages.{page} import show\nshow()\n"
SECONDS = 60  # the first page of a process imports torch


@pytest.fixture
def open_page(runs_root):
    """``open_page("embeddings", run="…", colour="class")`` draws one page at that address."""

    def open_at(page, **address):
        app = AppTest.from_string(SCRIPT.format(page=page), default_timeout=SECONDS)
        app.query_params.update(address)
        return app.run()

    return open_at


@pytest.fixture
def no_examples(monkeypatch):
    """As if the workbench came without finished examples."""
    for module in ("frame", "gallery"):
        monkeypatch.setattr(f"workbench.pages.{module}.demo_runs", list)


@pytest.fixture
def examples():
    """The finished examples that come with the workbench."""
    found = demo_runs()
    assert found, "assets/runs is empty: python docs/make_demo_runs.py fills it"
    return found


@pytest.fixture
def lose_numbers():
    """``lose_numbers(folder)``: every metric of a run was not finite, which files say with null."""

    def null(document):
        return {key: null(value) if isinstance(value, dict) else None for key, value in document.items()}

    def lose(folder):
        result = json.loads((folder / "result.json").read_text())
        for role in ("teacher", "student"):
            result[role] |= {"metrics": null(result[role]["metrics"]), "latency_ms": None}
        (folder / "result.json").write_text(json.dumps(result))
        records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        lost = [record | {"loss": None} | null({key: record[key] for key in ("val", "train")}) for record in records]
        for record in lost:
            record["terms"] = {name: {**null(term), "weight": 0.5} for name, term in record["terms"].items()}
        (folder / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in lost))

    return lose


@pytest.fixture
def texts():
    """Everything that a page says, as one string."""

    def of(app):
        kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info", "toast")
        said = [element.value for kind in kinds for element in app.get(kind) if hasattr(element, "value")]
        said += [f"{metric.label}: {metric.value}" for metric in app.metric]
        return "\n".join(str(text) for text in said)

    return of


@pytest.fixture
def launched(monkeypatch, make_run_folder):
    """Launches are recorded instead of carried out; the first one of a spec says that it started."""
    import workbench.runs.launch as module

    specs: list[Spec] = []

    def launch(spec, root=None, fresh=False, progress=None):
        progress("reading", 0.5)
        folder = make_run_folder(f"launched-{len(specs)}", state="running", seed=spec.seed)
        specs.append(spec)
        return SimpleNamespace(run=Run(folder), status="started", notes=["a note: *for* people"])

    monkeypatch.setattr(module, "launch", launch)
    return specs
