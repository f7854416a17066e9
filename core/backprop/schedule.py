"""How the learning rate changes from epoch to epoch.

With k the epoch, from 1, and K the number of epochs, η(k) is

    constant       η
    steps          η · factor^⌊(k − 1) / every⌋
    exponential    η · factor^((k − 1) / every)
    cosine         floor + (η − floor) · (1 + cos(π (k − 1) / (K − 1))) / 2

(cosine: Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, without
restarts.) Changes made by hand stand above these: from its epoch on each holds until the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.backprop.network import Array, History, Setup, descend

KINDS = ("constant", "steps", "exponential", "cosine")


@dataclass(frozen=True)
class Schedule:
    """η of every epoch.

    eta: that of the first. kind: of `KINDS`. factor, every, floor: as in the formulas above.
    over: K of the cosine; 0: as many epochs as are asked for. changes: (epoch, η) pairs, the epochs
    ascending and from 1.
    """

    eta: float
    kind: str = "constant"
    factor: float = 0.5
    every: int = 10
    floor: float = 0.0
    changes: tuple[tuple[int, float], ...] = ()
    over: int = 0

    @property
    def is_constant(self) -> bool:
        """Whether every epoch has the same η by its kind, and nobody changed it."""
        return self.kind == "constant" and not self.changes

    @property
    def before(self) -> Schedule:
        """The one that this was before it was changed: by hand, else from a constant η."""
        return replace(self, changes=()) if self.changes else Schedule(self.eta)

    def rates(self, epochs: int) -> Array:
        """η of each epoch, shape (epochs,)."""
        past, rates = np.arange(epochs), np.full(epochs, self.eta)
        if self.kind == "steps":
            rates *= self.factor ** (past // self.every)
        elif self.kind == "exponential":
            rates *= self.factor ** (past / self.every)
        elif self.kind == "cosine":
            rates += (self.floor - self.eta) * (1 - np.cos(np.pi * past / self._last(epochs))) / 2
        for epoch, eta in self.changes:
            rates[epoch - 1 :] = eta
        return rates

    def _last(self, epochs: int) -> int:
        """K − 1, and 1 where that is 0."""
        return max((self.over or epochs) - 1, 1)

    def descend(self, setup: Setup, epochs: int) -> History:
        """The run from `setup`, at these rates."""
        return descend(setup, self.rates(epochs)[:, np.newaxis], epochs)

    def cells(self, eta: str, epochs: int, here: str, above: str) -> list[str]:
        """The formula of each epoch's cell.

        eta: the cell of η. here, above: the cells of the row's epoch, and of η in the row before.
        """
        past = f"({here}-1)"
        rule = {
            "constant": eta,
            "steps": f"{eta}*{self.factor!r}^INT({past}/{self.every})",
            "exponential": f"{eta}*{self.factor!r}^({past}/{self.every})",
            "cosine": f"{self.floor!r}+({eta}-{self.floor!r})*"
            f"(1+COS(PI()*{past}/{self._last(epochs)}))/2",
        }[self.kind]
        changed, first = dict(self.changes), min((e for e, _ in self.changes), default=epochs + 1)
        return [
            f"={changed[k]!r}" if k in changed else f"={rule if k < first else above}"
            for k in range(1, epochs + 1)
        ]
