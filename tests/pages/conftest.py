"""Pages opened as a browser opens them, without one."""

import pytest
from streamlit.testing.v1 import AppTest

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
def texts():
    """Everything that a page says, as one string."""

    def of(app):
        kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info", "toast")
        said = [element.value for kind in kinds for element in app.get(kind) if hasattr(element, "value")]
        said += [f"{metric.label}: {metric.value}" for metric in app.metric]
        return "\n".join(str(text) for text in said)

    return of
