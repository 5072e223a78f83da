"""Every dataset says what it is, without torch, and what its card says is true."""

import subprocess
import sys

import pytest

from workbench.datasets import load_dataset, measure
from workbench.errors import UsageError
from workbench.registry import datasets

BUILTIN = [name for name in datasets.builtin_names() if name.startswith("builtin-")]
PLANETOID = ["cora", "citeseer", "pubmed"]
DYNAMIC = ["enron", "uci", "ml-10m", "bitcoin-otc", "bitcoin-alpha", "radoslaw-email", "digg-reply"]
VGRNN = ["vgrnn-enron10", "vgrnn-dblp", "vgrnn-fb"]
ARCHIVES = [
    *("amazon-photo", "amazon-computers", "coauthor-cs", "cora-ml", "dblp-citation"),
    *("minesweeper", "tolokers", "chameleon-filtered", "squirrel-filtered"),
]
LARGE = ["coauthor-physics"]  # 1.2 GB of features
DRAWN = {"builtin-citation", "builtin-communities", "builtin-motifs", "builtin-shapes"}


def test_the_names_on_the_command_line_are_all_there():
    drawn = {*DRAWN, "builtin-digits", "builtin-karate"}
    assert {*drawn, *PLANETOID, *DYNAMIC, *VGRNN, *ARCHIVES, *LARGE, "own", "own-events"} <= set(
        datasets.builtin_names()
    )


@pytest.mark.parametrize("name", datasets.builtin_names())
def test_a_card_has_what_a_person_needs(name):
    config = datasets[name]
    card = config.card
    assert card.title == config.title
    assert all((card.summary, card.citation, card.licence))
    assert config.__doc__
    assert config.version >= 1


def test_cards_are_read_without_torch():
    program = (
        "import sys; from workbench.registry import datasets; cards = [datasets[n].card.title for n in datasets];"
        "heavy = {'torch', 'torch_geometric', 'sklearn', 'pandas', 'scipy', 'networkx'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy or len(cards) < 7 else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def figures_hold(name, root=None):
    card, found = datasets[name].card, measure(load_dataset(name, root))
    assert set(card.measured) == set(found)
    assert found == pytest.approx(dict(card.measured), abs=5e-5)
    assert {key: found[key] for key in card.published} == dict(card.published)


@pytest.mark.parametrize("name", BUILTIN)
def test_the_figures_on_a_built_in_card_are_measured(name, tmp_path):
    figures_hold(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", PLANETOID)
def test_the_figures_on_a_planetoid_card_are_measured(name, planetoid_root):
    figures_hold(name, planetoid_root)


@pytest.mark.parametrize("name", [*ARCHIVES, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)])
def test_the_figures_on_the_card_of_an_archive_are_measured(name, archives_root):
    figures_hold(name, archives_root)


@pytest.mark.parametrize("name", [*DYNAMIC, *VGRNN])
def test_the_figures_on_the_card_of_a_graph_that_changes_are_measured(name, dynamic_root):
    figures_hold(name, dynamic_root)


def test_only_what_is_drawn_is_called_synthetic():
    assert {name for name in datasets.builtin_names() if datasets[name].card.synthetic} == DRAWN


def test_an_unknown_dataset_is_refused_with_a_suggestion():
    with pytest.raises(UsageError, match="did you mean 'citeseer'"):
        load_dataset("citeser")
