"""A method and its controls as run folders, written without training: every run by the id of its spec."""

import json
from pathlib import Path

from run_folders import SPEC, write_run

from workbench.runs.claim import run_id
from workbench.runs.control_table import SAME_UPDATES
from workbench.runs.controls import control_plan, same_updates
from workbench.runs.folder import Run
from workbench.spec import Spec


def spec_of(**changes) -> Spec:
    """The spec of the runs that ``write_run`` writes."""
    return Spec.parse({key: value for key, value in {**SPEC, **changes}.items() if key != "format"})


def write_spec_run(root: Path, spec: Spec, accuracy: float = 0.5, state: str = "done", again: str = "") -> Run:
    """The run of ``spec``, whose student has this test accuracy and made 40 epochs; ``again`` ends its id."""
    folder = write_run(root, run_id(spec) + again, state=state, seed=spec.seed)
    (folder / "spec.yaml").write_text(spec.to_yaml())
    if state == "done":
        document = json.loads((folder / "result.json").read_text())
        document["student"]["metrics"]["test"]["accuracy"] = accuracy
        (folder / "result.json").write_text(json.dumps(document))
    return Run(folder)


def write_controls(root: Path, scores: dict[str, list[float]], spec: Spec | None = None) -> dict[str, list[Run]]:
    """Finished runs of the rows in ``scores``, one per seed 0, 1, …; the method's row is called by its name."""
    spec = spec or spec_of()
    seeds = range(max(map(len, scores.values())))
    plan = control_plan([spec.replace(seed=seed) for seed in seeds])
    rows = {
        name: [write_spec_run(root, of, score) for of, score in zip(plan[name], values, strict=False)]
        for name, values in scores.items()
        if name != SAME_UPDATES
    }
    if SAME_UPDATES in scores:
        method, *_ = plan
        longer = [same_updates(of, run) for of, run in zip(plan[method], rows[method], strict=False)]
        pairs = zip(longer, scores[SAME_UPDATES], strict=False)
        rows[SAME_UPDATES] = [write_spec_run(root, of, score) for of, score in pairs]
    return rows
