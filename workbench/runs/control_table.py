"""What a method and its controls scored, side by side: a table with paired statistics. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.analysis.statistics import Paired, Summary, paired_test, summarise
from workbench.runs.leaderboard import METRICS

if TYPE_CHECKING:
    from workbench.runs.folder import Run
    from workbench.spec import Spec

SPLIT = "test"
ALONE, SAME_UPDATES = "student alone", "student alone, same updates"
MISSING = "–"
QUESTIONS = {
    ALONE: "does distillation help at all?",
    SAME_UPDATES: "or does the number of updates?",
    "label smoothing": "or do softer labels, without any teacher?",
    "untrained teacher": "or does regularisation by an untrained teacher?",
    "label-shuffled teacher": "or does imitating one taught permuted labels?",
}


@dataclass(frozen=True)
class Row:
    """The method or one control: per seed its run and the student's test score, None where the run did not finish.

    ``difference`` is the method minus this control over the seeds that both have; None for the method itself
    and where there is no such seed.
    """

    name: str
    question: str
    runs: tuple[Run | None, ...]
    values: tuple[float | None, ...]
    difference: Paired | None = None

    @property
    def summary(self) -> Summary | None:
        """Mean and sample standard deviation over the seeds that finished."""
        known = [value for value in self.values if value is not None]
        return summarise(known) if known else None

    def to_dict(self) -> dict[str, Any]:
        found, paired = self.summary, self.difference
        return {
            "name": self.name,
            "question": self.question,
            "runs": [run and run.id for run in self.runs],
            "values": list(self.values),
            "mean": found and found.mean,
            "std": found and found.std,
            "n": found.n if found else 0,
            "difference": paired
            and {
                "mean": paired.difference,
                "interval": paired.interval and list(paired.interval),
                "p": paired.p,
                "n": paired.n,
            },
        }


@dataclass(frozen=True, repr=False)
class Controls:
    """A method beside its controls. The first of ``rows`` is the method; ``spec`` is its spec for the first seed.

    Printing it gives the table as Markdown. p-values are of single paired t-tests, two-sided and not
    corrected for how many there are; intervals hold the mean difference with 95 % confidence. Both are missing
    where no test can be made: for one seed, and where every seed differs by the same amount.
    """

    spec: Spec
    metric: str
    seeds: tuple[int, ...]
    rows: tuple[Row, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        method = self.rows[0].name
        score = METRICS.get(self.metric, self.metric)
        return ("student", f"{SPLIT} {score} %", f"{method} minus it", "95 % interval", "p", "it asks")

    def cells(self) -> list[tuple[str, ...]]:
        """The table as text, one tuple per row under :attr:`columns`; scores and differences in percent points."""
        return [(row.name, _score(row.summary), *_comparison(row.difference), row.question) for row in self.rows]

    @property
    def notes(self) -> list[str]:
        """How to read the table, and what is missing in it."""
        number = len(self.rows) - 1
        pairs = [row.difference.n for row in self.rows if row.difference is not None]
        notes = [f"p: two-sided paired t-test over the seeds, not corrected for the {number} comparisons."]
        if max(pairs, default=0) < 2:
            notes = ["One seed: differences without a test. Two seeds or more are needed for p and the interval."]
        for row in self.rows:
            gaps = [str(seed) for seed, value in zip(self.seeds, row.values, strict=True) if value is None]
            if gaps:
                notes.append(f"{row.name}: not finished, and so left out, for seed {', '.join(gaps)}.")
        tests = {row.name: row.difference for row in self.rows if row.difference is not None}
        untested = [name for name, test in tests.items() if test.n > 1 and test.p is None]
        if untested:
            notes.append(f"{MISSING} for {'; '.join(untested)}: every seed differs by the same amount: no test.")
        return [*notes, *self._same_training(), *self._labels_still_true()]

    def _same_training(self) -> list[str]:
        """Says for which seeds both students alone are one: neither differs by more than the epochs it made."""
        rows = {row.name: [result_of(run) for run in row.runs] for row in self.rows}
        pairs = zip(self.seeds, rows.get(ALONE, ()), rows.get(SAME_UPDATES, ()), strict=False)
        same = [str(seed) for seed, a, b in pairs if a and b and a["student"]["epochs"] == b["student"]["epochs"]]
        return [f"{SAME_UPDATES}: the very same training as {ALONE} for seed {', '.join(same)}."] if same else []

    def _labels_still_true(self) -> list[str]:
        """How true the labels of shuffled teachers were; nothing of runs that are older than this record."""
        notes = []
        for row in self.rows:
            teachers = [result["teacher"] for result in map(result_of, row.runs) if result is not None]
            shares = [teacher["labels_still_true"] for teacher in teachers if "labels_still_true" in teacher]
            if shares:
                train, val = (100 * summarise([share[split] for share in shares]).mean for split in ("train", "val"))
                notes.append(
                    f"{row.name}: by chance {train:.0f} % of its training and {val:.0f} % of its validation labels "
                    f"stayed true."
                )
        return notes

    def to_markdown(self) -> str:
        """The table and its notes as Markdown."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.cells()]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return "\n\n".join([table, *self.notes])

    def to_frame(self) -> Any:
        """A pandas DataFrame, one row per control, with the numbers as they are (scores in 0..1)."""
        import pandas as pd

        documents = [row.to_dict() for row in self.rows]
        for document in documents:
            paired = document.pop("difference") or {}
            low, high = paired.get("interval") or (None, None)
            document |= {"difference": paired.get("mean"), "low": low, "high": high, "p": paired.get("p")}
            document |= dict(zip((f"seed {seed}" for seed in self.seeds), document.pop("values"), strict=True))
        return pd.DataFrame(documents).drop(columns="runs").set_index("name")

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data that JSON can hold."""
        return {
            "spec": self.spec.model_dump(mode="json", exclude={"seed"}),
            "metric": self.metric,
            "split": SPLIT,
            "seeds": list(self.seeds),
            "rows": [row.to_dict() for row in self.rows],
            "notes": self.notes,
        }

    def __repr__(self) -> str:
        return f"Controls({self.rows[0].name!r}, seeds={list(self.seeds)})"

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        from html import escape

        head = "".join(f"<th>{escape(column)}</th>" for column in self.columns)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in self.cells())
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def tabulate(spec: Spec, metric: str, seeds: Sequence[int], runs: Mapping[str, Sequence[Run | None]]) -> Controls:
    """The table of ``runs``, by row name and in the order of ``seeds``; the first row is the method."""
    scores = {name: tuple(_student_score(run, metric) for run in row) for name, row in runs.items()}
    method, *_ = scores
    rows = [
        Row(
            name,
            QUESTIONS.get(name, ""),
            tuple(runs[name]),
            values,
            None if name == method else compare(scores[method], values),
        )
        for name, values in scores.items()
    ]
    return Controls(spec, metric, tuple(seeds), tuple(rows))


def compare(method: Sequence[float | None], control: Sequence[float | None]) -> Paired | None:
    """The method minus the control over the seeds that both have; None without one."""
    pairs = [(m, c) for m, c in zip(method, control, strict=True) if m is not None and c is not None]
    return paired_test(*zip(*pairs, strict=True)) if pairs else None


def result_of(run: Run | None) -> dict[str, Any] | None:
    """The result of a run that is done; None of any other, and where there is none."""
    return run.result if run is not None and run.status.state == "done" else None


def _student_score(run: Run | None, metric: str) -> float | None:
    result = result_of(run)
    return None if result is None else result["student"]["metrics"][SPLIT].get(metric)


def _score(summary: Summary | None) -> str:
    if summary is None:
        return MISSING
    return f"{100 * summary.mean:.1f}" + ("" if summary.std is None else f" ± {100 * summary.std:.1f}")


def _comparison(paired: Paired | None) -> tuple[str, str, str]:
    if paired is None:
        return "", "", ""
    interval = MISSING if paired.interval is None else " to ".join(f"{100 * end:+.1f}" for end in paired.interval)
    return f"{100 * paired.difference:+.1f}", interval, MISSING if paired.p is None else f"{paired.p:.2g}"
