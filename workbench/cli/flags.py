"""Dotted options: ``--student.hidden-channels 16`` sets one option of one part of the spec.

The part before the dot is ``dataset``, ``teacher``, ``student``, ``training``, ``teacher-training`` or the
name of a method; the part after it is an option of that part's config class, which says what it takes.
Dashes and underscores are the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from workbench.options import Config, OptionInfo

DOTTED = re.compile(r"--(?P<no>no-)?(?P<part>[^.=\s]+)\.(?P<no_too>no-)?(?P<option>[^.=\s]+)(?P<value>=.*)?", re.DOTALL)
WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
NOTHING = ("none", "null", "")
NUMBERS = {"int": "a whole number", "float": "a number"}


@dataclass(frozen=True)
class Flag:
    """One dotted option as it was typed; ``value`` is None when none followed."""

    typed: str
    part: str
    option: str
    value: str | None
    negated: bool = False


def split_flags(arguments: Sequence[str]) -> tuple[list[Flag], list[str]]:
    """Take the dotted options with their values out of ``arguments``; return them and the rest."""
    flags: list[Flag] = []
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        token = waiting.pop(0)
        match = DOTTED.fullmatch(token)
        if token == "--":
            return flags, [*rest, token, *waiting]
        if match is None:
            rest.append(token)
            continue
        value = match["value"] and match["value"][1:]
        negated = bool(match["no"] or match["no_too"])
        if match["value"] is None and not negated and waiting and not waiting[0].startswith("--"):
            value = waiting.pop(0)
        flags.append(Flag(token.split("=")[0], dashes(match["part"]), underscores(match["option"]), value, negated))
    return flags, rest


def read_flags(flags: Sequence[Flag], parts: Mapping[str, type[Config]]) -> dict[str, dict[str, Any]]:
    """Values by part and option, in the types that the config classes of ``parts`` declare.

    Raises UsageError for a part or option that is not there (with the nearest name), a missing value,
    and a value of the wrong kind or out of range.
    """
    from workbench.options import describe

    found: dict[str, dict[str, Any]] = {}
    for flag in flags:
        if flag.part not in parts:
            raise UsageError(_unknown_part(flag, list(parts)))
        options = {info.name: info for info in describe(parts[flag.part])}
        if flag.option not in options:
            near = did_you_mean(flag.option, options).replace("_", "-")
            known = ", ".join(f"--{flag.part}.{dashes(name)}" for name in options) or "none"
            raise UsageError(f"unknown option {flag.typed}: {near}options of {flag.part} are {known}")
        found.setdefault(flag.part, {})[flag.option] = read_value(flag, options[flag.option])
    return found


def read_value(flag: Flag, info: OptionInfo) -> Any:
    """What was typed, as the kind of value that the option takes."""
    if info.kind == "bool":
        return _read_switch(flag)
    if flag.negated:
        raise UsageError(f"{flag.typed}: {dashes(info.name)} is no switch; give it a value: {expected(info)}")
    if flag.value is None:
        raise UsageError(f"{flag.typed} needs a value: {expected(info)}")
    if info.optional and flag.value.lower() in NOTHING:
        return None
    if info.kind == "choice":
        choices = {str(choice): choice for choice in info.choices}
        if flag.value not in choices:
            near = did_you_mean(flag.value, choices)
            raise UsageError(f"{flag.typed} takes {expected(info)}: {near}got {flag.value!r}")
        return choices[flag.value]
    return flag.value if info.kind == "text" else _read_number(flag, info)


def _read_switch(flag: Flag) -> bool:
    if flag.value is None:
        return not flag.negated
    if flag.value.lower() not in WORDS:
        raise UsageError(f"{flag.typed} takes true or false, or nothing for true (got {flag.value!r})")
    return WORDS[flag.value.lower()] != flag.negated


def _read_number(flag: Flag, info: OptionInfo) -> float | int:
    text = str(flag.value)
    try:
        number = int(text) if info.kind == "int" else float(text)
    except ValueError:
        raise UsageError(f"{flag.typed} takes {expected(info)} (got {text!r})") from None
    too_low = info.low is not None and (number < info.low or (info.low_exclusive and number == info.low))
    too_high = info.high is not None and (number > info.high or (info.high_exclusive and number == info.high))
    if too_low or too_high or number != number:  # not equal to itself: not a number
        raise UsageError(f"{flag.typed} takes {expected(info)} (got {text})")
    return number


def expected(info: OptionInfo) -> str:
    """What an option takes, in words: ``a whole number ≥ 1``, ``one of paper, code``."""
    if info.kind == "choice":
        words = "one of " + ", ".join(str(choice) for choice in info.choices)
    elif info.kind == "bool":
        words = "true or false"
    else:
        words = " ".join([NUMBERS.get(info.kind, "a text"), bounds(info)]).strip()
    return words + (" or none" if info.optional else "")


def bounds(info: OptionInfo) -> str:
    """``≥ 0 and < 1``, or nothing for an option without bounds."""
    found = []
    if info.low is not None:
        found.append(f"{'>' if info.low_exclusive else '≥'} {_short(info.low)}")
    if info.high is not None:
        found.append(f"{'<' if info.high_exclusive else '≤'} {_short(info.high)}")
    return " and ".join(found)


def _short(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{number:g}"


def dashes(name: str) -> str:
    return name.replace("_", "-")


def underscores(name: str) -> str:
    return name.replace("-", "_")


def _unknown_part(flag: Flag, parts: list[str]) -> str:
    from workbench.registry import methods

    if flag.part in methods:
        return f"{flag.typed}: {flag.part} is not among the methods of this run; add it with --method …+{flag.part}"
    start = did_you_mean(flag.part, [*parts, *methods.names()])
    return f"unknown option {flag.typed}: {start}before the dot stands one of {', '.join(parts)}"
