"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from workbench.cli.flags import split_flags

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]
Name = Annotated[str | None, typer.Argument(help="Show this one in full, with all its options.")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or a part of it that only it has.")]
Runs = Annotated[
    Path | None,
    typer.Option(
        "--runs", metavar="DIR", resolve_path=True, help="Folder of the runs (default: WORKBENCH_RUNS, else runs)."
    ),
]
Detach = Annotated[bool, typer.Option("--detach", help="Return at once; the runs go on.")]

# What defines a run, for every command that starts some.
Dataset = Annotated[str | None, typer.Argument(metavar="DATASET", help="A dataset's name, or a path of your own.")]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="A preset of the dataset; `workbench datasets ml-10m` lists them. Or tuned, by `workbench search`.",
    ),
]
Teacher = Annotated[
    str | None, typer.Option(help="The teacher's architecture (default: what is usual for the task, as gat).")
]
Student = Annotated[
    str | None, typer.Option(help="The student's architecture (default: what is usual for the task, as gcn).")
]
Method = Annotated[
    str | None, typer.Option(help="One method, or a sum: kd+gcrd (default: what is usual for the task, as kd).")
]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1 or mps (default: auto).")]
Parameters = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Make the student as wide as N parameters allow.")
]
Megabytes = Annotated[
    float | None, typer.Option(min=0, help="Choose the student's width: at most so many MB of float32 weights.")
]
Compression = Annotated[
    float | None, typer.Option(metavar="X", help="The same, for X times fewer parameters than the teacher.")
]
SpecFile = Annotated[Path | None, typer.Option(metavar="FILE", help="A spec file; what is typed counts more.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Run again what is finished.")]

DOTTED_HELP = """
\b
Options with a dot set one part of the run:
  --student.hidden-channels 16     `workbench models gcn` lists them
  --teacher.heads 4                `workbench models gat`
  --kd.alpha 0.8                   `workbench methods kd`
  --dataset.k 5                    `workbench datasets builtin-digits`
  --training.epochs 100            the student's training
  --teacher-training.epochs 50     the teacher's
  --online.restart true            how a student follows snapshots: `workbench datasets enron`
Switches read --student.batch-norm, --no-student.batch-norm or --student.batch-norm false.
"""


class DottedCommand(TyperCommand):
    """A command that takes dotted options from anywhere in its arguments; they come as ``ctx.obj``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.obj, rest = split_flags(args)
        return super().parse_args(ctx, rest)
