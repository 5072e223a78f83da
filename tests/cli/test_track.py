"""``workbench track``: what it sends, and what it refuses."""

import pytest


def test_runs_are_sent_and_named_once_and_again(command_line, make_run_folder, tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    make_run_folder("karate-a")
    make_run_folder("karate-b")
    make_run_folder("karate-running", state="running")
    for _ in range(2):
        document = command_line.json("track", "--all", "--to", "tensorboard", "--at", tmp_path / "logs")
        assert {run["id"] for run in document["runs"]} == {"karate-a", "karate-b"}
        assert document["runs"][0]["epochs"] == {"teacher": 40, "student": 40}
        assert {folder.name for folder in (tmp_path / "logs").iterdir()} == {"karate-a", "karate-b"}
        assert len(list((tmp_path / "logs").rglob("events*"))) == 6  # of each run its own, the teacher's, the student's


def test_the_usual_place_is_beside_the_runs(command_line, make_run_folder, runs_root):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    make_run_folder("karate-failed", state="failed")
    result = command_line("track", "failed", "--to", "tensorboard")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "teacher 25 epochs" in result.stderr
    assert (runs_root / "tensorboard" / "karate-failed" / "student").is_dir()
    assert [run["id"] for run in command_line.json("runs")] == ["karate-failed"]  # its folder is no run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--to", "tensorboard"), "--all"),
        (("karate-a", "--all", "--to", "tensorboard"), "--all"),
        (("karate-a", "--to", "wandb"), "unknown tracker 'wandb'"),
        (("karate-a", "--to", "tensorboard", "--at", ""), "--at needs a place"),
        (("karate-running", "--to", "tensorboard"), "is running"),
        (("karate-a", "karate-running", "--to", "tensorboard"), "is running"),
        (("nowhere", "--to", "mlflow"), "no run 'nowhere'"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(
    command_line, make_run_folder, runs_root, arguments, message
):
    make_run_folder("karate-a")
    make_run_folder("karate-running", state="running")
    before = sorted(runs_root.rglob("*"))
    result = command_line("track", *arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert message in " ".join(result.stderr.split())
    assert [path for path in sorted(runs_root.rglob("*")) if ".workbench" not in path.parts] == before


def test_a_place_that_takes_nothing_is_a_message(command_line, make_run_folder, tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    make_run_folder("karate-a")
    (tmp_path / "a-file").touch()
    result = command_line("track", "karate-a", "--to", "tensorboard", "--at", tmp_path / "a-file")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "karate-a cannot be sent to tensorboard at" in result.stderr
