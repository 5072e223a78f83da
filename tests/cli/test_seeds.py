"""Seeds as people write them."""

import pytest

from workbench.cli.seeds import parse_seeds
from workbench.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("0", [0]), ("0-4,7", [0, 1, 2, 3, 4, 7]), ("7, 2-3", [7, 2, 3]), ("1,1-2", [1, 2]), ("5-5", [5])],
)
def test_numbers_and_ranges_are_read_each_seed_once(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "1.5", "0,,1", "4-0", "0-100000000", str(2**31)])
def test_anything_else_is_refused(text):
    with pytest.raises(UsageError, match="seed"):
        parse_seeds(text)
