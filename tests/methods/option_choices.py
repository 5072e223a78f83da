"""Every built-in method for single graphs with its defaults, and with each choice of each of its options."""

import pytest
from hypothesis import strategies as st

from workbench.options import describe
from workbench.registry import methods

ON_GRAPHS = [name for name in methods.names() if "node classification" in methods[name].tasks]
BUILT_IN = [name for name in methods.builtin_names() if name in ON_GRAPHS]  # without plug-ins

NUMBERS = {  # other values of options that are numbers
    "kd": [{"temperature": 2.0}],
    "label-smoothing": [{"epsilon": 0.5}],
    "lsp": [{"sigma": 2.0}],
    "gcrd": [{"temperature": 0.5}, {"projection": 3}],
    "fitnet": [{"projection": 3}],
    "abkd": [{"structure": 0.5}, {"subspace": None}, {"subspace": 3, "projection": 5}],
}


def choices(name):
    """(option, its values) of every option of a method that is no number."""
    for info in describe(methods[name]):
        values = {"choice": info.choices, "bool": (True, False)}.get(info.kind, ())
        if values:
            yield info, values


def cases():
    """The defaults of every such method, and each choice of each option on its own."""
    for name in BUILT_IN:
        yield name, {}
        for info, values in choices(name):
            yield from ((name, {info.name: value}) for value in values if value != info.default)
        yield from ((name, values) for values in NUMBERS.get(name, ()))


every_choice = pytest.mark.parametrize(("name", "options"), list(cases()), ids=str)


@st.composite
def any_options(draw, name):
    """Options of a method, all chosen at once."""
    chosen = {info.name: draw(st.sampled_from(values)) for info, values in choices(name)}
    return chosen | draw(st.sampled_from([{}, *NUMBERS.get(name, ())]))
