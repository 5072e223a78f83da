"""An address with choices that are not the usual ones, opened in a fresh tab: the same things are chosen and drawn."""

import pytest

from workbench.runs.store import demo_runs

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

BRIGHTNESS = """() => {
    const of = colour => colour.match(/[\\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part) / 765, 0);
    const texts = [...document.querySelectorAll('.js-plotly-plot :is(.xtick, .ytick) text')];
    const app = getComputedStyle(document.querySelector('[data-testid=stApp]'));
    return [of(app.backgroundColor), texts.map(text => of(getComputedStyle(text).fill))];
}"""
PATIENCE = 60_000  # ms


def example(start):
    """The finished example whose name begins like this."""
    return next(run for run in demo_runs() if run.id.startswith(start))


KD, ABKD, MOVING = (example(f"builtin-{name}") for name in ("citation-kd", "citation-abkd", "communities"))
ADDRESSES = {  # page -> what stands in its address, what its controls then say, and how many figures there are
    "": ({}, {}, 0),
    "distil": (
        {"preset": "karate", "method": "fitnet"},
        {"Dataset": "Karate club (builtin-karate)", "View": "Set up a run"},
        0,
    ),
    "embeddings": (
        {"run": KD.id, "left": "student", "left-epoch": "50", "right-run": ABKD.id, "right": "teacher"}
        | {"colour": "degree", "projection": "pca", "dimensions": "2"},
        {"Left": f"{KD.title} · example", "Right": f"{ABKD.title} ({ABKD.id[-12:]})", "Colour": "Degree"},
        1,
    ),
    "layers": (
        {"run": ABKD.id, "map": "dissimilarity", "map-epoch": "100", "pair": "4-1", "node": "12"},
        {"Map": "ABKD dissimilarity", "Map of epoch": "100", "Pair": "layer 4 × layer 1", "Node": "12"},
        3,
    ),
    "local": (
        {"run": KD.id, "node": "12", "kernel": "linear", "direction": "teacher_student", "right-epoch": "50"},
        {"Node": "12", "Similarity": "Linear, zᵢᵀzⱼ", "Divergence KL": "left ‖ right", "Right, after epoch": "50"},
        2,
    ),
    "gap": (
        {"run": KD.id, "split": "validation", "by": "homophily", "projection": "umap", "unit": "share"}
        | {"bin": "20–40 %", "case": "both wrong"},
        {"Nodes": "Validation", "Bars by": "Homophily", "Map": "UMAP", "Confusion in": "Share of class"}
        | {"Bin": "20–40 %", "Case": "both wrong"},
        3,
    ),
    "dynamic": (
        {"run": MOVING.id, "figure": "scores", "step": "6"},
        {"Left": f"{MOVING.title} · example", "Figure": "Link scores", "Online step": "snapshot 6 → 7"},
        1,
    ),
    "compare": (
        {"cost": "bytes", "baseline": "none", "method": "kd", "whose": "examples"},
        {"Cost": "Size", "Baseline": "None"},
        2,
    ),
    "real": ({"run": KD.id, "seeds": "3"}, {"Run": f"{KD.title} · example", "Seeds": "3"}, 1),
    "learn": (
        {"paper": "lsp", "local-place": "-1.0", "local-kernel": "laplace", "local-order": "teacher-first"},
        {"Method": "LSP", "Student's node A, first feature": "-1.0", "Kernel": "laplace"}
        | {"Order of the divergence": "teacher ‖ student"},
        1,
    ),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_opens_with_its_choices_and_without_an_error(page, server, settle, chosen, name, scheme):
    given, controls, figures = ADDRESSES[name]
    page.set_default_timeout(PATIENCE)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{server}/{name}?" + "&".join(f"{key}={value}" for key, value in given.items()))
    page.get_by_role("heading").first.wait_for()
    page.wait_for_function("count => document.querySelectorAll('.js-plotly-plot').length === count", arg=figures)
    settle(page)
    assert {label: chosen(page, label) for label in controls} == controls
    assert page.get_by_test_id("stToast").count() == 0  # nothing had to be replaced
    assert page.get_by_test_id("stException").count() == 0
    background, texts = page.evaluate(BRIGHTNESS)
    assert (background < 0.2) == (scheme == "dark")
    assert all(abs(text - background) > 0.3 for text in texts)
    assert page.faults == []
