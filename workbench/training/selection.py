"""Which epoch is kept: one rule, on validation alone."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Selection:
    """The best epoch so far: the highest validation score, and of equal scores the lowest validation loss.

    It is given validation numbers only, so no test result can ever enter the choice.
    """

    epoch: int = 0
    score: float = float("-inf")
    loss: float = float("inf")

    def update(self, epoch: int, score: float, loss: float) -> bool:
        """Whether this epoch is the best so far (and is now remembered)."""
        score = score if math.isfinite(score) else -math.inf  # nothing to validate on: the loss alone decides
        better = math.isfinite(loss) and (score, -loss) > (self.score, -self.loss)
        if better:
            self.epoch, self.score, self.loss = epoch, score, loss
        return better

    def stale_for(self, epoch: int) -> int:
        """Epochs since the best one."""
        return epoch - self.epoch
