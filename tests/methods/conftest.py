"""The toy graph, as a fixture."""

from collections.abc import Callable

import pytest
from toys import Toy, make


@pytest.fixture
def make_toy() -> Callable[..., Toy]:
    return make


@pytest.fixture
def toy() -> Toy:
    return make()
