"""Whether what the files of a run hold is of the kind that it should be: a person may have edited them."""

from __future__ import annotations

import math
from typing import Any

PARTS = ("dataset", "teacher", "student")
SETTINGS = ("training", "teacher_training", "online")
DEPTH = 20  # of values in values; a spec has four, and YAML can make one that has no end


def is_spec(document: Any) -> bool:
    """Whether ``document`` has the form of a run's spec, in which every part is written as a mapping with its name.

    Whether its components and their options exist is not looked at, which takes torch.
    """
    if not isinstance(document, dict) or not _is_plain(document):
        return False
    methods, seed = document.get("method"), document.get("seed", 0)
    if not isinstance(methods, list) or not methods:
        return False
    return (
        all(isinstance(part, dict) and isinstance(part.get("name"), str) for part in methods)
        and all(_has_name(document.get(part)) for part in PARTS)
        and all(isinstance(document.get(part), dict | None) for part in SETTINGS)
        and isinstance(seed, int)
        and not isinstance(seed, bool)
        and 0 <= seed < 2**31
    )


def is_record(document: Any) -> bool:
    """Whether ``document`` is the record of an epoch of a stage.

    Its scores and its terms hold numbers, null where these were not finite.
    """
    if not isinstance(document, dict) or not isinstance(document.get("stage"), str):
        return False
    epoch = document.get("epoch")
    scores = [document.get(split) for split in ("val", "train", "test")]
    terms = document.get("terms", {})
    return (
        isinstance(epoch, int)
        and not isinstance(epoch, bool)
        and 0 <= epoch < 2**31
        and all(_holds_numbers(split) for split in scores if split is not None)
        and isinstance(terms, dict)
        and all(_holds_numbers(term) for term in terms.values())
    )


def finite(value: Any) -> float | None:
    """``value`` as a number; None where it is none, or not a finite one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # JSON holds whole numbers of any length
        return None


def _has_name(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("name"), str)


def _holds_numbers(values: Any) -> bool:
    return isinstance(values, dict) and all(
        v is None or isinstance(v, float) or (isinstance(v, int) and abs(v) < 2**1000) for v in values.values()
    )


def _is_plain(value: Any, depth: int = DEPTH) -> bool:
    """Whether ``value`` is what JSON can say too: YAML knows dates, bytes, sets, and lists that hold themselves."""
    if depth == 0:
        return False
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each, depth - 1) for key, each in value.items())
    if isinstance(value, list):
        return all(_is_plain(each, depth - 1) for each in value)
    return value is None or isinstance(value, str | bool | int | float)
