"""Tables and figures that a person takes away."""

import csv
import shutil
import subprocess

import numpy as np
import pytest

from workbench.pages.shown import as_csv, as_latex


def test_csv_has_a_header_and_a_line_per_row():
    table = as_csv({"node": np.arange(2), "what": ["train", "a, b"], "x": np.array([0.5, 1.5])})
    assert list(csv.reader(table.splitlines())) == [["node", "what", "x"], ["0", "train", "0.5"], ["1", "a, b", "1.5"]]


def test_latex_aligns_numbers_to_the_right_and_escapes_what_latex_reads():
    lines = as_latex({"name_%": ["50 % & more", "a_b → c ± 1"], "score": np.array([0.123456789, 2.0])}).splitlines()
    assert lines[0] == r"\begin{tabular}{lr}"
    assert lines[2] == r"name\_\% & score \\"
    assert lines[4] == r"50 \% \& more & 0.1235 \\"
    assert lines[5] == r"a\_b $\rightarrow$ c $\pm$ 1 & 2 \\"
    assert lines[-1] == r"\end{tabular}"


def test_a_missing_value_is_an_empty_cell():
    assert r"a &  \\" in as_latex({"name": ["a"], "p": [None]})
    assert as_csv({"name": ["a"], "p": [None]}).splitlines()[1] == "a,"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX on this machine")
def test_latex_takes_the_table(tmp_path):
    body = as_latex({"name": [r"\~^{}#$_&%"], "x": [1]})
    text = r"\documentclass{article}\usepackage{booktabs}\begin{document}" + body + r"\end{document}"
    (tmp_path / "table.tex").write_text(text)
    subprocess.run(["pdflatex", "-halt-on-error", "table.tex"], cwd=tmp_path, check=True, capture_output=True)
