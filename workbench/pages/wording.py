"""How numbers, states and names are written for people; what is no number, in a damaged file, is a dash."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.runs.stored_values import finite

NONE = "–"
STATES: Mapping[str, tuple[str, str]] = {  # state -> colour and icon of its badge
    "queued": ("gray", ":material/schedule:"),
    "running": ("blue", ":material/play_arrow:"),
    "done": ("green", ":material/check:"),
    "failed": ("red", ":material/error:"),
    "stopped": ("orange", ":material/stop_circle:"),
    "lost": ("orange", ":material/help:"),
}
JUDGES: Mapping[str, str] = {"auc": "AUC", "micro_f1": "micro-F1"}  # what is judged by them is by no accuracy
CONTROLS: Mapping[str, str] = {  # what stands in a teacher's place -> its name in a sentence
    "untrained": "its untrained teacher",
    "shuffled": "its teacher, which was trained on permuted labels",
}


def plain(text: object) -> str:
    """``text`` with every character escaped to which Markdown gives a meaning."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>&])", r"\\\1", str(text))


def by_line(text: object) -> str:
    """``text`` with every character escaped to which Markdown gives a meaning; its lines stay lines."""
    return "  \n".join(plain(line.strip()) for line in str(text).splitlines())


def title_of(name: str) -> str:
    """``hidden_channels`` -> ``Hidden channels``."""
    return name.replace("_", " ").capitalize()


def percent(share: Any) -> str:
    """0.8163 -> ``81.6 %``."""
    found = finite(share)
    return NONE if found is None else f"{100 * found:.1f} %"


def count(value: Any) -> str:
    """1234567 -> ``1.23 M``; below ten thousand in full."""
    if (number := finite(value)) is None:
        return NONE
    return f"{number:,.0f}" if round(number) < 10_000 else _three_digits(number, ("", "k", "M", "G"))


def size(value: Any) -> str:
    """Bytes -> ``328 B``, ``16.4 kB``, ``1.2 MB`` (10⁶ bytes) or ``3.1 GB``."""
    if (number := finite(value)) is None:
        return NONE
    return f"{number:.0f} B" if round(number) < 1000 else _three_digits(number, ("B", "kB", "MB", "GB"))


def _three_digits(number: float, units: Sequence[str]) -> str:
    """999999 in ``("", "k", "M")`` -> ``1 M``: a unit is 1,000 of the one before; of the last, as many as there are."""
    number, power = float(f"{number:.3g}"), 0
    while number >= 1000 and power < len(units) - 1:
        number, power = number / 1000, power + 1
    return f"{number:.3g} {units[power]}" if number < 1000 else f"{number:,.0f} {units[power]}"


def times(value: Any) -> str:
    """12.345 -> ``12.3 ×``."""
    ratio = finite(value)
    return NONE if ratio is None else f"{ratio:.1f} ×" if ratio < 100 else f"{ratio:,.0f} ×"


def relative_size(value: Any) -> str:
    """The student beside its teacher: 16 -> ``16.0 × smaller``, 0.5 -> ``2.0 × larger``, 1 -> ``equally large``."""
    if (ratio := finite(value)) is None or ratio <= 0:
        return NONE
    if abs(ratio - 1) < 0.05:
        return "equally large"
    return f"{times(ratio)} smaller" if ratio > 1 else f"{times(1 / ratio)} larger"


def milliseconds(value: Any) -> str:
    """0.852 -> ``0.85 ms``."""
    number = finite(value)
    return NONE if number is None else f"{number:,.2f} ms"


def duration(value: Any) -> str:
    """75 -> ``1 min 15 s``."""
    if (seconds := finite(value)) is None:
        return NONE
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def judged_by(result: Mapping[str, Any] | None) -> str:
    """The metric of the test that a run is judged by: the first of ``JUDGES`` that was measured, or ``accuracy``."""
    test = dig(result, "teacher", "metrics", "test")
    return next((name for name in JUDGES if isinstance(test, Mapping) and name in test), "accuracy")


def score(result: Mapping[str, Any] | None, role: str) -> float | None:
    """The test score (0..1) of ``teacher``, ``student`` or ``plain``, None where it is not there."""
    return finite(dig(result, role, "metrics", "test", judged_by(result)))


def dig(document: Any, *keys: str) -> Any:
    """The value below ``keys`` in nested mappings, or None where the path ends early."""
    for key in keys:
        if not isinstance(document, Mapping):
            return None
        document = document.get(key)
    return document


def story(result: Mapping[str, Any]) -> str:
    """One sentence about what a distillation achieved, from its own numbers."""
    teacher, student, ratio = score(result, "teacher"), score(result, "student"), finite(result.get("compression"))
    if teacher is None or student is None or not ratio or ratio < 0:
        return "This run has not been measured completely."
    size = f"is {relative_size(ratio)}"
    control = dig(result, "teacher", "control")
    beside = CONTROLS.get(control, "its teacher") if isinstance(control, str) else "its teacher"
    return f"The student {size} and {_beside(student, teacher, judged_by(result))} {beside}{_alone(result, student)}."


def _alone(result: Mapping[str, Any], student: float) -> str:
    """How much of it is due to distilling, where a student without it was trained beside."""
    alone = score(result, "plain")
    return "" if alone is None else f", and {_beside(student, alone, judged_by(result))} the student alone"


def _beside(score: float, other: float, metric: str) -> str:
    """``1.2 points better than``, ``as accurate as`` – the start of a comparison."""
    points = 100 * (score - other)
    if abs(points) < 0.05:
        return "as good as" if metric in JUDGES else "as accurate as"
    of = f" of {JUDGES[metric]}" if metric in JUDGES else ""
    return f"{abs(points):.1f} points{of} {'better' if points > 0 else 'worse'} than"
