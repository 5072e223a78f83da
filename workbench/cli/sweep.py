"""``workbench sweep``: the runs of a file, a few at once; started again, it goes on where it was."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.arguments import Json, Runs
from workbench.cli.distill import INTERRUPTED
from workbench.cli.output import duration, say
from workbench.cli.results import say_failures
from workbench.cli.roots import require_writable
from workbench.cli.sweep_results import list_runs, report_runs, runs_in_words
from workbench.runs.download_bar import DownloadBar

if TYPE_CHECKING:
    from workbench.runs.sweep import Sweep
    from workbench.runs.sweep_local import LocalSlots
    from workbench.runs.sweep_progress import SweepProgress, SweepRecord
    from workbench.runs.sweep_ray import RaySlots
    from workbench.spec import Spec

POLL_SECONDS = 1.0
LINE_SECONDS = 30.0  # between two lines for a pipe while nothing ends


class EngineName(StrEnum):
    """Where a sweep is carried out."""

    local = "local"
    ray = "ray"


def sweep(
    file: Annotated[
        Path, typer.Argument(metavar="SWEEP.YAML", help="Datasets × teachers × students × methods × seeds.")
    ],
    engine: Annotated[
        EngineName, typer.Option(help="Slots of this machine, or a Ray cluster (RAY_ADDRESS).")
    ] = EngineName.local,
    slots: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Runs at once (default: one per GPU, or per core).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would run, and what is finished.")] = False,
    as_json: Json = False,
    runs: Runs = None,
) -> None:
    """Carry out all runs of a file.

    Finished runs are skipped, and what was stopped, killed or has failed goes on from its checkpoint: the same command
    continues a sweep. Runs with the same teacher share it.

    \b
    datasets: \\[cora, citeseer]
    teachers: gat
    students: \\[gcn, {name: gcn, hidden_channels: 16}]
    methods: \\[none, kd, kd+gcrd]
    seeds: 0-9
    training: {epochs: 200}

    A slot computes with OMP_NUM_THREADS threads (default: one).
    """
    raise typer.Exit(run_sweep(file, engine, slots, dry_run, as_json, runs))


def run_sweep(
    file: Path, engine: EngineName, slots: int | None, dry_run: bool, as_json: bool, folder: Path | None
) -> int:
    """Carry the sweep out, or list it, print its results, and return the exit code."""
    from workbench.runs.store import RUNS_ROOT, runs_root
    from workbench.runs.sweep import carry_out_sweep, check_jobs, sweep_of
    from workbench.runs.sweep_grid import read_sweep

    found = read_sweep(file)
    root = (folder or runs_root()).absolute()
    if not dry_run:
        require_writable(root, RUNS_ROOT)
    chosen = _engine(engine, found.specs, root, slots)
    planned = sweep_of(found.name, found.specs, root, chosen.device)
    if dry_run:
        list_runs(planned, chosen.slots, as_json)
        return 0
    todo = planned.unfinished()
    say(f"{planned.name}: {runs_in_words(len(planned.jobs))}, {len(planned.jobs) - len(todo)} of them finished already")
    started = time.monotonic()
    try:
        with DownloadBar() as progress:
            notes = check_jobs(todo, progress)
        for note in notes:
            say(note)
        if todo:
            with _told(planned) as told:
                carry_out_sweep(planned, chosen, told)
    except KeyboardInterrupt:
        say("\nthe sweep is stopped; the same command goes on from there")
        return INTERRUPTED
    report_runs(planned, chosen.name, time.monotonic() - started, as_json)
    return 0 if say_failures(planned.runs) else 1


def _engine(engine: EngineName, specs: Sequence[Spec], root: Path, slots: int | None) -> LocalSlots | RaySlots:
    if engine is EngineName.ray:
        from workbench.runs.sweep_ray import RaySlots

        return RaySlots(root, slots)
    from workbench.runs.sweep_local import LocalSlots, share_of
    from workbench.training.device import resolve_device

    devices = dict.fromkeys(str(resolve_device(spec.device)) for spec in specs)
    return LocalSlots(root, share_of(slots, _gpus(specs, devices)))


def _gpus(specs: Sequence[Spec], devices: Mapping[str, None]) -> tuple[str, ...]:
    """The accelerators that the runs may use: all of them where one is not bound to its own."""
    from workbench.training.device import available_devices

    roam = any(spec.device in ("auto", "cuda") for spec in specs)
    return tuple(name for name in available_devices() if name != "cpu" and (roam or name in devices))


@contextmanager
def _told(sweep: Sweep) -> Iterator[Callable[[SweepRecord], None]]:
    """A bar with the time left on a terminal; a pipe gets a line whenever a run has ended."""
    from workbench.runs.sweep_progress import progress_of, runs_of

    if sys.stderr.isatty():
        with _bar(sweep.name) as show:
            yield _sometimes(lambda record: show(progress_of(record, runs_of(sweep.root))))
        return
    said: list[Any] = [None, 0.0]

    def line(record: SweepRecord) -> None:
        progress = progress_of(record, runs_of(sweep.root))
        ended, now = (progress.done, progress.failed), time.monotonic()
        if ended != said[0] or now - said[1] > LINE_SECONDS:
            said[:] = [ended, now]
            say(f"{sweep.name}: {headline(progress)}")

    look = _sometimes(line)
    latest: list[SweepRecord] = []

    def told(record: SweepRecord) -> None:
        latest[:] = [record]
        look(record)

    yield told
    for record in latest:  # how it ended is said, however short ago something else was
        line(record)


def _sometimes(look: Callable[[SweepRecord], None]) -> Callable[[SweepRecord], None]:
    """``look`` at most every :data:`POLL_SECONDS`: it reads every run of the root."""
    last = [float("-inf")]

    def told(record: SweepRecord) -> None:
        if time.monotonic() - last[0] >= POLL_SECONDS:
            last[0] = time.monotonic()
            look(record)

    return told


@contextmanager
def _bar(name: str) -> Iterator[Callable[[SweepProgress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[news]}")]
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(name, total=None, news="")
        yield lambda found: progress.update(
            bar, total=found.total, completed=found.done + found.failed, news=headline(found)
        )


def headline(progress: SweepProgress) -> str:
    """``12 of 40 done, 1 failed, 2 running, about 3 min left``."""
    words = [f"{progress.done} of {progress.total} done"]
    counts = ((progress.failed, "failed"), (progress.running, "running"))
    words += [f"{number} {what}" for number, what in counts if number]
    if progress.eta_seconds:
        words.append(f"about {duration(progress.eta_seconds)} left")
    return ", ".join(words)
