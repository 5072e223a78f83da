"""The student's budget: the largest model of an architecture that fits a number of parameters or bytes."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from workbench.errors import UsageError
from workbench.models.base import ModelConfig
from workbench.options import describe

BYTES_PER_PARAMETER = 4  # float32
BYTES_PER_MEGABYTE = 1_000_000


def parameter_bytes(count: int) -> int:
    """Bytes that ``count`` float32 parameters take."""
    return count * BYTES_PER_PARAMETER


@dataclass(frozen=True)
class Budget:
    """A model that fits: its config, its size, and the ``target`` (parameters) that it was chosen for.

    ``ratio`` is the teacher's number of parameters over this one's, None when no teacher was given.
    """

    config: ModelConfig
    parameters: int
    bytes: int
    target: int
    ratio: float | None = None


def solve_budget(
    config: ModelConfig,
    in_channels: int,
    out_channels: int,
    *,
    parameters: int | None = None,
    megabytes: float | None = None,
    compression: float | None = None,
    teacher_parameters: int | None = None,
    depth: int | Iterable[int] | None = None,
) -> Budget:
    """The largest ``config`` whose parameters do not exceed the target.

    The target is one of ``parameters``, ``megabytes`` (10⁶ bytes of float32) and ``compression``
    (``teacher_parameters`` over the student's). The width is chosen (of one head, where there are heads side by
    side; in multiples of ``config.width_step``), and the depth among ``depth`` when that holds several; everything
    else stays as it is in ``config``. Of equally large models the shallower and narrower one is taken.

    Raises :class:`UsageError` when the target is missing, doubled or not positive, when not even the
    narrowest model fits, and for a depth or an architecture that cannot be chosen.
    """
    target = _target(parameters, megabytes, compression, teacher_parameters)
    depths = _depths(config, depth)
    widths = possible_widths(config)
    sizes = _Sizes(config, in_channels, out_channels, widths)

    def budget(width: int, depth: int | None) -> Budget:
        count = sizes.count(width, depth)
        ratio = teacher_parameters / count if teacher_parameters is not None and count else None
        return Budget(sizes.config_at(width, depth), count, parameter_bytes(count), target, ratio)

    found = _largest(sizes.predicted, depths, widths, target)
    if not sizes.confirms(found):
        found = _largest(sizes.count, depths, widths, target)
    if found is None:
        raise UsageError(_nothing_fits(min((budget(widths[0], depth) for depth in depths), key=lambda b: b.parameters)))
    return budget(*found)


def _target(
    parameters: int | None, megabytes: float | None, compression: float | None, teacher_parameters: int | None
) -> int:
    """The number of parameters that must not be exceeded."""
    given = {
        name: value
        for name, value in (("parameters", parameters), ("megabytes", megabytes), ("compression", compression))
        if value is not None
    }
    if len(given) != 1:
        raise UsageError(
            f"a budget is one of parameters, megabytes and compression; {' and '.join(given) or 'none'} was given"
        )
    ((name, value),) = given.items()
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{name} must be a positive number, not {value!r}")
    if teacher_parameters is not None and teacher_parameters < 1:
        raise UsageError(f"teacher_parameters must be at least 1, not {teacher_parameters!r}")
    if name == "parameters":
        return math.floor(value)
    if name == "megabytes":
        return math.floor(value * BYTES_PER_MEGABYTE / BYTES_PER_PARAMETER)
    if teacher_parameters is None:
        raise UsageError("a compression is relative to a teacher: give teacher_parameters too")
    return math.floor(teacher_parameters / value)


def _depths(config: ModelConfig, depth: int | Iterable[int] | None) -> list[int | None]:
    """Every depth to try, the shallowest first; None stands for an architecture without a depth."""
    if depth is None:
        return [None if config.depth_option is None else getattr(config, config.depth_option)]
    if config.depth_option is None:
        raise UsageError(f"{config.name} has no depth to choose: leave depth out")
    depths = sorted({depth} if isinstance(depth, int) else set(depth))
    if not depths:
        raise UsageError("depth holds no number: give one depth, or several to choose from")
    low, high = _bounds(config, config.depth_option)
    if depths[0] < low or depths[-1] > high:
        raise UsageError(f"{config.depth_option} of {config.name} goes from {low} to {high}, not {depths}")
    return list(depths)


def possible_widths(config: ModelConfig) -> range:
    """The widths that the architecture can have, of one head where there are heads side by side."""
    low, high = _bounds(config, config.width_option)
    step = config.width_step
    return range(-(-low // step) * step, high + 1, step)


def _bounds(config: ModelConfig, name: str) -> tuple[int, int]:
    """The smallest and largest value that the whole-number option ``name`` takes."""
    for option in describe(type(config)):
        if option.name == name and option.low is not None and option.high is not None:
            low = math.floor(option.low) + 1 if option.low_exclusive else math.ceil(option.low)
            high = math.ceil(option.high) - 1 if option.high_exclusive else math.floor(option.high)
            return low, high
    raise UsageError(f"{config.name} has no bounded option {name!r} that a budget could choose")


@dataclass
class _Sizes:
    """Parameters of one architecture by width and depth: counted, and predicted from few counts.

    A layer's parameters are quadratic in the width, and every layer beyond the second is like the one
    before it. Three widths at two small depths then give every count, without building a deep model.
    """

    config: ModelConfig
    in_channels: int
    out_channels: int
    widths: range
    counted: dict[tuple[int, int | None], int] = field(default_factory=dict)

    def config_at(self, width: int, depth: int | None) -> ModelConfig:
        changes = {self.config.width_option: width}
        if depth is not None and self.config.depth_option is not None:
            changes[self.config.depth_option] = depth
        return self.config.replace(**changes)

    def count(self, width: int, depth: int | None) -> int:
        key = (width, depth)
        if key not in self.counted:
            self.counted[key] = self.config_at(width, depth).count_parameters(self.in_channels, self.out_channels)
        return self.counted[key]

    def predicted(self, width: int, depth: int | None) -> int:
        if depth is not None and depth > 3:
            second, third = self.predicted(width, 2), self.predicted(width, 3)
            return second + (depth - 2) * (third - second)
        a, b, c = (self.count(each, depth) for each in self.widths[:3])
        n = self.widths.index(width)
        return a + n * (b - a) + n * (n - 1) // 2 * (c - 2 * b + a)  # Newton's forward differences

    def confirms(self, found: tuple[int, int | None] | None) -> bool:
        """Whether true counts agree with the prediction: at the choice, just above it, and far from it."""
        if found is None:
            return False
        width, depth = found
        shallow, widest = None if depth is None else min(depth, 3), self.widths[-1]
        checked = {(width, depth), (min(width + self.widths.step, widest), depth), (widest, shallow)}
        return all(self.count(*size) == self.predicted(*size) for size in checked)


def _largest(
    count: Callable[..., int], depths: list[int | None], widths: range, target: int
) -> tuple[int, int | None] | None:
    """Width and depth with the most parameters of those that do not exceed the target; None when none fits.

    ``count(width, depth)`` does not fall with the width.
    """
    best: tuple[int, int | None] | None = None
    for depth in depths:
        fitting = bisect_right(widths, target, key=partial(count, depth=depth))
        if fitting == 0:
            continue
        # Of widths with the same count (a model without hidden layers) the narrowest says it all.
        narrowest, width = widths[0], widths[fitting - 1]
        width = narrowest if count(narrowest, depth) == count(width, depth) else width
        if best is None or count(width, depth) > count(*best):
            best = (width, depth)
    return best


def _nothing_fits(smallest: Budget) -> str:
    config = smallest.config
    names = [name for name in (config.width_option, config.depth_option) if name is not None]
    sizes = ", ".join(f"{name} {getattr(config, name)}" for name in names)
    return (
        f"no {config.title or config.name} fits into {smallest.target:,} parameters: the smallest one ({sizes}) has "
        f"{smallest.parameters:,}; raise the budget, or choose a smaller architecture"
    )
