"""Runs that are recorded epoch by epoch as a worker records them, without training."""

import json

from run_folders import result

from workbench.runs.recorder import RunRecorder

DOCUMENT = {
    "dataset": "builtin-karate",
    "teacher": "gcn",
    "student": {"name": "gcn", "hidden_channels": 3},
    "method": [{"name": "kd", "alpha": 0.25}, {"name": "gcrd"}],
    "device": "cpu",
    "seed": 5,
}


def record(epoch, loss=None):
    """An epoch's record as the loop makes it, whose loss is 1 / epoch."""
    return {
        "epoch": epoch,
        "loss": 1 / epoch if loss is None else loss,
        "terms": {"task": {"value": 2 / epoch, "weight": 0.75, "gradient": None}},
        "train": {"accuracy": 0.5},
        "val": {"accuracy": 1 - 1 / (1 + epoch), "loss": 3 / epoch},
        "pictures": {"abkd-attention": [[0.5, 0.5]]},
        "seconds": 0.01,
    }


def make(run, stages, state="done", resumed_at=0):
    """Record ``{"teacher": 3}`` epochs after ``resumed_at``, as a worker does, and end in ``state``."""
    with RunRecorder(run, in_process=True) as recorder:
        recorder.start_clock()
        for stage, last in stages.items():
            recorder.begin(stage, f"training the {stage}", last, resumed_at)
            for epoch in range(resumed_at + 1, last + 1):
                recorder.epoch(record(epoch))
        if state == "done":
            (run.path / "result.json").write_text(json.dumps(result(30)))
        recorder.say(state=state, stage="ended", message="" if state == "done" else "for a reason")
