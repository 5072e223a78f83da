"""Wrong usage ends with exit code 2 and a message that helps; nothing is started and nothing is written."""

import pytest

KARATE = ("distill", "builtin-karate", "--teacher", "gcn")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("distill", "builtin-karat"), "did you mean 'builtin-karate'"),
        (("distill",), "a dataset is missing"),
        (("distill", "builtin-karate", "--teacher", "gatt"), "did you mean 'gat'"),
        (("distill", "builtin-karate", "--student", "gcnn"), "did you mean 'gcn'"),
        ((*KARATE, "--method", "kdd"), "did you mean 'kd'"),
        ((*KARATE, "--method", "kd+gcrdd"), "did you mean 'gcrd'"),
        ((*KARATE, "--method", "kd+kd"), "stands twice"),
        ((*KARATE, "--method", ""), "unknown method ''"),
        ((*KARATE, "--student.hiden-channels", "4"), "did you mean 'hidden-channels'"),
        ((*KARATE, "--student.hidden-channels", "0"), "a whole number ≥ 1"),
        ((*KARATE, "--student.hidden-channels"), "needs a value"),
        ((*KARATE, "--teacher.dropout", "1"), "< 1"),
        ((*KARATE, "--training.epochs", "many"), "takes a whole number"),
        ((*KARATE, "--training.optimizer", "adm"), "did you mean 'adam'"),
        ((*KARATE, "--method", "gcrd", "--kd.alpha", "0.8"), "kd is not among the methods"),
        ((*KARATE, "--kd.alpha", "1.5"), "≥ 0 and ≤ 1 (got 1.5)"),
        ((*KARATE, "--stuff.alpha", "1"), "before the dot stands one of"),
        ((*KARATE, "--seeds", "4-0"), "runs backwards"),
        ((*KARATE, "--seeds", "one"), "seeds are whole numbers"),
        ((*KARATE, "--device", "tpu"), "device 'tpu' is not on this machine"),
        ((*KARATE, "--techer", "gat"), "--teacher"),
        ((*KARATE, "--spec", "missing.yaml"), "missing.yaml cannot be read"),
        ((*KARATE, "--budget-parameters", "1"), "fits into 1 parameters"),
        ((*KARATE, "--budget-parameters", "0"), "--budget-parameters"),
        ((*KARATE, "--compression", "0"), "must be a positive number"),
        ((*KARATE, "--compression", "4", "--budget-parameters", "99"), "give one of them"),
        ((*KARATE, "--compression", "4", "--student.hidden-channels", "8"), "give one of them"),
        (("distill", "builtin-karate", "cora"), "unexpected extra argument"),
        (("distil", "builtin-karate"), "distill"),
        (("datasets", "coraa"), "unknown dataset 'coraa'"),
        (("models", "gcm"), "did you mean 'gcn'"),
        (("methods", "kdd"), "did you mean 'kd'"),
        (("show", "nothing"), "no run 'nothing'"),
        (("stop", "nothing"), "no run 'nothing'"),
        (("resume", "nothing"), "no run 'nothing'"),
        (("rerun", "nothing", "--check"), "no run 'nothing'"),
        (("app", "--port", "0"), "--port"),
        (("bench", "losses", "--widths", "32"), "2 positive whole numbers"),
    ],
)
def test_wrong_usage_is_explained(command_line, arguments, message):
    assert message.lower() in command_line.refuses(*arguments).lower()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- cora", "expected a mapping"),
        ("dataset: [", "not readable YAML"),
        ("format: 99\ndataset: builtin-karate", "another version"),
        ("dataset: 3", "expected a name or a mapping with a name"),
        ("dataset: {k: 3}", "expected a name or a mapping with a name"),
        ("dataset: builtin-karate\ntraining: fast", "expected a mapping of options"),
        ("dataset: builtin-karate\nteacher: {name: gcn, heads: 3}", "unknown option 'heads'"),
        ("dataset: builtin-karate\ntraning: {epochs: 3}", "did you mean 'training'"),
        ("dataset: builtin-karate\nmethod: [{name: kd, alpha: 2}]", "alpha"),
        ("dataset: builtin-karate\nseed: -1", "seed"),
    ],
)
def test_a_faulty_spec_file_is_explained(command_line, tmp_path_factory, text, message):
    file = tmp_path_factory.mktemp("spec") / "spec.yaml"
    file.write_text(text)
    assert message in command_line.refuses("distill", "--spec", file)


@pytest.mark.parametrize("root", ["file", "file/below"])
def test_a_runs_root_that_cannot_be_written_is_refused(command_line, tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("roots")
    (folder / "file").write_text("")
    assert "cannot write below" in command_line.refuses(*KARATE, "--runs", folder / root)


def test_a_data_root_that_cannot_be_written_is_refused(command_line, tmp_path_factory, monkeypatch):
    file = tmp_path_factory.mktemp("roots") / "file"
    file.write_text("")
    monkeypatch.setenv("WORKBENCH_DATA", str(file))
    message = command_line.refuses("distill", "cora")
    assert "cannot write below" in message
    assert "WORKBENCH_DATA" in message
