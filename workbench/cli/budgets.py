"""The student's budget on the command line: the options that choose its width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.cli.flags import dashes
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.cli.specs import Request
    from workbench.spec import Spec


def budgets(request: Request) -> dict[str, Any]:
    """The targets that were typed, as :func:`solve_budget` names them."""
    return {
        "parameters": request.budget_parameters,
        "megabytes": request.budget_megabytes,
        "compression": request.compression,
    }


def fit_student(spec: Spec, request: Request) -> dict[str, Any]:
    """The student of ``spec``, as wide as its budget allows."""
    from workbench.cli.output import say
    from workbench.datasets import load_dataset
    from workbench.models.budget import solve_budget
    from workbench.runs.download_bar import DownloadBar
    from workbench.runs.model_widths import model_widths

    if sum(value is not None for value in budgets(request).values()) > 1:
        flags = "--budget-parameters, --budget-megabytes and --compression"
        raise UsageError(f"{flags} all choose the student's width: give one of them")
    width = spec.student.width_option
    if any(flag.part == "student" and flag.option == width for flag in request.flags):
        raise UsageError(f"--student.{dashes(width)} and a budget both choose the student's width: give one of them")
    with DownloadBar() as progress:
        data = load_dataset(spec.dataset, progress=progress)
    widths = model_widths(spec, data)
    solved = solve_budget(
        spec.student,
        *widths.student,
        **budgets(request),
        teacher_parameters=spec.teacher.count_parameters(*widths.teacher),
    )
    chosen = getattr(solved.config, width)
    say(f"student {spec.student.name}: {dashes(width)} {chosen}, {solved.parameters:,} parameters")
    return solved.config.model_dump(mode="json")
