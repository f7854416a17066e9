"""Where gradient descent ends for each learning rate of a dense sweep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.backprop.network import Array, Setup, descend

LOW, HIGH, COUNT = 0.01, 10.0, 241  # 80 rates a decade


@dataclass(frozen=True)
class Sweep:
    """rates: ascending, evenly spread on a log axis; final: E_total of the last epoch at each.

    eta, own: the current rate, which need not be one of them, and where it ends.
    """

    rates: Array
    final: Array
    eta: float
    own: float

    @property
    def best(self) -> int:
        """The index of the rate that ends lowest; the smallest of them if several do."""
        return int(np.argmin(self.final))

    @property
    def best_is_an_end(self) -> bool:
        """Whether a better rate may lie beyond the sweep."""
        return self.best in (0, len(self.rates) - 1)


def sweep_rates(setup: Setup, eta: float, epochs: int) -> Sweep:
    """Descend from `setup` at 241 rates from 0.01 to 10, or as far as `eta` if it lies outside."""
    rates = np.geomspace(min(LOW, eta) or LOW, max(HIGH, eta), COUNT)
    final = descend(setup, np.append(rates, eta), epochs).E_total[-1]
    return Sweep(rates, final[:-1], eta, float(final[-1]))
