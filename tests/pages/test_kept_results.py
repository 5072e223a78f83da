"""What the app keeps of run folders between two looks: never more than a bounded number, and never of other files."""

import ast
import os
from pathlib import Path

import numpy as np
import pytest

from workbench import pages
from workbench.pages.side_key import stamp
from workbench.runs.folder import Run

SOURCES = sorted(Path(pages.__file__).parent.glob("*.py"))


def caches(source):
    """Every ``st.cache_data`` and ``st.cache_resource`` of a file: where it is, and the names of its options."""
    tree = ast.parse(source.read_text())
    found = {
        node.lineno: () for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr.startswith("cache_")
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith("cache_"):
            found[node.func.lineno] = [keyword.arg for keyword in node.keywords]
    return found


def test_there_are_results_that_are_kept():
    assert sum(len(caches(source)) for source in SOURCES) > 10


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_nothing_is_kept_without_bound(source):
    unbounded = [line for line, options in caches(source).items() if not {"max_entries", "ttl"} & set(options)]
    assert unbounded == []


@pytest.fixture
def run(make_run_folder):
    return Run(make_run_folder())


def test_the_stamp_of_files_that_stay_the_same_stays_the_same(run):
    assert stamp(run) == stamp(Run(run.path))


def test_a_file_that_is_older_than_another_one_has_a_part_in_the_stamp(run):
    before, arrays = stamp(run), run.path / "arrays"
    newest = max(file.stat().st_mtime_ns for file in arrays.glob("*.npz"))
    os.utime(arrays / "student.npz", ns=(newest - 10**9, newest - 10**9))
    assert stamp(run) != before


def test_a_file_that_is_gone_or_longer_changes_the_stamp(run):
    teacher = run.path / "arrays/teacher.npz"
    state, before = teacher.stat(), stamp(run)
    np.savez(teacher, embedding=np.zeros((30, 100)), logits=np.zeros((30, 3)))
    os.utime(teacher, ns=(state.st_atime_ns, state.st_mtime_ns))
    longer = stamp(run)
    teacher.unlink()
    assert len({before, longer, stamp(run)}) == 3


def test_a_run_without_arrays_has_a_stamp(tmp_path):
    assert stamp(Run(tmp_path)) == stamp(Run(tmp_path / "nowhere"))
