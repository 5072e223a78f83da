"""``workbench search``: the options of several methods, tuned with the same budget, and their table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.arguments import Dataset, Device, Json, Preset, Runs, SpecFile, Student, Teacher
from workbench.cli.distill import INTERRUPTED
from workbench.cli.flags import Flag, dashes
from workbench.cli.output import MISSING, percent, print_json, print_table, say
from workbench.cli.seeds import parse_seeds
from workbench.cli.specs import Request, specs_of
from workbench.errors import RunError, UsageError

if TYPE_CHECKING:
    from workbench.runs.search import Searched
    from workbench.runs.search_study import Study, Tried
    from workbench.spec import Spec


def search(
    ctx: typer.Context,
    dataset: Dataset = None,
    preset: Preset = None,
    teacher: Teacher = None,
    student: Student = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help="A method, or a sum: kd+gcrd. Give it several times to tune several with equal budgets."),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, max=10_000, help="Configurations per method.")] = 20,
    seeds: Annotated[str, typer.Option(metavar="SEEDS", help="A configuration is judged by their mean.")] = "0",
    also: Annotated[
        list[str] | None,
        typer.Option(help="training: also the student's learning rate, weight decay and dropout."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Processes that search at once.")] = 1,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml",
            resolve_path=True,
            help="Keep the best configurations in this file: --preset tuned takes them where WORKBENCH_TUNED names it.",
        ),
    ] = None,
    device: Device = None,
    spec: SpecFile = None,
    as_json: Json = False,
    runs: Runs = None,
) -> None:
    """Tune the options of methods on validation, with the same budget for every method.

    \b
    The first configuration is the default one. A method without options
    (none) is tuned in its training. Options that are given are not searched.
    The same command goes on with a search that was stopped.
    """
    request = Request(dataset, teacher, student, device=device, spec=spec, command="search", preset=preset)
    specs, fixed = specs_by_method(request, method, ctx.obj)
    raise typer.Exit(run_search(specs, fixed, trials, seeds, also or [], jobs, keep, runs, as_json))


def specs_by_method(
    request: Request, methods: Sequence[str] | None, flags: Sequence[Flag]
) -> tuple[list[Spec], list[str]]:
    """One spec per method with the flags that concern it, and the names of the options that were given.

    Raises UsageError for a flag that concerns none.
    """
    from workbench.registry import methods as known

    wanted: list[str | None] = list(methods or []) or [None]
    named = {part.strip() for method in wanted if method for part in method.split("+")}
    specs = []
    for method in wanted:
        others = named - {part.strip() for part in method.split("+")} if method else set()
        mine = [flag for flag in flags if flag.part not in {dashes(other) for other in others}]
        specs += specs_of(replace(request, method=method, flags=mine))
    names = {dashes(name): name for name in known}
    return specs, [f"{names.get(flag.part, flag.part)}.{flag.option}" for flag in flags]


def run_search(
    specs: Sequence[Spec],
    fixed: Sequence[str],
    trials: int,
    seeds: str,
    also: Sequence[str],
    jobs: int,
    keep_in: Path | None,
    root: Path | None,
    as_json: bool,
) -> int:
    """Search, print the table, keep what was found, and return the exit code."""
    from workbench.cli.roots import require_writable
    from workbench.runs.search import found, studies_of, work
    from workbench.runs.store import RUNS_ROOT, runs_root
    from workbench.runs.tuned import keep, read_tuned, tuned_of

    require_writable(root or runs_root(), RUNS_ROOT)
    if keep_in is not None and keep_in.exists():
        read_tuned(keep_in)  # whatever is wrong with it is said before the search
    if keep_in is not None and keep_in.suffix not in (".yaml", ".yml"):
        raise UsageError(f"--keep takes a YAML file, such as tuned/cora.yaml (got {keep_in})")
    studies = studies_of(specs, parse_seeds(seeds), root, also, fixed)
    for study in studies:
        say(f"{study.method}: searches {', '.join(each.place for each in study.space) or 'nothing'}")
    try:
        work(studies, trials, jobs, teller(trials))
    except KeyboardInterrupt:
        say("\nthe same command goes on from there")
        return INTERRUPTED
    results = [found(study, trials) for study in studies]
    show(results, trials, as_json)
    failed = [each for each in results if each.best is None]
    if keep_in is not None:
        keep([tuned_of(each) for each in results if each not in failed], keep_in)
        say(f"kept in {keep_in}; `export WORKBENCH_TUNED={keep_in}`, and --preset tuned takes them")
    for each in failed:
        why = next((tried.message for tried in each.tried if tried.message), "none was tried")
        say(f"Error: {each.study.method}: no configuration could be judged: {why}")
    return RunError.exit_code if failed else 0


def teller(trials: int) -> Callable[[Study, Tried], None]:
    """Says how every configuration did, on stderr."""
    told: Counter[str] = Counter()

    def tell(study: Study, tried: Tried) -> None:
        if study.method not in told:
            told[study.method] = sum(each.state != "running" for each in study.tried()) - 1
        told[study.method] += 1
        say(news(study, tried, f"{told[study.method]} of {trials}"))

    return tell


def news(study: Study, tried: Tried, number: str) -> str:
    """A line for every configuration."""
    from workbench.runs.tuned import said

    options = said(tried.values) or "the default"
    outcome = f"{study.metric} {percent(tried.score)}" if tried.score is not None else f"failed: {tried.message}"
    return f"{study.method}: trial {number}, {outcome} ({options})"


def show(results: Sequence[Searched], trials: int, as_json: bool) -> None:
    """A row per method; scores are of validation."""
    from workbench.runs.tuned import said

    study = results[0].study
    if as_json:
        return print_json(
            {
                "dataset": study.spec.dataset.name,
                "teacher": study.spec.teacher.name,
                "student": study.spec.student.name,
                "seeds": list(study.seeds),
                "metric": study.metric,
                "trials": trials,
                "methods": [each.to_dict() for each in results],
            }
        )
    rows = []
    for each in results:
        score, default = (None if tried is None else tried.score for tried in (each.best, each.default))
        options = said(each.options) if each.best else MISSING
        rows.append([each.study.method, percent(score), percent(default), str(len(each.tried)), options])
    columns = ["method", "validation", "default", "trials", "best options"]
    print_table(columns, rows, right=["validation", "default", "trials"])
    typer.echo("")
    typer.echo(f"{study.metric} on validation, mean over {len(study.seeds)} seed(s); the test set was not looked at")
    if short := [each.study.method for each in results if len(each.tried) < trials]:
        typer.echo(f"there are no more configurations of {', '.join(short)}")
