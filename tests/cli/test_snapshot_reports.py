"""What the commands say of runs on snapshots and on point clouds."""

import json
import math
from types import SimpleNamespace

import pytest

from workbench.cli.results import print_report, report
from workbench.runs.folder import Run

STEPS = (4, 5, 6)  # online steps of the runs that the fixtures write


def auc(seed, step):
    """What the fixtures say of the student."""
    return 0.7 + step / 100 + seed / 50


@pytest.fixture
def two_seeds(make_snapshot_folder):
    return [Run(make_snapshot_folder(f"communities-s{seed}", seed=seed)) for seed in (0, 1)]


def test_snapshots_are_distilled_from_the_first_word_to_the_last_number(command_line):
    document = command_line.json(
        "distill", "builtin-communities", "--dataset.nodes", "80", "--dataset.snapshots", "6", "--device", "cpu",
        "--teacher.window", "2", "--teacher.hidden-channels", "8", "--student.hidden-channels", "4",
        "--teacher-training.epochs", "2", "--training.epochs", "1", "--online.last", "2", "--seeds", "0-1",
    )  # fmt: skip
    assert [run["state"] for run in document["runs"]] == ["done", "done"]
    found = document["summary"]["steps"]
    assert [step["step"] for step in found] == [1, 2]
    models = {"teacher", "student", "plain"}
    everybody = models | {"common_neighbours", "adamic_adar", "preferential_attachment", "edge_bank"}
    assert all(set(step["auc"]) == everybody for step in found)
    assert all(score["n"] == 2 and 0 <= score["mean"] <= 1 for step in found for score in step["auc"].values())


def table(text, head):
    """The lines of the printed table with that first word in its head, as lists of cells."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.split()[:1] == [head[0]] and head[1] in line)
    rows = []
    for line in lines[start + 1 :]:
        if not line.strip():
            break
        rows.append([cell.strip() for cell in line.split("  ") if cell.strip()])
    return rows


def test_the_document_has_every_step_the_baselines_and_the_student_alone(two_seeds):
    document = report(two_seeds)
    for seed, run in enumerate(document["runs"]):
        assert run["steps"] == two_seeds[seed].result["steps"]
        assert run["plain"]["metrics"]["test"]["auc"] == pytest.approx(0.7)
        assert run["baselines"]["adamic_adar"]["auc"] == pytest.approx(0.66)
        assert run["baselines"]["edge_bank"] == {"auc": None, "average_precision": None}


def test_the_summary_has_mean_and_deviation_over_seeds_at_every_step(two_seeds):
    found = report(two_seeds)["summary"]
    assert [step["step"] for step in found["steps"]] == list(STEPS)
    for step in found["steps"]:
        student = step["auc"]["student"]
        assert student["mean"] == pytest.approx((auc(0, step["step"]) + auc(1, step["step"])) / 2)
        assert student["std"] == pytest.approx(0.02 / math.sqrt(2))
        assert student["n"] == 2
        assert step["auc"]["edge_bank"] == {"mean": None, "std": None, "n": 0}
    assert found["student"]["test"]["auc"]["mean"] == pytest.approx(sum(auc(0, s) + auc(1, s) for s in STEPS) / 6)
    assert found["plain"]["test"]["auc"]["mean"] == pytest.approx(0.7)
    assert found["baselines"]["common_neighbours"]["auc"] == {"mean": pytest.approx(0.65), "std": 0, "n": 2}


def test_a_run_without_a_student_alone_says_so(make_snapshot_folder, capsys):
    folder = make_snapshot_folder()
    result = json.loads((folder / "result.json").read_text())
    del result["plain"]
    for step in result["steps"]:
        del step["metrics"]["plain"]
    (folder / "result.json").write_text(json.dumps(result))
    document = report([Run(folder)])
    assert document["runs"][0]["plain"] is None
    assert document["summary"]["plain"] == {}
    print_report(document)
    assert "student alone" not in capsys.readouterr().out


def test_the_table_shows_everybody_at_every_step_and_the_means(two_seeds, capsys):
    print_report(report(two_seeds))
    text = capsys.readouterr().out
    rows = table(text, ("step", "Adamic–Adar"))
    assert [row[0] for row in rows] == ["4", "5", "6", "mean"]
    # 74 % and 76 % of the student at step 4: 75 ± √2
    assert rows[0] == ["4", "90.0 % ± 0.0", "75.0 % ± 1.4", "70.0 % ± 0.0", "65.0 % ± 0.0", "66.0 % ± 0.0", "–"]
    assert rows[-1][1:4] == ["90.0 % ± 0.0", "76.0 % ± 1.4", "70.0 % ± 0.0"]


def test_the_table_shows_what_every_step_costs(two_seeds, capsys):
    print_report(report(two_seeds))
    rows = table(capsys.readouterr().out, ("step", "latency"))
    assert rows[0] == ["4", "40", "12,345 → 400", "4.00 ms → 1.50 ms", "1.5 s", "0.5 s"]  # means over both seeds


def test_the_costs_say_over_how_many_nodes_each_model_was_timed(make_snapshot_folder, capsys):
    folder = make_snapshot_folder()
    result = json.loads((folder / "result.json").read_text())
    for step in result["steps"]:
        step["latency_nodes"] = {"teacher": 54, "student": 60, "plain": 60}
    (folder / "result.json").write_text(json.dumps(result))
    print_report(report([Run(folder)]))
    assert table(capsys.readouterr().out, ("step", "latency"))[0][:2] == ["4", "54 → 60"]


def test_one_run_has_no_spread(make_snapshot_folder, capsys):
    print_report(report([Run(make_snapshot_folder())]))
    text = capsys.readouterr().out
    assert "±" not in text
    assert table(text, ("step", "Adamic–Adar"))[0][2] == "74.0 %"


@pytest.mark.parametrize("state", ["failed", "running"])
def test_a_run_that_is_not_done_is_no_part_of_the_means(make_snapshot_folder, state, capsys):
    runs = [Run(make_snapshot_folder("done")), Run(make_snapshot_folder("other", seed=1, state=state))]
    document = report(runs)
    assert "steps" not in document["runs"][1]
    assert document["summary"]["steps"][0]["auc"]["student"]["n"] == 1
    print_report(document)
    assert state in capsys.readouterr().out


def test_runs_on_a_graph_have_nothing_of_it(make_run_folder, capsys):
    document = report([Run(make_run_folder())])
    assert set(document["summary"]) == {"teacher", "student"}
    assert not {"steps", "plain", "baselines"} & set(document["runs"][0])
    print_report(document)
    assert "step" not in capsys.readouterr().out


def test_a_run_on_snapshots_is_listed_and_shown_by_its_auc(command_line, make_snapshot_folder):
    make_snapshot_folder("communities-done")
    assert "75.0 % AUC" in command_line("runs").stdout
    text = command_line("show", "communities-done").stdout
    assert "average precision" in text
    assert table(text, ("step", "Adamic–Adar"))[-1][0] == "mean"
    rows = table(text, ("model", "AUC"))
    assert [row[0] for row in rows] == ["teacher: dysat", "student: dysat", "student alone: dysat"]
    assert command_line.json("show", "communities-done")["result"]["steps"]
    (entry,) = command_line.json("runs")
    assert entry["student"]["metrics"]["test"]["auc"] == pytest.approx(0.75)


@pytest.fixture
def clouds(make_run_folder):
    """A run that classifies point clouds: accuracy 0.85 and 0.8 over classes."""
    folder = make_run_folder("shapes")
    result = json.loads((folder / "result.json").read_text())
    for role, value in (("teacher", 0.9), ("student", 0.8)):
        for metrics in result[role]["metrics"].values():
            metrics["mean_class_accuracy"] = value
    (folder / "result.json").write_text(json.dumps(result))
    return Run(folder)


def test_of_point_clouds_both_accuracies_are_shown(clouds, command_line, capsys):
    print_report(report([clouds]))
    (row,) = table(capsys.readouterr().out, ("seed", "student mean class"))
    assert row[2:6] == ["91.2 %", "85.0 %", "90.0 %", "80.0 %"]
    assert "80.0 %" in command_line("show", "shapes").stdout
    assert "AUC" not in command_line("runs").stdout


def test_a_document_without_any_run_that_is_done_is_printed(make_snapshot_folder, capsys):
    document = report([SimpleNamespace(**_facts(state)) for state in ("queued", "running")])
    print_report(document)
    assert "queued" in capsys.readouterr().out


def _facts(state):
    status = SimpleNamespace(state=state, message="")
    return {"id": state, "seed": 0, "status": status, "result": None}
