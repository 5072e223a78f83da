"""Typed options: one description from which YAML, flags, forms, docs and search spaces are made.

A :class:`Config` is a frozen pydantic model that refuses unknown keys with a suggestion. Its fields
are declared with :func:`Option`, which carries help, bounds and (where it makes sense) the range a
search may try. :func:`describe` reads all of that back as plain data for the doors.
"""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticUndefined

from workbench.errors import UsageError, did_you_mean

Kind = Literal["bool", "int", "float", "choice", "text"]


@dataclass(frozen=True)
class Search:
    """What a hyper-parameter search may try: a range (``log`` for orders of magnitude) or choices."""

    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()


def Option(  # noqa: N802 - reads like pydantic's Field at the place where it is used
    default: Any,
    *,
    help: str,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    search: Search | None = None,
    advanced: bool = False,
) -> Any:
    """A field with its help, bounds (``ge`` ≥, ``gt`` >, ``le`` ≤, ``lt`` <) and search range.

    ``advanced`` options are folded away in forms.
    """
    return Field(
        default,
        description=help,
        ge=ge,
        gt=gt,
        le=le,
        lt=lt,
        json_schema_extra={"search": search, "advanced": advanced},  # type: ignore[dict-item]
    )


class Config(BaseModel):
    """Base of everything in a spec: frozen, compared by value, strict about its keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True, arbitrary_types_allowed=False
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, values: Any) -> Any:
        if isinstance(values, dict):
            for key in values:
                if key not in cls.model_fields:
                    options = ", ".join(cls.model_fields)
                    raise ValueError(
                        f"unknown option {key!r}: {did_you_mean(str(key), cls.model_fields)}options are {options}"
                    )
        return values

    @classmethod
    def parse(cls, values: Any, where: str = "") -> Self:
        """Validate, and turn every fault into one :class:`UsageError` that a person can read."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise UsageError(explain(error, where or cls.__name__)) from None

    def replace(self, **changes: Any) -> Self:
        """A copy with ``changes``, validated again."""
        values = {name: getattr(self, name) for name in self.model_fields_set} | changes
        return type(self).parse(values)


class Component(Config):
    """A dataset, model or method by ``name``. ``version`` is raised when its results change."""

    name: str
    title: ClassVar[str] = ""
    version: ClassVar[int] = 1


def explain(error: ValidationError, where: str) -> str:
    """One line per fault: where, what was given, what was expected."""
    lines = []
    for fault in error.errors():
        path = ".".join(str(part) for part in fault["loc"] if not str(part).startswith("function-"))
        place = ".".join(part for part in (where, path) if part)
        message = fault["msg"].removeprefix("Value error, ")
        given = fault.get("input")
        if given is None and fault["type"] != "value_error":
            lines.append(f"{place} is missing: give a value")
            continue
        shown = f" (got {given!r})" if fault["type"] != "value_error" and _is_short(given) else ""
        lines.append(f"{place}: {message}{shown}")
    return "\n".join(dict.fromkeys(lines))


def _is_short(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool, type(None))) and len(repr(value)) <= 80


@dataclass(frozen=True)
class OptionInfo:
    """One option as plain data. ``optional`` means that empty (None) is allowed."""

    name: str
    kind: Kind
    default: Any
    help: str
    choices: tuple[Any, ...] = ()
    optional: bool = False
    low: float | None = None
    high: float | None = None
    low_exclusive: bool = False
    high_exclusive: bool = False
    search: Search | None = None
    advanced: bool = False


def describe(config: type[Config]) -> tuple[OptionInfo, ...]:
    """The options of a config class in the order in which they are declared (``name`` left out)."""
    found = []
    for name, field in config.model_fields.items():
        if name == "name" or _is_nested(field.annotation):
            continue
        kind, choices, optional = _kind_of(field.annotation)
        low, high, low_ex, high_ex = _bounds_of(field.metadata)
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        default = None if field.default is PydanticUndefined else field.default
        found.append(
            OptionInfo(
                name=name,
                kind=kind,
                default=default,
                help=field.description or "",
                choices=choices,
                optional=optional,
                low=low,
                high=high,
                low_exclusive=low_ex,
                high_exclusive=high_ex,
                search=typing.cast("Search | None", extra.get("search")),
                advanced=bool(extra.get("advanced")),
            )
        )
    return tuple(found)


def _is_nested(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _kind_of(annotation: Any) -> tuple[Kind, tuple[Any, ...], bool]:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(annotation) if part is not type(None)]
        kind, choices, _ = _kind_of(inner[0])
        return kind, choices, True
    if origin is Literal:
        return "choice", typing.get_args(annotation), False
    kinds: dict[Any, Kind] = {bool: "bool", int: "int", float: "float"}
    return kinds.get(annotation, "text"), (), False


def _bounds_of(metadata: list[Any]) -> tuple[float | None, float | None, bool, bool]:
    low = high = None
    low_ex = high_ex = False
    for bound in metadata:
        for attribute in ("ge", "gt", "le", "lt"):
            value = getattr(bound, attribute, None)
            if value is None:
                continue
            if attribute in ("ge", "gt"):
                low, low_ex = value, attribute == "gt"
            else:
                high, high_ex = value, attribute == "lt"
    return low, high, low_ex, high_ex
