"""A run on snapshots: a teacher trained offline and frozen, and a student that follows the graph, step by step."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import UsageError
from workbench.models.budget import parameter_bytes
from workbench.runs.live import Live
from workbench.runs.online_data import Stage, first_step, last_step, link_split
from workbench.runs.online_judge import judge
from workbench.runs.online_pictures import store_sequence, store_step
from workbench.runs.online_progress import Progress
from workbench.runs.online_training import Learned, Learning, learn
from workbench.runs.probe import larger_student
from workbench.runs.recorder import Stage as Who
from workbench.runs.teacher_cache import WEIGHTS, cached_teacher, own_teacher
from workbench.runs.ways import Found, Order
from workbench.training.checkpoint import save_tensors
from workbench.training.random_state import seed_everything

if TYPE_CHECKING:
    from workbench.datasets.snapshots import SnapshotSequence
    from workbench.models.dysat import DySAT
    from workbench.spec import Spec

TEACHER: Final = "teacher"
STUDENT: Final = "student"
PLAIN: Final = "plain"
AVERAGED = ("auc", "average_precision")
NAMED = 8  # steps in a note


def check(spec: Spec, data: SnapshotSequence, live: Live) -> list[str]:
    """What can be known to be wrong before a run starts; returns notes, raises UsageError."""
    if spec.teacher_control == "shuffled":
        raise UsageError("a teacher of snapshots has no labels to shuffle: take teacher_control='untrained'")
    first, last, end = first_step(spec), last_step(spec, data), len(data) - 2
    if end < first:
        raise UsageError(
            f"dataset {spec.dataset.name!r} has {len(data)} snapshots and its teacher learns from the first "
            f"{first + 1}: at least {first + 2} are needed, to predict one more; take a smaller --teacher.window or "
            f"shorter slices"
        )
    if not first <= last <= end:
        raise UsageError(f"online.last is {last}: online steps go from {first} to {end} here, take one of these")
    if not Stage.of(spec, data, first).teaches(first + 1):
        raise UsageError(
            f"the first {first + 1} snapshots of dataset {spec.dataset.name!r}, from which the teacher learns, have no "
            f"link between two nodes: take longer slices or a larger --teacher.window"
        )
    short = [t for t in range(first, last + 1) if not link_split(data, spec.protocol, t, spec.seed)]
    if len(short) == last - first + 1:
        raise UsageError(
            f"no snapshot of dataset {spec.dataset.name!r} has links enough to predict between nodes that were there "
            f"before, and pairs without one beside them: take longer slices, or --online.predict all"
        )
    shown = ", ".join(map(str, short[:NAMED])) + (f" and {len(short) - NAMED} more" if len(short) > NAMED else "")
    notes = [f"too few links to predict after snapshot{'s' if len(short) > 1 else ''} {shown}"]
    sizes = spec.teacher.count_parameters(data.seen(first), 0), spec.student.count_parameters(data.seen(last), 0)
    return [*(notes if short else []), *larger_student(*sizes)]


def carry_out(order: Order) -> Found:
    """The teacher offline, then every online step: the student, the student without distillation, and the baselines."""
    spec, data = order.spec, order.data
    progress = Progress.of(order)
    teacher, info = _teacher(order, progress)
    store_sequence(data, order.recorder.run)
    students = _first_students(order)
    progress.restore(students)
    for step in range(first_step(spec), last_step(spec, data) + 1):
        if progress.is_done(step):
            continue
        stage = Stage.of(spec, data, step)
        learned: dict[str, Learned] = {}
        for who, student in students.items():
            learned[who] = _follow(order, progress, stage, who, student, teacher)
        judged = judge(stage, teacher, {who: found.student for who, found in learned.items()})
        store_step(stage, judged, order.recorder.run)
        progress.add(stage.facts | judged.facts | _costs(teacher, learned))
    save_tensors(order.recorder.run.path / "student.safetensors", students[STUDENT].state_dict())
    return _found(order, progress.steps, info, teacher, students)


def _teacher(order: Order, progress: Progress) -> tuple[DySAT, dict[str, Any]]:
    """The frozen teacher: trained on the snapshots up to the first online step, or taken from the cache."""
    spec, data = order.spec, order.data
    seed_everything(spec.seed, spec.teacher_training.deterministic)
    first = first_step(spec)
    module: DySAT = spec.teacher.build(data.seen(first), 0).to(order.device)  # type: ignore[assignment]

    def make(folder: Path) -> dict[str, Any]:
        info: dict[str, Any] = {"best_epoch": None, "epochs": 0, "seconds": 0.0}
        if spec.teacher_control == "none":
            learning = Learning(order, Stage.of(spec, data, first), TEACHER, spec.teacher_training)
            info = learn(learning, module, None, None, progress.recorder(TEACHER, first)).info
        else:
            order.recorder.say(stage="taking the teacher untrained")
            info["control"] = spec.teacher_control
        save_tensors(folder / WEIGHTS, module.state_dict())
        return info

    key = f"{spec.teacher_id}-{order.device.type}"
    if order.live.any:
        info = own_teacher(order.recorder, key, make)
    else:
        info = cached_teacher(order.recorder, key, order.fingerprint, module, make)
    return module.requires_grad_(False).eval(), info


def _first_students(order: Order) -> dict[Who, DySAT]:
    """The students before their first step; without distillation both would be the same, so there is one."""
    spec = order.spec
    distilled = not all(part.control for part in spec.method)
    found: dict[Who, DySAT] = {}
    for who in (STUDENT, PLAIN) if distilled and spec.protocol.plain else (STUDENT,):
        # Seeded anew: neither depends on the teacher's training, and both start from the same weights.
        seed_everything(spec.seed, spec.training.deterministic)
        module: Any = spec.student.build(order.data.seen(first_step(spec)), 0)
        found[who] = module.to(order.device)
    return found


def _follow(order: Order, progress: Progress, stage: Stage, who: Who, student: DySAT, teacher: DySAT) -> Learned:
    """Let a student learn at one step, from where it stands; it holds the best weights afterwards."""
    spec = order.spec
    if who in progress.finished:  # before the run was interrupted
        return Learned(student, progress.finished[who]["seconds"], progress.finished[who])
    recorder = progress.recorder(who, stage.step)
    seed_everything(_seed(spec.seed, stage.step), spec.training.deterministic)
    student.grow(stage.nodes)
    if spec.protocol.restart and stage.step > first_step(spec):
        student.reset_parameters()
    objective = spec.objective if who == STUDENT else None
    learning = Learning(order, stage, who, spec.training)
    found = learn(learning, student, objective, teacher, recorder)
    progress.finish(who, found.info)
    return found


def _seed(seed: int, step: int) -> int:
    """One for every step, so that a step does not depend on how many numbers the ones before it drew."""
    return (seed * 1_000_003 + 7919 * (step + 1)) % 2**31


def _costs(teacher: DySAT, learned: dict[str, Learned]) -> dict[str, Any]:
    student = learned[STUDENT].student
    return {
        "parameters": {TEACHER: _count(teacher), STUDENT: _count(student)},
        "update_seconds": {who: round(found.seconds, 3) for who, found in learned.items()},
        "best_epoch": {who: found.info["best_epoch"] for who, found in learned.items()},
    }


def _count(module: DySAT) -> int:
    return sum(p.numel() for p in module.parameters())


def _found(
    order: Order, steps: list[dict[str, Any]], info: dict[str, Any], teacher: DySAT, students: dict[Who, DySAT]
) -> Found:
    """Means over the online steps; what there is of each step stands in ``steps``."""
    spec = order.spec
    whos = [who for who in steps[-1]["metrics"] if who not in (TEACHER, *students)]
    latency = {who: statistics.median(step["latency_ms"][who] for step in steps) for who in (TEACHER, STUDENT)}
    parts: dict[str, dict[str, Any]] = {}
    for who, config, module in ((TEACHER, spec.teacher, teacher), *((w, spec.student, m) for w, m in students.items())):
        count = _count(module)
        parts[who] = {
            "name": config.name,
            "parameters": count,
            "bytes": parameter_bytes(count),
            "metrics": {"test": mean_metrics(steps, who)},
        }
    parts[TEACHER] |= info | {"latency_ms": round(latency[TEACHER], 3)}
    epochs = order.recorder.run.metrics(STUDENT)
    parts[STUDENT] |= {
        "best_epoch": None,
        "epochs": len(epochs),
        "seconds": round(sum(step["update_seconds"][STUDENT] for step in steps), 3),
        "latency_ms": round(latency[STUDENT], 3),
    }
    more: dict[str, Any] = {"steps": steps, "baselines": {who: mean_metrics(steps, who) for who in whos}}
    if PLAIN in parts:
        more["plain"] = parts[PLAIN]
    return Found(parts[TEACHER], parts[STUDENT], more)


def mean_metrics(steps: list[dict[str, Any]], who: str) -> dict[str, float | None]:
    """Means over the steps that could be judged."""
    found: dict[str, float | None] = {}
    for name in AVERAGED:
        values = [step["metrics"][who][name] for step in steps if step["metrics"][who][name] is not None]
        found[name] = statistics.fmean(values) if values else None
    return found
