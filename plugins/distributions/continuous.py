"""Distributions of real numbers that have a formula for everything."""

from __future__ import annotations

import math
from typing import Any

import plugrad
from plugrad import Tensor

from . import constraints
from .constraints import Constraint
from .distribution import Centred, Distribution, broadcast_all, uniform

__all__ = [
    "Cauchy",
    "Exponential",
    "Gumbel",
    "HalfNormal",
    "Laplace",
    "LogNormal",
    "Normal",
    "Uniform",
]

EULER = 0.57721566490153286060


class LocationScale(Centred):
    """A standard distribution, times `scale`, plus `loc`."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.real

    def standard(self, value: Tensor) -> Tensor:
        """The value for the standard distribution."""
        return (value - self.loc) / self.scale


class Normal(LocationScale):
    """The normal distribution, by its mean and standard deviation.

    >>> import plugrad
    >>> d = plugrad.distributions.Normal(0.0, 1.0)
    >>> d.log_prob(plugrad.tensor(0.0)), d.cdf(plugrad.tensor(0.0))
    (tensor(-0.9189), tensor(0.5000))
    """

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.scale**2

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.loc + self.noise(sample_shape) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        z = self.standard(value)
        return -0.5 * z**2 - self.scale.log() - 0.5 * math.log(2 * math.pi)

    def cdf(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        return 0.5 * (1 + plugrad.erf(self.standard(value) / math.sqrt(2)))

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * plugrad.erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()


class LogNormal(LocationScale):
    """The distribution of exp(x) where x is normal; `loc` and `scale` are those of x.

    >>> import plugrad
    >>> plugrad.distributions.LogNormal(0.0, 1.0).mean
    tensor(1.6487)
    """

    @property
    def base_dist(self) -> Normal:
        """The distribution of the logarithm."""
        return Normal(self.loc, self.scale, validate_args=False)

    @property
    def support(self) -> Constraint:
        return constraints.positive

    @property
    def mean(self) -> Tensor:
        return (self.loc + self.scale**2 / 2).exp()

    @property
    def mode(self) -> Tensor:
        return (self.loc - self.scale**2).exp()

    @property
    def variance(self) -> Tensor:
        squared = self.scale**2
        return plugrad.expm1(squared) * (2 * self.loc + squared).exp()

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape).exp()

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        logarithm = value.log()
        return self.base_dist.log_prob(logarithm) - logarithm

    def cdf(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        return self.base_dist.cdf(value.log())

    def icdf(self, value: Tensor) -> Tensor:
        return self.base_dist.icdf(value).exp()

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() + self.loc


class HalfNormal(Distribution):
    """The distribution of |x| where x is normal with mean 0.

    >>> import plugrad
    >>> plugrad.distributions.HalfNormal(1.0).mean
    tensor(0.7979)
    """

    has_rsample = True
    arg_constraints = {"scale": constraints.positive}

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        (self.scale,) = broadcast_all(scale)
        super().__init__(self.scale.shape, validate_args=validate_args)

    @property
    def normal(self) -> Normal:
        """The distribution of x."""
        return Normal(0.0 * self.scale, self.scale, validate_args=False)

    @property
    def support(self) -> Constraint:
        return constraints.nonnegative

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self) -> Tensor:
        return plugrad.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return self.scale**2 * (1 - 2 / math.pi)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.normal.rsample(sample_shape).abs()

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        found = self.normal.log_prob(value) + math.log(2)
        return plugrad.where(value >= 0, found, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        return 2 * self.normal.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        return self.normal.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        return self.normal.entropy() - math.log(2)


class Laplace(LocationScale):
    """The Laplace distribution: an exponential one to both sides.

    >>> import plugrad
    >>> plugrad.distributions.Laplace(0.0, 1.0).entropy()
    tensor(1.6931)
    """

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale**2

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        u = uniform(self, self.shape_of(sample_shape), self.loc) - 0.5
        return self.loc - self.scale * u.sign() * plugrad.log1p(-2 * u.abs())

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        return -(2 * self.scale).log() - self.standard(value).abs()

    def cdf(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        z = self.standard(value)
        return 0.5 - 0.5 * z.sign() * plugrad.expm1(-z.abs())

    def icdf(self, value: Tensor) -> Tensor:
        u = value - 0.5
        return self.loc - self.scale * u.sign() * plugrad.log1p(-2 * u.abs())

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()


class Cauchy(LocationScale):
    """The Cauchy distribution, whose mean does not exist.

    >>> import plugrad
    >>> plugrad.distributions.Cauchy(0.0, 1.0).cdf(plugrad.tensor(1.0))
    tensor(0.7500)
    """

    @property
    def mean(self) -> Tensor:
        return plugrad.full_like(self.loc, math.nan)

    @property
    def variance(self) -> Tensor:
        return plugrad.full_like(self.loc, math.inf)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        u = uniform(self, self.shape_of(sample_shape), self.loc)
        return self.icdf(u)

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        z = self.standard(value)
        return -math.log(math.pi) - self.scale.log() - plugrad.log1p(z**2)

    def cdf(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        return plugrad.atan(self.standard(value)) / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * plugrad.tan(math.pi * (value - 0.5))

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()


class Gumbel(LocationScale):
    """The Gumbel distribution, that of largest values.

    >>> import plugrad
    >>> plugrad.distributions.Gumbel(0.0, 1.0).mean
    tensor(0.5772)
    """

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * EULER

    @property
    def variance(self) -> Tensor:
        return (math.pi**2 / 6) * self.scale**2

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(uniform(self, self.shape_of(sample_shape), self.loc))

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        z = -self.standard(value)
        return z - z.exp() - self.scale.log()

    def cdf(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        return (-(-self.standard(value)).exp()).exp()

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc - self.scale * (-value.log()).log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + EULER)


class Exponential(Distribution):
    """The exponential distribution, by its rate.

    >>> import plugrad
    >>> plugrad.distributions.Exponential(2.0).mean
    tensor(0.5000)
    """

    has_rsample = True
    arg_constraints = {"rate": constraints.positive}

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.nonnegative

    @property
    def mean(self) -> Tensor:
        return 1 / self.rate

    @property
    def mode(self) -> Tensor:
        return plugrad.zeros_like(self.rate)

    @property
    def stddev(self) -> Tensor:
        return 1 / self.rate

    @property
    def variance(self) -> Tensor:
        return self.rate**-2

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return -uniform(self, self.shape_of(sample_shape), self.rate).log() / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        return 1 - (-self.rate * value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        return -plugrad.log1p(-value) / self.rate

    def entropy(self) -> Tensor:
        return 1 - self.rate.log()


class Uniform(Distribution):
    """All numbers from `low` to `high` alike.

    >>> import plugrad
    >>> plugrad.distributions.Uniform(0.0, 4.0).entropy()
    tensor(1.3863)
    """

    has_rsample = True
    arg_constraints = {"low": constraints.real, "high": constraints.real}

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast_all(low, high)
        super().__init__(self.low.shape, validate_args=validate_args)
        if self.validates and not bool((self.low < self.high).all()):
            raise ValueError("Uniform: low must be less than high")

    @property
    def support(self) -> Constraint:
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Tensor:
        return self.high * math.nan

    @property
    def stddev(self) -> Tensor:
        return (self.high - self.low) / math.sqrt(12)

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low) ** 2 / 12

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self.shape_of(sample_shape)
        u = plugrad.rand(shape, dtype=self.low.dtype, device=self.low.device)
        return self.low + u * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        inside = ((value >= self.low) & (value < self.high)).to(self.low.dtype)
        return inside.log() - (self.high - self.low).log()

    def cdf(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        return ((value - self.low) / (self.high - self.low)).clamp(0, 1)

    def icdf(self, value: Tensor) -> Tensor:
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        return (self.high - self.low).log()
