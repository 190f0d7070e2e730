"""Which values a parameter or a sample may have.

`check(value)` says it for each event: a number for most, the last dimension for
vectors, the last two for matrices.
"""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad import Tensor

__all__ = [
    "Constraint",
    "boolean",
    "greater_than",
    "integer_interval",
    "interval",
    "lower_cholesky",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "real",
    "real_vector",
    "simplex",
    "unit_interval",
]

CLOSE = 1e-6  # how far the sum of probabilities may be from 1


class Constraint:
    """A set of values."""

    event_dim = 0
    is_discrete = False

    def check(self, value: Tensor) -> Tensor:
        """Which events of a tensor are in the set."""
        raise NotImplementedError(f"{type(self).__name__} has no check()")

    def __repr__(self) -> str:
        return type(self).__name__


class Real(Constraint):
    """All numbers."""

    def check(self, value: Tensor) -> Tensor:
        return value == value  # not NaN


class Interval(Constraint):
    """Numbers between two bounds, which belong to it."""

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)

    def __repr__(self) -> str:
        lower, upper = self.lower_bound, self.upper_bound
        return f"Interval(lower_bound={lower}, upper_bound={upper})"


class IntegerInterval(Interval):
    """Whole numbers between two bounds, which belong to it."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & super().check(value)


class GreaterThan(Constraint):
    """Numbers above a bound; with `equal`, the bound too."""

    def __init__(self, lower_bound: Any, equal: bool = False) -> None:
        self.lower_bound = lower_bound
        self.equal = equal

    def check(self, value: Tensor) -> Tensor:
        if self.equal:
            return value >= self.lower_bound
        return value > self.lower_bound

    def __repr__(self) -> str:
        sign = "GreaterThanEq" if self.equal else "GreaterThan"
        return f"{sign}(lower_bound={self.lower_bound})"


class Boolean(Constraint):
    """0 and 1."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


class NonnegativeInteger(Constraint):
    """0, 1, 2, ..."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & (value >= 0)


class OneHot(Constraint):
    """Vectors of zeros and a one."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class Simplex(Constraint):
    """Vectors of probabilities: not negative, and 1 in all."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < CLOSE)


class RealVector(Constraint):
    """Vectors of numbers."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value == value).all(-1)


class LowerCholesky(Constraint):
    """Lower triangular matrices with a positive diagonal."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        lower = (value.tril() == value).all(-1).all(-1)
        return lower & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class PositiveDefinite(Constraint):
    """Symmetric matrices with positive eigenvalues."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        symmetric = ((value - value.mT).abs() < CLOSE).all(-1).all(-1)
        if not bool(symmetric.all()):
            return symmetric
        return plugrad.linalg.eigvalsh(value).min(-1).values > 0


real = Real()
boolean = Boolean()
positive = GreaterThan(0.0)
nonnegative = GreaterThan(0.0, equal=True)
nonnegative_integer = NonnegativeInteger()
unit_interval = Interval(0.0, 1.0)
one_hot = OneHot()
simplex = Simplex()
real_vector = RealVector()
lower_cholesky = LowerCholesky()
positive_definite = PositiveDefinite()
interval = Interval
integer_interval = IntegerInterval
greater_than = GreaterThan
