"""Cached teachers: one that was trained on other data of the same name is not taken."""

import workbench as wb
from workbench.datasets import load_dataset
from workbench.runs import execute as executing
from workbench.runs import preflight as before

SHORT = {"epochs": 2, "patience": 0, "keep_every": 0}


def run(root, seed_method):
    return wb.distill(
        "builtin-karate", "gcn", "gcn", seed_method, training=SHORT, teacher_training=SHORT, device="cpu", root=root
    )


def test_a_teacher_of_changed_files_is_trained_again(tmp_path, monkeypatch):
    assert not run(tmp_path, "kd").result["teacher"]["reused"]
    assert run(tmp_path, "none").result["teacher"]["reused"]

    def changed(*arguments):
        data = load_dataset(*arguments)
        data.x = data.x * 2
        return data

    for module in (executing, before):
        monkeypatch.setattr(module, "load_dataset", changed)
    again = run(tmp_path, "fitnet")
    assert not again.result["teacher"]["reused"]
    assert any("other data of the same name" in warning for warning in again.result["warnings"])
    assert run(tmp_path, "at").result["teacher"]["reused"]
