"""Distributions made of others: several as one, transformed, mixed, relaxed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plugrad
from plugrad import Size, Tensor

from . import constraints
from .constraints import Constraint
from .discrete import Categorical
from .distribution import Distribution, sum_rightmost, uniform
from .transforms import ComposeTransform, Transform

__all__ = [
    "Independent",
    "MixtureSameFamily",
    "RelaxedOneHotCategorical",
    "TransformedDistribution",
]


class Each(Constraint):
    """A constraint on every element of an event."""

    def __init__(self, base: Constraint, dims: int) -> None:
        self.base = base
        self.dims = dims
        self.event_dim = base.event_dim + dims
        self.is_discrete = base.is_discrete

    def check(self, value: Tensor) -> Tensor:
        found = self.base.check(value)
        return found.flatten(-self.dims).all(-1) if self.dims else found


class Independent(Distribution):
    """The last dimensions of a batch, taken as one event.

    >>> import plugrad
    >>> normal = plugrad.distributions.Normal(plugrad.zeros(3), plugrad.ones(3))
    >>> d = plugrad.distributions.Independent(normal, 1)
    >>> d.batch_shape, d.event_shape, d.log_prob(plugrad.zeros(3))
    (plugrad.Size([]), plugrad.Size([3]), tensor(-2.7568))
    """

    def __init__(
        self,
        base_distribution: Distribution,
        reinterpreted_batch_ndims: int,
        validate_args: bool | None = None,
    ) -> None:
        dims = reinterpreted_batch_ndims
        if dims > len(base_distribution.batch_shape):
            raise ValueError(
                f"Independent: a batch of shape {tuple(base_distribution.batch_shape)} "
                f"does not have {dims} dimensions"
            )
        shape = base_distribution.batch_shape + base_distribution.event_shape
        batch = len(base_distribution.batch_shape) - dims
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = dims
        super().__init__(shape[:batch], shape[batch:], validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return self.base_dist.has_rsample

    @property
    def support(self) -> Constraint:
        return Each(self.base_dist.support, self.reinterpreted_batch_ndims)

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        found = self.base_dist.log_prob(value)
        return sum_rightmost(found, self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def expand(self, batch_shape: Any) -> Independent:
        dims = self.reinterpreted_batch_ndims
        base = self.base_dist
        inner = base.batch_shape[len(base.batch_shape) - dims :]
        return Independent(base.expand(Size(batch_shape) + inner), dims, False)

    def __repr__(self) -> str:
        return f"Independent({self.base_dist}, {self.reinterpreted_batch_ndims})"


class TransformedDistribution(Distribution):
    """The distribution of a function of an outcome.

    >>> import plugrad
    >>> from plugrad.distributions import Normal, TransformedDistribution, transforms
    >>> squashed = TransformedDistribution(Normal(0.0, 1.0), transforms.TanhTransform())
    >>> squashed.log_prob(plugrad.tensor(0.5))
    tensor(-0.7821)
    """

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | Sequence[Transform],
        validate_args: bool | None = None,
    ) -> None:
        given = [transforms] if isinstance(transforms, Transform) else list(transforms)
        whole = ComposeTransform(given)
        lacking = max(whole.event_dim - len(base_distribution.event_shape), 0)
        if lacking:
            base_distribution = Independent(base_distribution, lacking)
        self.base_dist = base_distribution
        self.transforms = given
        super().__init__(
            base_distribution.batch_shape, base_distribution.event_shape, validate_args
        )

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return self.base_dist.has_rsample

    @property
    def support(self) -> Constraint:
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        return Each(found, len(self.event_shape) - found.event_dim)

    def transformed(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with plugrad.no_grad():
            return self.transformed(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.transformed(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        found: Any = 0.0
        for transform in reversed(self.transforms):
            x = transform.inverse(value)
            one = transform.log_abs_det_jacobian(x, value)
            found = found - sum_rightmost(
                one, len(self.event_shape) - transform.event_dim
            )
            value = x
        return found + self.base_dist.log_prob(value)

    def cdf(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        for transform in reversed(self.transforms):
            value = transform.inverse(value)
        return self.turned(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self.transformed(self.base_dist.icdf(self.turned(value)))

    def turned(self, p: Tensor) -> Tensor:
        """A probability, or what is left of 1 where the transform decreases."""
        sign = ComposeTransform(self.transforms).sign
        return sign * (p - 0.5) + 0.5

    def expand(self, batch_shape: Any) -> TransformedDistribution:
        base = self.base_dist.expand(batch_shape)
        return TransformedDistribution(base, self.transforms, validate_args=False)

    def __repr__(self) -> str:
        return f"TransformedDistribution({self.base_dist}, {self.transforms})"


class MixtureSameFamily(Distribution):
    """One of several distributions, chosen by a Categorical; they are the last
    dimension of the batch of `component_distribution`.

    >>> import plugrad
    >>> from plugrad.distributions import Categorical, MixtureSameFamily, Normal
    >>> which = Categorical(plugrad.tensor([0.5, 0.5]))
    >>> d = MixtureSameFamily(which, Normal(plugrad.tensor([-1.0, 1.0]), 1.0))
    >>> d.mean, d.variance
    (tensor(0.), tensor(2.))
    """

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                "MixtureSameFamily: mixture_distribution must be a Categorical"
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "MixtureSameFamily: component_distribution must be a Distribution"
            )
        self.mixture_distribution = mixture_distribution
        self.component_distribution = component_distribution
        batch = component_distribution.batch_shape
        if mixture_distribution.count != batch[-1]:
            raise ValueError(
                f"MixtureSameFamily: there are {batch[-1]} distributions, and "
                f"probabilities of {mixture_distribution.count}"
            )
        super().__init__(batch[:-1], component_distribution.event_shape, validate_args)

    @property
    def support(self) -> Constraint:
        return self.component_distribution.support

    @property
    def weights(self) -> Tensor:
        """The probabilities, in the shape of the outcomes."""
        probs = self.mixture_distribution.probs
        return probs.reshape(probs.shape + (1,) * len(self.event_shape))

    @property
    def dim(self) -> int:
        """Where the distributions are, in their samples."""
        return -1 - len(self.event_shape)

    @property
    def mean(self) -> Tensor:
        return (self.weights * self.component_distribution.mean).sum(self.dim)

    @property
    def variance(self) -> Tensor:
        within = (self.weights * self.component_distribution.variance).sum(self.dim)
        apart = self.component_distribution.mean - self.mean.unsqueeze(self.dim)
        return within + (self.weights * apart**2).sum(self.dim)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with plugrad.no_grad():
            which = self.mixture_distribution.sample(sample_shape)
            drawn = self.component_distribution.sample(sample_shape)
            index = which.reshape(which.shape + (1,) * (1 + len(self.event_shape)))
            shape = Size(sample_shape) + self.batch_shape + (1,) + self.event_shape
            return drawn.gather(drawn.ndim + self.dim, index.expand(shape)).squeeze(
                self.dim
            )

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        found = self.component_distribution.log_prob(value.unsqueeze(self.dim))
        return (found + self.mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def cdf(self, value: Tensor) -> Tensor:
        found = self.component_distribution.cdf(value.unsqueeze(self.dim))
        return (found * self.mixture_distribution.probs).sum(-1)

    def __repr__(self) -> str:
        parts = f"{self.mixture_distribution}, {self.component_distribution}"
        return f"MixtureSameFamily({parts})"


class RelaxedOneHotCategorical(Distribution):
    """Vectors near one-hot ones, with gradients: Gumbel noise and a softmax at a
    temperature.

    >>> import plugrad
    >>> logits = plugrad.zeros(3, requires_grad=True)
    >>> d = plugrad.distributions.RelaxedOneHotCategorical(0.5, logits=logits)
    >>> d.rsample((2,)).requires_grad
    True
    """

    has_rsample = True

    def __init__(
        self,
        temperature: Any,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self.choice = Categorical(probs, logits, validate_args)
        self.probs, self.logits = self.choice.probs, self.choice.logits
        self.temperature = plugrad.as_tensor(temperature).to(self.logits)
        super().__init__(self.choice.batch_shape, (self.choice.count,), validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.simplex

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        u = uniform(self, self.shape_of(sample_shape), self.logits)
        scores = (self.logits - (-u.log()).log()) / self.temperature
        return scores.softmax(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        count, t = self.choice.count, self.temperature
        score = self.logits - t * value.log()
        score = (score - score.logsumexp(-1, keepdim=True)).sum(-1)
        constant = plugrad.lgamma(plugrad.full_like(t, float(count)))
        return score + constant + (count - 1) * t.log() - value.log().sum(-1)

    def expand(self, batch_shape: Any) -> RelaxedOneHotCategorical:
        logits = self.logits.expand(Size(batch_shape) + self.event_shape)
        return RelaxedOneHotCategorical(self.temperature, logits=logits)
