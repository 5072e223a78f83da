"""What a launch says of a finished run that it hands back."""

from __future__ import annotations

from pathlib import Path

import workbench as wb
from workbench.runs.launch import launch
from workbench.spec import Spec


def test_a_finished_run_that_was_looked_at_otherwise_is_said_to_be(tmp_path: Path) -> None:
    short = {"epochs": 3, "patience": 0, "keep_every": 0}
    parts = {"dataset": "builtin-karate", "teacher": "gcn", "student": "gcn", "method": "kd", "device": "cpu"}
    run = wb.distill(**parts, training=short, teacher_training=short, root=tmp_path)

    def notes(**training: int) -> list[str]:
        spec = Spec.parse({**parts, "training": {**short, **training}, "teacher_training": short})
        launched = launch(spec, tmp_path)
        assert (launched.run.id, launched.status) == (run.id, "finished")
        return launched.notes

    note = "recorded with lens_every=10; --fresh looks again"
    assert note in notes(lens_every=2)
    assert note not in notes()

    file = run.path / "spec.yaml"
    file.write_text(file.read_text().replace("  lens_every: 10\n", ""))  # as versions before the lens wrote it
    assert "recorded with lens_every=0; --fresh looks again" in notes()
