"""Live toys of the Learn page: one file per kind of loss, each with its sliders and what they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

MODULES: Mapping[str, str] = {  # a method's name -> the file here that has its toy
    "abkd": "layer_pairs",
    "at": "activations",
    "distill2vec": "candidates",
    "fitnet": "hints",
    "gcrd": "contrast",
    "glnn": "all_labels",
    "gsp": "all_pairs",
    "kd": "soft_labels",
    "label-smoothing": "smoothed_labels",
    "lsp": "local_structure",
}


@dataclass(frozen=True)
class Picture:
    """What a toy makes of its sliders: the view of :mod:`workbench.plots.toys` and its choices, numbers, and words.

    ``numbers`` are shown as they are written, by their label, with a help text.
    """

    view: str
    choices: Mapping[str, Any]
    numbers: Mapping[str, tuple[str, str]]
    alt: str
    caption: str = ""

    @property
    def python(self) -> str:
        """What makes the figure on the screen."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.choices.items())
        return f"from workbench.plots import toys\n\ntoys.{self.view}({arguments})"


@dataclass(frozen=True)
class Toy:
    """``show`` draws the sliders and returns the picture; ``advice`` is one sentence on what to try."""

    advice: str
    show: Callable[[], Picture]
    prefix: str  # with which the names of its sliders begin in the address


def toy_of(method: str) -> Toy | None:
    """The toy of a method, None for one that has none (yet)."""
    module = MODULES.get(method)
    found: Toy | None = None if module is None else import_module(f"{__name__}.{module}").TOY
    return found
