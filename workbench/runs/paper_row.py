"""One row of the table of ours beside the papers', as numbers and as the words of its cells. Needs no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from workbench.analysis.published import Published
from workbench.analysis.statistics import ROUNDING, Paired, Summary
from workbench.runs.entry_names import title_of_method

TEACHER = "teacher"  # the method of a row that is a teacher's
NO_NUMBER, NOT_RUN, NO_ALONE = "no published number", "not run", "student alone not run"
NOTHING = "–"
MOST_DECIMALS = 2  # one of 10,000 test nodes is 0.01 %


@dataclass(frozen=True)
class PaperNumber:
    """A published ``number``; ``same`` says whether it may be subtracted from ours, ``gap`` how protocols differ.

    ``of_size`` says whether the model has the paper's size, though it may be on other data.
    """

    number: Published
    same: bool
    gap: str
    of_size: bool = True


@dataclass(frozen=True)
class Row:
    """A student or (with the method ``teacher``) a teacher over its seeds; scores in 0..1, published ones in percent.

    ``alone`` is the difference to the student alone; without runs the row is a published number that nobody has run.
    ``setting`` says what is unusual in how it was run, ``name`` is the dataset's as the command line takes it.
    """

    dataset: str
    teacher: str
    student: str
    method: str
    metric: str
    parameters: int | None
    options: tuple[str, ...] = ()
    ours: Summary | None = None
    alone: Paired | None = None
    without_alone: bool = False
    paper: PaperNumber | None = None
    seeds: tuple[int, ...] = ()
    runs: tuple[str, ...] = ()
    command: str = ""
    setting: str = ""
    name: str = ""
    id: str = ""

    @property
    def title(self) -> str:
        """``KD + G-CRD (hidden 4)``."""
        title = "Teacher" if self.method == TEACHER else title_of_method(self.method)
        return title + (f" ({', '.join(self.options)})" if self.options else "")

    @property
    def models(self) -> str:
        """``gat → gcn``, or the teacher alone."""
        return f"{self.teacher} → {self.student}" if self.student else self.teacher

    @property
    def minus_paper(self) -> float | None:
        """Points; None where there is nothing that may be subtracted."""
        if self.ours is None or self.paper is None or not self.paper.same:
            return None
        return 100 * self.ours.mean - self.paper.number.mean

    @property
    def verdict(self) -> str:
        """The sign of both differences in words, whatever their p."""
        if not self.runs:
            return NOT_RUN
        words = [NO_ALONE] if self.without_alone else []
        if self.alone is not None:
            words.append(_sign(self.alone.difference, "better than alone", "worse than alone", "equal to alone"))
        if self.minus_paper is not None:
            words.append(_sign(self.minus_paper, "above paper", "below paper", "equal to paper"))
        return ", ".join(words)

    @property
    def is_red(self) -> bool:
        """Whether it is worse than the student alone, or than the paper."""
        return "worse" in self.verdict or "below" in self.verdict

    @property
    def score(self) -> str:
        """``85.0 ± 1.2`` in percent, with the digits that the spread allows; of one seed without it."""
        if self.ours is None:
            return NOTHING
        digits = decimals(self.ours.std)
        mean = f"{100 * self.ours.mean:.{digits}f}"
        return mean if self.ours.std is None else f"{mean} ± {100 * self.ours.std:.{digits}f}"

    @property
    def minus_alone_cell(self) -> str:
        """``+1.2``, in points, with as many digits as the score."""
        if self.alone is None or self.ours is None:
            return NOTHING
        return signed(100 * self.alone.difference, decimals(self.ours.std))

    @property
    def test_cell(self) -> str:
        """``0.03 (10)``: p of the paired t-test, and the number of pairs."""
        if self.alone is None:
            return NOTHING
        return f"{NOTHING if self.alone.p is None else f'{self.alone.p:.2g}'} ({self.alone.n})"

    @property
    def paper_cell(self) -> str:
        """``71.64 ± 0.16`` as printed, with the dataset where it is another one."""
        if self.paper is None:
            return NO_NUMBER
        number = self.paper.number
        return str(number) + (f" ({number.dataset})" if number.dataset != self.name else "")

    @property
    def minus_paper_cell(self) -> str:
        """In points, with no more digits than the paper's number has."""
        if self.minus_paper is None or self.ours is None or self.paper is None:
            return NOTHING
        printed = len(str(self.paper.number).split(" ")[0].partition(".")[2])
        return signed(self.minus_paper, min(printed, decimals(self.ours.std)))

    @property
    def gap(self) -> str:
        """What is unusual in ours and the gap to the paper's protocol, in words; empty where there is neither."""
        return " ".join(filter(None, (self.setting, self.paper.gap if self.paper else "")))

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data; scores and differences in percent."""
        ours, alone, paper = self.ours, self.alone, self.paper
        return {
            "dataset": self.dataset,
            "teacher": self.teacher,
            "student": self.student or None,
            "method": self.method,
            "options": list(self.options),
            "metric": self.metric,
            "parameters": self.parameters,
            "mean": ours and percent(ours.mean),
            "std": None if ours is None or ours.std is None else percent(ours.std),
            "n": ours.n if ours else 0,
            "seeds": list(self.seeds),
            "minus_alone": alone and percent(alone.difference),
            "p": alone and alone.p,
            "pairs": alone.n if alone else 0,
            "paper": paper and paper.number.mean,
            "paper_std": paper and paper.number.std,
            "paper_seeds": paper and paper.number.seeds,
            "paper_dataset": paper and paper.number.dataset,
            "paper_parameters": paper and paper.number.student_parameters,
            "source": paper.number.source if paper else NO_NUMBER,
            "minus_paper": None if self.minus_paper is None else round(self.minus_paper, 4) + 0.0,
            "gap": self.gap,
            "verdict": self.verdict,
            "red": self.is_red,
            "runs": list(self.runs),
            "command": self.command or None,
        }


def decimals(std: float | None) -> int:
    """Digits behind the point of a score in percent with this standard deviation (0..1): two digits of the deviation.

    One for a single seed, and :data:`MOST_DECIMALS` at most.
    """
    if std is None:
        return 1
    if 100 * std < 10 ** (1 - MOST_DECIMALS):
        return MOST_DECIMALS
    return min(max(1 - math.floor(math.log10(100 * std)), 0), MOST_DECIMALS)


def signed(value: float, digits: int) -> str:
    """``+1.2``, ``−0.3`` and ``0.0``."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else '−'}{text}"


def percent(value: float) -> float:
    """To 0.0001, which is finer than one of a million test nodes and coarser than float32 in the way."""
    return round(100 * value, 4) + 0.0  # no minus before a zero


def several(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _sign(difference: float, above: str, below: str, equal: str) -> str:
    return equal if abs(difference) <= ROUNDING else above if difference > 0 else below
