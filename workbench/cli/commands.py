"""The commands. Each reads its arguments and hands over; what is heavy is imported when it is needed."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from workbench.cli.arguments import (
    DOTTED_HELP,
    Compression,
    Dataset,
    Detach,
    Device,
    DottedCommand,
    Fresh,
    Json,
    Megabytes,
    Method,
    Name,
    Parameters,
    Preset,
    RunName,
    Runs,
    SpecFile,
    Student,
    Teacher,
)
from workbench.cli.benchmarks import benchmarks
from workbench.cli.controls import controls
from workbench.cli.robustness import robustness
from workbench.cli.search import search
from workbench.cli.similarity import similarity
from workbench.cli.sweep import sweep
from workbench.cli.table import table
from workbench.cli.track import track
from workbench.errors import WorkbenchError


class Commands(TyperGroup):
    """Shows a fault that a person can mend as one message, with its exit code and without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except WorkbenchError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(error.exit_code) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Distil a large graph neural network into a small one, and see what the student learned, lost and why.",
)
app.add_typer(benchmarks, name="bench")


def _version(wanted: bool) -> None:
    if wanted:
        import workbench

        typer.echo(f"workbench {workbench.__version__}")
        raise typer.Exit


@app.callback()
def workbench_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


@app.command("app")
def dashboard(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port (default: the first free one).")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")] = True,
) -> None:
    """The dashboard, on this machine only."""
    from workbench.cli.dashboard import serve

    raise typer.Exit(1 if serve(port, browser) else 0)


@app.command("datasets")
def datasets(name: Name = None, as_json: Json = False) -> None:
    """List the datasets, or show one."""
    from workbench.cli.cards import show_datasets

    show_datasets(name, as_json)


@app.command("models")
def models(name: Name = None, as_json: Json = False) -> None:
    """List the models, or show one."""
    from workbench.cli.cards import show_models

    show_models(name, as_json)


@app.command("methods")
def methods(name: Name = None, as_json: Json = False) -> None:
    """List the distillation methods, or show one."""
    from workbench.cli.cards import show_methods

    show_methods(name, as_json)


@app.command("distill", cls=DottedCommand, epilog=DOTTED_HELP)
def distill(
    ctx: typer.Context,
    dataset: Dataset = None,
    preset: Preset = None,
    teacher: Teacher = None,
    student: Student = None,
    method: Method = None,
    seeds: Annotated[str | None, typer.Option(metavar="SEEDS", help="0-4,7 makes six runs (default: 0).")] = None,
    device: Device = None,
    umap: Annotated[bool | None, typer.Option("--umap/--no-umap", help="Also compute the UMAP at the end.")] = None,
    teacher_control: Annotated[
        str | None,
        typer.Option(help="A control in the teacher's place: untrained, or shuffled labels (default: none)."),
    ] = None,
    budget_parameters: Parameters = None,
    budget_megabytes: Megabytes = None,
    compression: Compression = None,
    spec: SpecFile = None,
    fresh: Fresh = False,
    detach: Detach = False,
    as_json: Json = False,
    runs: Runs = None,
) -> None:
    """Train a teacher and distil it into a student, once per seed."""
    from workbench.cli import distill as distilling
    from workbench.cli.specs import Request, specs_of

    request = Request(
        dataset,
        teacher,
        student,
        method,
        seeds,
        device,
        umap,
        teacher_control,
        spec,
        budget_parameters,
        budget_megabytes,
        compression,
        ctx.obj,
        preset=preset,
    )
    launched = distilling.start(specs_of(request), fresh, runs)
    if detach:
        return distilling.detach(launched, as_json)
    raise typer.Exit(distilling.follow_and_report(launched, as_json))


app.command("controls", cls=DottedCommand, epilog=DOTTED_HELP)(controls)
app.command("robustness")(robustness)
app.command("search", cls=DottedCommand, epilog=DOTTED_HELP)(search)
app.command("similarity")(similarity)
app.command("sweep")(sweep)


@app.command("runs")
def list_runs(as_json: Json = False, runs: Runs = None) -> None:
    """List the runs, newest first."""
    from workbench.cli.history import history, print_history
    from workbench.cli.output import print_json
    from workbench.runs.store import list_runs as find_all

    found = find_all(runs)
    if as_json:
        print_json(history(found))
    else:
        print_history(found)


@app.command("show")
def show(run: RunName, as_json: Json = False, runs: Runs = None) -> None:
    """Show one run in full."""
    from workbench.cli.history import card, print_card
    from workbench.cli.output import print_json
    from workbench.runs.store import find_run

    found = find_run(run, runs)
    if as_json:
        print_json(card(found))
    else:
        print_card(found)


@app.command("stop")
def stop(run: RunName, runs: Runs = None) -> None:
    """Stop a run; it can be resumed."""
    from workbench.cli.output import say
    from workbench.runs.launch import stop as stop_run
    from workbench.runs.store import find_run

    found = find_run(run, runs)
    stop_run(found)
    say(f"{found.id}: {found.status.state}")


@app.command("resume")
def resume(run: RunName, detach: Detach = False, as_json: Json = False, runs: Runs = None) -> None:
    """Go on with a run that was stopped, failed or lost, from its last checkpoint."""
    from workbench.cli import distill as distilling
    from workbench.runs.launch import resume as resume_run
    from workbench.runs.store import find_run

    found = find_run(run, runs)
    resume_run(found)
    if detach:
        return distilling.detach([found], as_json)
    raise typer.Exit(distilling.follow_and_report([found], as_json))


@app.command("rerun")
def rerun(
    run: RunName,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 when a metric differs.")] = False,
    tolerance: Annotated[float, typer.Option(min=0, help="Relative or absolute difference that is allowed.")] = 1e-6,
    as_json: Json = False,
    runs: Runs = None,
) -> None:
    """Run the same spec again and compare every metric."""
    from workbench.cli.output import print_json
    from workbench.cli.rerun import print_comparison
    from workbench.cli.rerun import rerun as run_again
    from workbench.runs.store import find_run

    document = run_again(find_run(run, runs), tolerance)
    if as_json:
        print_json(document)
    else:
        print_comparison(document)
    raise typer.Exit(1 if check and not document["equal"] else 0)


app.command("table")(table)
app.command("track")(track)


@app.command("doctor")
def doctor(as_json: Json = False) -> None:
    """What is installed, which devices and datasets are here, and where things are kept."""
    from workbench.cli.doctor import examine, print_examination
    from workbench.cli.output import print_json

    document = examine()
    if as_json:
        print_json(document)
    else:
        print_examination(document)
    if document["problems"]:
        raise typer.Exit(1)
