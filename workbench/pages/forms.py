"""A form for any config class, made from the description of its options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench.options import Config, OptionInfo, describe
from workbench.pages.wording import title_of
from workbench.runs.stored_values import finite

MOST = 2**53  # beyond it a browser cannot tell whole numbers apart, and the widget refuses them
KEEP = "session"  # a form keeps what was entered while another page, or another part of this one, is shown


def option_form(
    config: type[Config],
    key: str,
    defaults: Mapping[str, Any] | None = None,
    start: Mapping[str, Any] | None = None,
    fixed: Mapping[str, Any] | None = None,
    columns: int = 2,
) -> dict[str, Any]:
    """Draw the options of ``config``; returns those that differ from the defaults.

    ``defaults`` go before the class's own (a preset), ``start`` are the values first shown, and ``fixed``
    options are not asked for. Advanced options are folded away. Nothing is validated here: that is the spec's task.
    """
    infos = [info for info in describe(config) if info.name not in (fixed or {})]
    usual = {info.name: info.default for info in infos} | dict(defaults or {})
    values: dict[str, Any] = {}
    _grid([info for info in infos if not info.advanced], key, usual, start or {}, values, columns)
    advanced = [info for info in infos if info.advanced]
    if advanced:
        with st.popover("More options", icon=":material/tune:", key=f"{key}-more"):
            _grid(advanced, key, usual, start or {}, values, 1)
    return {name: value for name, value in values.items() if value != usual[name]}


def _grid(
    infos: list[OptionInfo],
    key: str,
    usual: Mapping[str, Any],
    start: Mapping[str, Any],
    values: dict[str, Any],
    columns: int,
) -> None:
    for row in range(0, len(infos), columns):
        for cell, info in zip(st.columns(columns), infos[row : row + columns], strict=False):
            with cell:
                values[info.name] = option_field(info, f"{key}-{info.name}", start.get(info.name, usual[info.name]))


def option_field(info: OptionInfo, key: str, value: Any) -> Any:
    """One widget for one option, showing ``value`` at first; returns what it holds."""
    common: dict[str, Any] = {"key": key, "help": info.help or None, "persist_state": KEEP}
    label = title_of(info.name)
    if info.kind == "bool":
        return st.toggle(label, value=bool(value), **common)
    if info.kind == "choice":
        choices = [None, *info.choices] if info.optional else list(info.choices)
        index = choices.index(value) if value in choices else 0
        return st.selectbox(
            label, choices, index=index, format_func=lambda c: "none" if c is None else str(c), **common
        )
    if info.kind == "text":
        text = st.text_input(label, value="" if value is None else str(value), **common)
        return text or (None if info.optional else "")
    empty = {"placeholder": "none"} if info.optional else {}
    if info.kind == "int":
        return st.number_input(label, value=value, step=1, **_int_bounds(info), **empty, **common)
    number = None if value is None else float(value)
    return st.number_input(
        label, value=number, step=_step(value), format="%g", **_float_bounds(info), **empty, **common
    )


def fault(info: OptionInfo, value: Any) -> str:
    """What keeps ``value`` from being shown and taken by the widget of an option; empty where nothing does."""
    if value is None:
        return "" if info.optional else "is no value"
    if info.kind == "bool":
        return "" if isinstance(value, bool) else "is neither true nor false"
    if info.kind == "choice":
        return "" if value in info.choices else f"is none of {', '.join(map(str, info.choices))}"
    if info.kind == "text":
        return "" if isinstance(value, str) else "is no text"
    if info.kind == "int" and (isinstance(value, bool) or not isinstance(value, int)):
        return "is no whole number"
    if info.kind == "int" and abs(value) >= MOST:
        return "is too large"
    number = finite(value)
    return "is no finite number" if number is None else _out_of_bounds(info, number)


def _out_of_bounds(info: OptionInfo, number: float) -> str:
    if info.low is not None and (number <= info.low if info.low_exclusive else number < info.low):
        return f"is not above {info.low:g}" if info.low_exclusive else f"is below {info.low:g}"
    if info.high is not None and (number >= info.high if info.high_exclusive else number > info.high):
        return f"is not below {info.high:g}" if info.high_exclusive else f"is above {info.high:g}"
    return ""


def _int_bounds(info: OptionInfo) -> dict[str, int]:
    bounds = {}
    if info.low is not None:
        bounds["min_value"] = math.floor(info.low) + 1 if info.low_exclusive else math.ceil(info.low)
    if info.high is not None:
        bounds["max_value"] = math.ceil(info.high) - 1 if info.high_exclusive else math.floor(info.high)
    return bounds


def _float_bounds(info: OptionInfo) -> dict[str, float]:
    """An exclusive bound is left to the spec, which says what is wrong; the widget would allow the bound itself."""
    bounds = {}
    if info.low is not None:
        bounds["min_value"] = float(info.low)
    if info.high is not None:
        bounds["max_value"] = float(info.high)
    return bounds


def _step(value: float | None) -> float:
    """A step of the size of the value's first digit: 0.1 for 0.5, 0.0001 for 5e-4."""
    return 10.0 ** math.floor(math.log10(abs(value))) if value else 0.1
