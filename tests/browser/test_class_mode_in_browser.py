"""Class mode in a real browser: only the chosen controls are there, on this page and on the next one."""

import re

import pytest

from workbench.runs.store import demo_runs

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

KD = next(run for run in demo_runs() if run.id.startswith("builtin-citation-kd"))
CASES = {"both right", "teacher only", "student only", "both wrong"}
DRAWN = "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
TRACES = "plot => plot._fullData.map(trace => trace.name)"
PATIENCE = 60_000  # ms


@pytest.fixture
def page(page):
    page.set_viewport_size({"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    return page


def test_hidden_controls_keep_their_values_and_stay_hidden_on_the_next_page(page, server, settle, chosen):
    hidden = "navigation,code,split,kernel,colour"
    page.goto(f"{server}/gap?run={KD.id}&split=validation&mode=class&hide={hidden}")
    page.get_by_text("of 500 nodes").first.wait_for()  # of validation, though nobody can see that it is chosen
    settle(page)
    assert page.get_by_text("Copy as Python or as a command").count() == 0
    assert chosen(page, "Nodes") is None
    assert chosen(page, "Bars by") == "Degree"
    playwright.expect(page.get_by_test_id("stTopNav")).to_have_count(0)

    page.get_by_role("link", name="Look at the neighbourhood of node").click()
    page.get_by_role("heading", name="Local structure").wait_for()
    page.wait_for_url("**mode=class*")
    settle(page)
    playwright.expect(page.get_by_test_id("stTopNav")).to_have_count(0)
    assert page.get_by_text("Copy as Python or as a command").count() == 0
    assert chosen(page, "Similarity") is None
    assert chosen(page, "Divergence KL") == "right ‖ left"
    assert page.faults == []


def test_a_link_for_a_class_is_built_on_the_page_and_ends_with_the_full_mode(page, server, settle, chosen):
    page.goto(f"{server}/embeddings?run={KD.id}&colour=agreement")
    settle(page)
    page.get_by_role("button", name="Link to this view").click()
    built = page.locator("[data-testid=stCode]").filter(has_text="mode=class")
    leave_out(page, "Menu of pages")
    built.filter(has_text=re.compile("hide=navigation$")).wait_for()
    page.wait_for_function(DRAWN)  # a choice that is made before may be lost
    leave_out(page, "Colour")
    built.filter(has_text=re.compile("hide=navigation,colour$")).wait_for()
    address = built.text_content().strip()
    assert address.startswith(server)

    page.goto(address)
    page.locator(".js-plotly-plot").get_by_text("both wrong").first.wait_for()
    settle(page)
    assert chosen(page, "Colour") is None
    assert set(page.locator(".js-plotly-plot").evaluate(TRACES)) == CASES
    playwright.expect(page.get_by_test_id("stTopNav")).to_have_count(0)

    page.goto(address.replace("mode=class", "mode=full"))
    page.get_by_role("combobox", name="Colour").wait_for()
    assert "mode=" not in page.url
    playwright.expect(page.get_by_test_id("stTopNav")).to_have_count(1)
    assert page.faults == []


def leave_out(page, name):
    """Choose one more thing that a class shall not see; the list of them may have closed in between."""
    option = page.get_by_role("option", name=name, exact=True)
    if not option.is_visible():
        page.get_by_role("combobox", name="For a class, without").click()
    option.click()
