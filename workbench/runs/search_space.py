"""What a search may try: the options with a search range of a spec's methods and, if wanted, of its training."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import UsageError
from workbench.options import Config, OptionInfo, describe

if TYPE_CHECKING:
    from workbench.spec import Spec

DIGITS = 3  # of a number that is tried: what is tuned is read and typed by people
ALSO = ("training",)
STUDENT_OPTIONS = ("dropout",)  # of the student's other options most change its size, and every method has the same one


@dataclass(frozen=True)
class Range:
    """What may be tried of one option, which ``place`` names as flags do: ``lsp.weight``, ``training.learning_rate``.

    ``low`` and ``high`` are included, ``log`` draws orders of magnitude, ``default`` is what the spec says.
    """

    place: str
    kind: Literal["float", "int", "choice"]
    default: Any
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()

    def value(self, drawn: Any) -> Any:
        """``drawn`` as it is tried: a number in the range, of :data:`DIGITS` digits."""
        if self.kind == "choice":
            return drawn
        if self.kind == "int":
            return round(drawn)
        return min(max(float(f"{drawn:.{DIGITS}g}"), self.low), self.high)

    @property
    def nearest_default(self) -> Any:
        """The default, or what there is nearest to it in the range: a sampler knows nothing outside."""
        if self.kind == "choice":
            return self.default if self.default in self.choices else self.choices[0]
        return min(max(self.default if isinstance(self.default, int | float) else self.low, self.low), self.high)

    @property
    def count(self) -> float:
        """How many different values there are."""
        if self.kind == "choice":
            return len(self.choices)
        return self.high - self.low + 1 if self.kind == "int" else math.inf


def search_space(spec: Spec, also: Iterable[str] = (), fixed: Collection[str] = ()) -> tuple[Range, ...]:
    """The ranges of a spec: its methods' own options, and with ``also=["training"]`` those of the student's training.

    The training is its learning rate, its weight decay and the student's dropout. It is searched too where the methods
    have nothing of their own: the student alone is tuned with the same budget. ``fixed`` names options that were given
    and are not searched. All of it comes from the options themselves. Raises UsageError for another ``also``.
    """
    if unknown := [name for name in also if name not in ALSO]:
        raise UsageError(f"a search can also try {', '.join(ALSO)} (got {unknown[0]!r})")
    own = [found for part in spec.method for found in _ranges(part.name, part)]
    if also or not own:
        own += [*_ranges("training", spec.training), *_ranges("student", spec.student, STUDENT_OPTIONS)]
    return tuple(found for found in own if found.place not in fixed)


def applied(spec: Spec, values: Mapping[str, Any]) -> Spec:
    """``spec`` with ``values``, named as in :attr:`Range.place`. Raises UsageError where they do not go together."""
    changes: dict[str, dict[str, Any]] = {}
    for place, value in values.items():
        part, option = place.split(".")
        changes.setdefault(part, {})[option] = value
    parts: dict[str, Any] = {
        name: getattr(spec, name).replace(**changes.pop(name)) for name in ("training", "student") if name in changes
    }
    if changes:
        parts["method"] = tuple(part.replace(**changes.get(part.name, {})) for part in spec.method)
    return spec.replace(**parts) if parts else spec


def values_of(spec: Spec, space: Iterable[Range]) -> dict[str, Any]:
    """What ``spec`` says of every option of ``space``."""
    parts: dict[str, Config] = {"training": spec.training, "student": spec.student}
    parts |= {part.name: part for part in spec.method}
    found = {}
    for each in space:
        part, option = each.place.split(".")
        found[each.place] = getattr(parts[part], option)
    return found


def count(space: Iterable[Range]) -> float:
    """How many configurations there are; infinity where a number is searched."""
    return math.prod(each.count for each in space)


def _ranges(part: str, config: Config, only: Collection[str] | None = None) -> list[Range]:
    infos = [info for info in describe(type(config)) if info.search and (only is None or info.name in only)]
    return [_range(f"{part}.{info.name}", info, getattr(config, info.name)) for info in infos]


def _range(place: str, info: OptionInfo, default: Any) -> Range:
    assert info.search is not None
    search = info.search
    if search.choices or search.low is None or search.high is None:
        choices = search.choices or ((False, True) if info.kind == "bool" else info.choices)
        return Range(place, "choice", default, choices=tuple(choices))
    kind: Literal["int", "float"] = "int" if info.kind == "int" else "float"
    return Range(place, kind, default, float(search.low), float(search.high), search.log)
