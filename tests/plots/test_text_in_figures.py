"""Text of people in figures is shown letter by letter; choices that there are not are named."""

import pytest
import yaml

from workbench import plots
from workbench.errors import UsageError, check_choice
from workbench.plots.markup import as_text
from workbench.runs.folder import Run

MARKUP = "<b>kd</b><br>%{x} $y$ &amp;"
OF_TWO = (
    "embeddings", "knowledge_gap", "gap_slices", "confusion_difference", "neighbourhood", "layer_pairs",
)  # fmt: skip


def test_nothing_is_left_that_plotly_would_read():
    assert as_text(MARKUP) == "&lt;b&gt;kd&lt;/b&gt;&lt;br&gt;%&#123;x} &#36;y&#36; &amp;amp;"
    assert as_text("“KD”, it's (T 2)") == "“KD”, it's (T 2)"


@pytest.mark.parametrize("view", OF_TWO)
def test_markup_in_the_name_of_a_method_is_text_in_the_figure(make_run_folder, view):
    folders = make_run_folder(), make_run_folder("other-run-0123456789ab", seed=5)
    spec = yaml.safe_load((folders[0] / "spec.yaml").read_text())
    (folders[0] / "spec.yaml").write_text(yaml.safe_dump({**spec, "method": [{"name": MARKUP}]}))
    drawn = getattr(plots, view)(*map(Run, folders)).to_json().replace("\\u003c", "<").replace("\\u003e", ">")
    drawn = drawn.replace("\\u0026", "&")
    assert "<b>kd" not in drawn
    assert "%{x} $y$" not in drawn
    assert as_text(MARKUP)[:12] in drawn


def test_a_choice_that_there_is_not_is_named_with_those_that_there_are():
    check_choice("colour", "class", ("class", "degree"))
    with pytest.raises(UsageError, match=r"unknown colour 'clas': .*class.*choose one of class, degree"):
        check_choice("colour", "clas", ("class", "degree"))
    for wrong in (None, 3, ["class"]):
        with pytest.raises(UsageError, match="unknown colour"):
            check_choice("colour", wrong, {"class": 1})
