"""The gamma distribution and its relatives.

Their samples are drawn by Marsaglia and Tsang's method, and have no gradients.
"""

from __future__ import annotations

import math
from typing import Any

import plugrad
from plugrad import Tensor

from . import constraints
from .constraints import Constraint
from .distribution import Distribution, broadcast_all

__all__ = ["Beta", "Chi2", "Dirichlet", "Gamma", "StudentT"]

lgamma, digamma = plugrad.lgamma, plugrad.digamma


def standard_gamma(a: Tensor) -> Tensor:
    """Draws from gamma distributions of shape `a` and rate 1.

    Where a cube of a shifted normal number is refused, it is drawn again: at most one
    in twenty is.
    """
    with plugrad.no_grad():
        small = a < 1  # drawn for a + 1, then times u^(1/a)
        d = plugrad.where(small, a + 1, a) - 1 / 3
        c = 1 / (9 * d).sqrt()
        found, missing = plugrad.zeros_like(a), plugrad.ones_like(a, dtype=plugrad.bool)
        while bool(missing.any()):
            x, u = plugrad.randn_like(a), plugrad.rand_like(a)
            v = (1 + c * x) ** 3
            limit = 0.5 * x**2 + d - d * v + d * v.clamp(min=1e-30).log()
            good = missing & (v > 0) & (u.log() < limit)
            found = plugrad.where(good, d * v, found)
            missing = missing & ~good
        power = plugrad.rand_like(a).clamp(min=1e-30) ** (1 / a)
        tiny = plugrad.finfo(a.dtype).tiny
        return plugrad.where(small, found * power, found).clamp(min=tiny)


class Gamma(Distribution):
    """The gamma distribution, by its shape `concentration` and its rate.

    >>> import plugrad
    >>> plugrad.distributions.Gamma(3.0, 2.0).mean
    tensor(1.5000)
    """

    arg_constraints = {
        "concentration": constraints.positive,
        "rate": constraints.positive,
    }

    def __init__(
        self, concentration: Any, rate: Any, validate_args: bool | None = None
    ) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.nonnegative

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate**2

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with plugrad.no_grad():
            shape = self.shape_of(sample_shape)
            return standard_gamma(self.concentration.expand(shape)) / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        a, b = self.concentration, self.rate
        return a * b.log() + plugrad.xlogy(a - 1, value) - b * value - lgamma(a)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + lgamma(a) + (1 - a) * digamma(a)


class Chi2(Gamma):
    """The sum of the squares of `df` normal numbers.

    >>> import plugrad
    >>> plugrad.distributions.Chi2(4.0).variance
    tensor(8.)
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        (self.df,) = broadcast_all(df)
        super().__init__(0.5 * self.df, 0.5, validate_args)


class Dirichlet(Distribution):
    """A distribution of probabilities, by the weights `concentration`.

    >>> import plugrad
    >>> plugrad.distributions.Dirichlet(plugrad.tensor([1.0, 3.0])).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"concentration": constraints.simplex}

    def __init__(
        self, concentration: Tensor, validate_args: bool | None = None
    ) -> None:
        if concentration.dim() < 1:
            raise ValueError("Dirichlet: concentration must have a dimension, at least")
        self.concentration = concentration
        shape = concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args)

    def validate_arguments(self) -> None:
        if not bool((self.concentration > 0).all()):
            raise ValueError("Dirichlet: the parameter concentration must be positive")

    @property
    def support(self) -> Constraint:
        return constraints.simplex

    @property
    def total(self) -> Tensor:
        """The sum of the weights."""
        return self.concentration.sum(-1, keepdim=True)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.total

    @property
    def mode(self) -> Tensor:
        a = (self.concentration - 1).clamp(min=0)
        found = a / a.sum(-1, keepdim=True)
        # all weights below 1: every corner is one; PyTorch names the first
        below = (self.concentration < 1).all(-1, keepdim=True)
        first = plugrad.arange(a.size(-1), device=a.device) == 0
        return plugrad.where(below, first.to(a.dtype), found)

    @property
    def variance(self) -> Tensor:
        a, total = self.concentration, self.total
        return a * (total - a) / (total**2 * (total + 1))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with plugrad.no_grad():
            shape = self.shape_of(sample_shape)
            drawn = standard_gamma(self.concentration.expand(shape))
            return drawn / drawn.sum(-1, keepdim=True)

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        a = self.concentration
        found = plugrad.xlogy(a - 1, value).sum(-1)
        return found + lgamma(a.sum(-1)) - lgamma(a).sum(-1)

    def entropy(self) -> Tensor:
        a, n = self.concentration, self.concentration.size(-1)
        total = a.sum(-1)
        found = lgamma(a).sum(-1) - lgamma(total) - (n - total) * digamma(total)
        return found - ((a - 1) * digamma(a)).sum(-1)


class Beta(Distribution):
    """The beta distribution, of numbers from 0 to 1.

    >>> import plugrad
    >>> plugrad.distributions.Beta(2.0, 2.0).log_prob(plugrad.tensor(0.5)).exp()
    tensor(1.5000)
    """

    arg_constraints = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }

    def __init__(
        self,
        concentration1: Any,
        concentration0: Any,
        validate_args: bool | None = None,
    ) -> None:
        both = broadcast_all(concentration1, concentration0)
        self.concentration1, self.concentration0 = both
        super().__init__(both[0].shape, validate_args=validate_args)

    @property
    def pair(self) -> Dirichlet:
        """The distribution of x and 1 - x."""
        both = plugrad.stack([self.concentration1, self.concentration0], -1)
        return Dirichlet(both, validate_args=False)

    @property
    def support(self) -> Constraint:
        return constraints.unit_interval

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        return self.pair.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        total = self.concentration1 + self.concentration0
        product = self.concentration1 * self.concentration0
        return product / (total**2 * (total + 1))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self.pair.sample(sample_shape)[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        return self.pair.log_prob(plugrad.stack([value, 1 - value], -1))

    def entropy(self) -> Tensor:
        return self.pair.entropy()


class StudentT(Distribution):
    """Student's t distribution with `df` degrees of freedom.

    >>> import plugrad
    >>> plugrad.distributions.StudentT(3.0).variance
    tensor(3.)
    """

    arg_constraints = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }

    def __init__(
        self,
        df: Any,
        loc: Any = 0.0,
        scale: Any = 1.0,
        validate_args: bool | None = None,
    ) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.real

    @property
    def mean(self) -> Tensor:
        return plugrad.where(self.df > 1, self.loc, plugrad.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        finite = self.scale**2 * self.df / (self.df - 2)
        found = plugrad.where(self.df > 2, finite, plugrad.inf)
        return plugrad.where(self.df > 1, found, plugrad.nan)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with plugrad.no_grad():
            df = self.df.expand(self.shape_of(sample_shape))
            squares = 2 * standard_gamma(df / 2)
            noise = plugrad.randn_like(df) * (df / squares).sqrt()
            return self.loc + self.scale * noise

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        n, z = self.df, (value - self.loc) / self.scale
        norm = self.scale.log() + 0.5 * (n.log() + math.log(math.pi))
        norm = norm + lgamma(0.5 * n) - lgamma(0.5 * (n + 1))
        return -0.5 * (n + 1) * plugrad.log1p(z**2 / n) - norm

    def entropy(self) -> Tensor:
        n = self.df
        log_beta = lgamma(0.5 * n) + math.lgamma(0.5) - lgamma(0.5 * (1 + n))
        slope = digamma(0.5 * (1 + n)) - digamma(0.5 * n)
        return self.scale.log() + 0.5 * (n + 1) * slope + 0.5 * n.log() + log_beta
