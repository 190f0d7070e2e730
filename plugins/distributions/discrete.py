"""Distributions of whole numbers, and of one choice among several.

Most are made of `probs` or of `logits`; the other is computed when it is asked for.
"""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad import Size, Tensor
from plugrad.nn.functional import binary_cross_entropy_with_logits, softplus

from . import constraints
from .constraints import Constraint
from .distribution import Distribution, broadcast_all

__all__ = [
    "Bernoulli",
    "Binomial",
    "Categorical",
    "Geometric",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Poisson",
]


def clamped(probs: Tensor) -> Tensor:
    """Probabilities that have logarithms."""
    eps = plugrad.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def log_factorial(n: Tensor) -> Tensor:
    return plugrad.lgamma(n + 1)


def listed(d: Distribution, values: Tensor, expand: bool) -> Tensor:
    """Outcomes along a new first dimension, for each distribution of a batch."""
    values = values.view((-1,) + (1,) * len(d.batch_shape))
    return values.expand((-1, *d.batch_shape)) if expand else values


class ProbsOrLogits(Distribution):
    """A distribution of `probs`, or of their `logits`: log(p / (1 - p))."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.take(probs, logits)
        super().__init__(self.param.shape, validate_args=validate_args)

    def take(self, probs: Any, logits: Any, *others: Any) -> list[Tensor]:
        """Keep the one of both that was given; broadcast it with other parameters."""
        if (probs is None) == (logits is None):
            raise ValueError(
                f"{type(self).__name__}: give either probs or logits, not both or none"
            )
        given = logits if probs is None else probs
        if not isinstance(given, (Tensor, int, float)):
            given = plugrad.as_tensor(given)
        found, *rest = broadcast_all(given, *others)
        self.by_probs = probs is not None
        vars(self)["probs" if self.by_probs else "logits"] = found
        return rest

    @property
    def param(self) -> Tensor:
        """The probs or logits that were given."""
        return self.probs if self.by_probs else self.logits

    def __getattr__(self, name: str) -> Any:
        given = vars(self)
        if name == "probs" and "logits" in given:
            found = plugrad.sigmoid(given["logits"])
        elif name == "logits" and "probs" in given:
            p = clamped(given["probs"])
            found = p.log() - plugrad.log1p(-p)
        else:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return found


class Bernoulli(ProbsOrLogits):
    """1 with the probability `probs`, else 0.

    >>> import plugrad
    >>> d = plugrad.distributions.Bernoulli(probs=plugrad.tensor([0.25]))
    >>> d.log_prob(plugrad.tensor([1.0])).exp(), d.mean
    (tensor([0.2500]), tensor([0.2500]))
    """

    has_enumerate_support = True

    @property
    def support(self) -> Constraint:
        return constraints.boolean

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        found = (self.probs >= 0.5).to(self.probs.dtype)
        return plugrad.where(self.probs == 0.5, plugrad.nan, found)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with plugrad.no_grad():
            return plugrad.bernoulli(self.probs.expand(self.shape_of(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(
            logits, value.to(logits.dtype), reduction="none"
        )

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(
            self.logits, self.probs, reduction="none"
        )

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = plugrad.arange(2, dtype=self.param.dtype, device=self.param.device)
        return listed(self, values, expand)


class Geometric(ProbsOrLogits):
    """How often one fails before the first success.

    >>> import plugrad
    >>> plugrad.distributions.Geometric(probs=0.25).mean
    tensor(3.)
    """

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(probs, logits, validate_args)
        if self.validates and self.by_probs and not bool((self.probs > 0).all()):
            raise ValueError("Geometric: the parameter probs must be positive")

    @property
    def support(self) -> Constraint:
        return constraints.nonnegative_integer

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return plugrad.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with plugrad.no_grad():
            p = self.probs.expand(self.shape_of(sample_shape))
            tiny = plugrad.finfo(p.dtype).tiny
            u = plugrad.rand(p.shape, dtype=p.dtype, device=p.device).clamp(min=tiny)
            return (u.log() / plugrad.log1p(-p)).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        probs = plugrad.where((probs == 1) & (value == 0), 0.0, probs)
        return value * plugrad.log1p(-probs) + self.probs.log()

    def entropy(self) -> Tensor:
        logits, probs = self.logits, self.probs
        return binary_cross_entropy_with_logits(logits, probs, reduction="none") / probs


class Binomial(ProbsOrLogits):
    """How many of `total_count` tries succeed.

    >>> import plugrad
    >>> d = plugrad.distributions.Binomial(4, probs=plugrad.tensor(0.5))
    >>> d.log_prob(plugrad.tensor(2.0)).exp()
    tensor(0.3750)
    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        **ProbsOrLogits.arg_constraints,
    }
    has_enumerate_support = True

    def __init__(
        self,
        total_count: Any = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        (count,) = self.take(probs, logits, total_count)
        self.total_count = count.to(self.param.dtype)
        Distribution.__init__(self, self.param.shape, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        most = ((self.total_count + 1) * self.probs).floor()
        return plugrad.minimum(most, self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with plugrad.no_grad():
            shape = self.shape_of(sample_shape)
            probs, count = self.probs.expand(shape), self.total_count.expand(shape)
            found = plugrad.zeros_like(probs)
            for tried in range(int(count.max()) if count.numel() else 0):
                found = found + plugrad.bernoulli(probs) * (tried < count)
            return found

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        n, logits = self.total_count, self.logits
        ways = log_factorial(n) - log_factorial(value) - log_factorial(n - value)
        # log(1 - p) is -softplus(logits), whatever their sign
        return ways + value * logits - n * softplus(logits)

    def entropy(self) -> Tensor:
        """The entropy; all distributions of a batch must have the same number of
        tries."""
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        count = int(self.total_count.max())
        if int(self.total_count.min()) != count:
            raise NotImplementedError(
                "Binomial: the outcomes are listed only where total_count is the same "
                "for the whole batch"
            )
        values = plugrad.arange(1 + count, dtype=self.param.dtype)
        values = values.to(self.param.device)
        return listed(self, values, expand)


class Poisson(Distribution):
    """How often something happens that happens `rate` times on the average.

    >>> import plugrad
    >>> d = plugrad.distributions.Poisson(plugrad.tensor([3.0]))
    >>> d.log_prob(plugrad.tensor([0.0]))
    tensor([-3.])
    """

    arg_constraints = {"rate": constraints.nonnegative}

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.nonnegative_integer

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with plugrad.no_grad():
            return plugrad.poisson(self.rate.expand(self.shape_of(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return plugrad.xlogy(value, rate) - rate - log_factorial(value)


class Choice(Distribution):
    """One of several, by the last dimension of `probs` or of `logits`."""

    arg_constraints = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    has_enumerate_support = True

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        name = type(self).__name__
        if (probs is None) == (logits is None):
            raise ValueError(f"{name}: give either probs or logits, not both or none")
        given = logits if probs is None else probs
        if given.dim() < 1:
            raise ValueError(f"{name}: the parameter must have a dimension, at least")
        self.by_probs = probs is not None
        if probs is not None:
            self.probs = probs / probs.sum(-1, keepdim=True)
        else:
            self.logits = given - given.logsumexp(-1, keepdim=True)
        self.count = given.size(-1)
        event = (self.count,) if self.one_hot else ()
        super().__init__(given.shape[:-1], event, validate_args)

    one_hot = False

    @property
    def param(self) -> Tensor:
        """The probs or logits that were given, made to sum to 1."""
        return self.probs if self.by_probs else self.logits

    def __getattr__(self, name: str) -> Any:
        given = vars(self)
        if name == "probs" and "logits" in given:
            return given["logits"].softmax(-1)
        if name == "logits" and "probs" in given:
            return clamped(given["probs"]).log()
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def chosen(self, sample_shape: Any) -> Tensor:
        """Indices, drawn."""
        shape = Size(sample_shape)
        with plugrad.no_grad():
            flat = self.probs.reshape(-1, self.count)
            drawn = plugrad.multinomial(flat, shape.numel(), replacement=True)
            return drawn.t().reshape(shape + self.batch_shape)

    def entropy(self) -> Tensor:
        least = plugrad.finfo(self.logits.dtype).min
        return -(self.logits.clamp(min=least) * self.probs).sum(-1)


class Categorical(Choice):
    """An index, each with its probability.

    >>> import plugrad
    >>> d = plugrad.distributions.Categorical(probs=plugrad.tensor([0.25, 0.75]))
    >>> d.log_prob(plugrad.tensor(1)).exp(), d.sample((3,)).shape
    (tensor(0.7500), plugrad.Size([3]))
    """

    @property
    def support(self) -> Constraint:
        return constraints.integer_interval(0, self.count - 1)

    @property
    def mean(self) -> Tensor:
        return plugrad.full(self.batch_shape, plugrad.nan, dtype=self.probs.dtype)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return self.mean

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self.chosen(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        index, logits = value.long().unsqueeze(-1), self.logits
        shape = plugrad.broadcast_tensors(index, logits[..., :1])[0].shape[:-1]
        logits = logits.expand((*shape, self.count))
        return logits.gather(-1, index.expand((*shape, 1))).squeeze(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = plugrad.arange(self.count, device=self.param.device)
        return listed(self, values, expand)


class OneHotCategorical(Choice):
    """A vector with a one at the index that was drawn, and zeros.

    >>> import plugrad
    >>> d = plugrad.distributions.OneHotCategorical(logits=plugrad.zeros(4))
    >>> d.sample().sum(), d.mean
    (tensor(1.), tensor([0.2500, 0.2500, 0.2500, 0.2500]))
    """

    one_hot = True

    @property
    def support(self) -> Constraint:
        return constraints.one_hot

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self.hot(self.probs.argmax(-1))

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def hot(self, index: Tensor) -> Tensor:
        """Indices as vectors."""
        every = plugrad.arange(self.count, device=index.device)
        return (index.unsqueeze(-1) == every).to(self.param.dtype)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self.hot(self.chosen(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        index = value.argmax(-1)
        return Categorical(logits=self.logits, validate_args=False).log_prob(index)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = plugrad.eye(self.count, dtype=self.param.dtype)
        values = values.to(self.param.device)
        values = values.view(self.count, *(1 for _ in self.batch_shape), self.count)
        if expand:
            values = values.expand((self.count, *self.batch_shape, self.count))
        return values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """One-hot vectors, with the gradient that the probabilities would have.

    >>> import plugrad
    >>> logits = plugrad.zeros(3, requires_grad=True)
    >>> d = plugrad.distributions.OneHotCategoricalStraightThrough(logits=logits)
    >>> d.rsample().requires_grad
    True
    """

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
