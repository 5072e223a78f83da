"""How often something was prepared."""

import pytest

from workbench.models.layers import last_input


@pytest.fixture
def made(monkeypatch):
    """The patterns of edges that were sorted, and the features that were propagated or transposed."""
    found = {"graphs": 0, "transpositions": 0}

    def counting(kind, what):
        def make(*args):
            found[what] += 1
            return kind(*args)

        return make

    monkeypatch.setattr(last_input.EdgePattern, "of", counting(last_input.EdgePattern.of, "graphs"))
    monkeypatch.setattr(last_input.Transposition, "of", counting(last_input.Transposition.of, "transpositions"))
    return found
