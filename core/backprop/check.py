"""The chain rule's derivatives against three that do not know it.

Differences and the complex step evaluate the forward pass alone; automatic differentiation walks
its operations back. The complex step (Squire & Trapp, "Using complex variables to estimate
derivatives of real functions", SIAM Review 40, 1998) subtracts nothing, so its step can be tiny.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.backprop.activations import Functions
from core.backprop.network import PARAMETERS, Array, Setup, forward, forward_pass, gradients

EPSILON = float(np.finfo(np.float64).eps)
CENTRAL_STEP = EPSILON ** (1 / 3)  # where a central difference's two errors are about equal
COMPLEX_STEP = 1e-200
LARGEST_EXP = 700.0  # e^x is a float up to here; beyond, σ(−x) is 0 to within 1e-304
STEPS = np.logspace(-15, 0, 91)


@dataclass(frozen=True)
class Check:
    """The derivatives of `gradients`, shape (8,) or with biases (10,), each by another way."""

    chain_rule: Array
    autograd: Array
    central: Array
    complex_step: Array

    def errors(self, way: str) -> Array:
        """|difference| of the derivatives by `way` from the chain rule's, as shares of those.

        Where the chain rule gives 0 it is the difference itself.
        """
        found: Array = getattr(self, way)
        size = np.abs(self.chain_rule)
        return np.abs(found - self.chain_rule) / np.where(size > 0, size, 1.0)


def check(setup: Setup) -> Check:
    """All derivatives at `setup`, by all ways."""
    learned = setup.network.learned
    steps = [CENTRAL_STEP * max(abs(getattr(setup, name)), 1.0) for name in learned]
    return Check(
        chain_rule=np.array(gradients(setup), dtype=np.float64),
        autograd=autograd(setup),
        central=np.array(
            [central(setup, name, np.array(h)) for name, h in zip(learned, steps, strict=True)]
        ),
        complex_step=np.array([complex_step(setup, name) for name in learned]),
    )


def autograd(setup: Setup) -> Array:
    """The derivatives by torch's automatic differentiation of the forward pass."""
    import torch  # here, because the page stands for seconds before it is imported

    example = [torch.tensor(float(v), dtype=torch.float64) for v in setup.example]
    parameters = [
        torch.tensor(float(v), dtype=torch.float64, requires_grad=True) for v in setup.parameters
    ]
    functions = Functions(lambda x: torch.exp(x.clamp(max=LARGEST_EXP)), torch.tanh, torch.relu)
    error = forward_pass(example, parameters, setup.network.activations, functions).E_total
    learned = parameters[: len(setup.network.learned)]
    return np.array([float(slope) for slope in torch.autograd.grad(error, learned)])


def forward_difference(setup: Setup, weight: str, step: Array) -> Array:
    """(E(w + h) − E(w)) / h for each h of `step`."""
    return np.asarray((_error(setup, weight, step) - _error(setup, weight, 0 * step)) / step)


def central(setup: Setup, weight: str, step: Array) -> Array:
    """(E(w + h) − E(w − h)) / 2h for each h of `step`."""
    return np.asarray((_error(setup, weight, step) - _error(setup, weight, -step)) / (2 * step))


def complex_step(setup: Setup, weight: str) -> float:
    """Im E(w + ih) / h."""
    moved = replace(setup, **{weight: getattr(setup, weight) + 1j * COMPLEX_STEP})
    activations = setup.network.activations
    error = forward_pass(moved.example, moved.parameters, activations, _COMPLEX).E_total
    return float(np.imag(error) / COMPLEX_STEP)


def _complex_exp(z: complex) -> complex:
    """e^z, within the range of a float: a complex infinity makes no number of σ."""
    return complex(np.exp(complex(min(z.real, LARGEST_EXP), z.imag)))


_COMPLEX = Functions(_complex_exp, lambda z: complex(np.tanh(z)), lambda z: z if z.real > 0 else 0j)


@dataclass(frozen=True)
class StepErrors:
    """How far two differences of one weight are from its derivative, by their step.

    steps, forward, central: shape (91,). forward_theory, central_theory, rounding: what Taylor's
    series and the float's last digit let expect: h·|E″|/2, h²·|E‴|/6 and ε·E/h.
    """

    steps: Array
    forward: Array
    central: Array
    forward_theory: Array
    central_theory: Array
    rounding: Array


def step_errors(setup: Setup, weight: str) -> StepErrors:
    """The errors of both differences at 91 steps from 1e-15 to 1."""
    index = PARAMETERS.index(weight)
    slope = float(gradients(setup)[index])
    second, third = _higher_derivatives(setup, weight)
    error = float(forward(setup).E_total)
    return StepErrors(
        STEPS,
        np.abs(forward_difference(setup, weight, STEPS) - slope),
        np.abs(central(setup, weight, STEPS) - slope),
        STEPS * abs(second) / 2,
        STEPS**2 * abs(third) / 6,
        EPSILON * error / STEPS,
    )


def _higher_derivatives(setup: Setup, weight: str) -> tuple[float, float]:
    """∂²E/∂w² and ∂³E/∂w³, by differences of the chain rule's first derivative."""
    value, index = getattr(setup, weight), PARAMETERS.index(weight)
    h = 1e-3
    moved = replace(setup, **{weight: value + np.array([-h, 0.0, h])})
    below, here, above = np.broadcast_to(gradients(moved)[index], (3,))
    return float((above - below) / (2 * h)), float((above - 2 * here + below) / h**2)


def _error(setup: Setup, weight: str, step: Array) -> Array:
    moved = replace(setup, **{weight: getattr(setup, weight) + step})
    return np.asarray(forward(moved).E_total)
