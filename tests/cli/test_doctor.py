"""``workbench doctor`` looks and touches nothing."""

import json

from workbench.registry import datasets


def test_it_reports_versions_devices_datasets_and_roots(command_line):
    document = command_line.json("doctor")
    assert document["packages"]["torch"]
    assert document["devices"][0]["device"] == "cpu"
    assert document["datasets"]["builtin-karate"] is True
    assert document["roots"]["runs"]["path"] == str(command_line.folder / "runs")
    assert document["roots"]["runs"]["writable"] is True
    assert document["problems"] == []
    assert list(command_line.folder.iterdir()) == []
    text = command_line("doctor")
    assert text.exit_code == 0
    assert "builtin-karate" in text.stdout


def test_a_root_that_cannot_be_written_is_a_problem(command_line, tmp_path_factory, monkeypatch):
    file = tmp_path_factory.mktemp("roots") / "file"
    file.write_text("")
    monkeypatch.setenv("WORKBENCH_RUNS", str(file))
    found = command_line("doctor", "--json")
    assert found.exit_code == 1
    document = json.loads(found.stdout)
    assert document["roots"]["runs"]["writable"] is False
    assert any("WORKBENCH_RUNS" in problem for problem in document["problems"])
    assert "Problem: cannot write below" in command_line("doctor").stdout


def test_only_what_can_be_downloaded_needs_a_data_root_that_can_be_written(command_line, tmp_path_factory, monkeypatch):
    file = tmp_path_factory.mktemp("roots") / "file"
    file.write_text("")
    monkeypatch.setenv("WORKBENCH_DATA", str(file))

    def problems():
        return json.loads(command_line("doctor", "--json").stdout)["problems"]

    assert any("WORKBENCH_DATA" in problem for problem in problems())
    for name in datasets:
        if "path" not in datasets[name].model_fields and not datasets[name].parse({}).wanted(file):
            monkeypatch.setattr(datasets[name], "is_ready", lambda self, root: True)
    assert problems() == []
    lines = command_line("doctor").stdout.splitlines()
    assert "datasets to be downloaded: none" in lines
    (brought,) = (line for line in lines if line.startswith("datasets to be put there by you"))
    assert "enron" in brought
    assert "own" not in brought
