"""Lists and cards of datasets, models and methods."""

import pytest

from workbench.options import describe
from workbench.registry import datasets, methods, models

KINDS = {"datasets": datasets, "models": models, "methods": methods}


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_names_every_component(command_line, kind):
    document = command_line.json(kind)
    assert [entry["name"] for entry in document] == KINDS[kind].names()
    text = command_line(kind)
    assert text.exit_code == 0
    assert all(name in text.stdout for name in KINDS[kind].names())


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in KINDS[kind].builtin_names()])
def test_a_card_shows_every_option_with_its_flag_and_bounds(command_line, kind, name):
    infos = describe(KINDS[kind][name])
    document = command_line.json(kind, name)
    assert document["name"] == name
    assert [option["name"] for option in document["options"]] == [info.name for info in infos]
    assert [option["low"] for option in document["options"]] == [info.low for info in infos]
    text = command_line(kind, name)
    assert text.exit_code == 0
    prefix = {"datasets": "dataset", "models": "student", "methods": name}[kind]
    assert all(f"--{prefix}.{info.name.replace('_', '-')}" in text.stdout for info in infos)


def test_a_methods_card_cites_its_paper(command_line):
    paper = command_line.json("methods", "kd")["paper"]
    assert paper["year"] == 2015
    assert paper["url"] == "https://arxiv.org/abs/1503.02531"


def test_a_datasets_card_says_whether_it_is_on_disk(command_line):
    ready = {entry["name"]: entry["ready"] for entry in command_line.json("datasets")}
    assert ready["builtin-karate"] is True
    assert ready["cora"] is False
