"""What every distribution answers, and how its parameters are checked and broadcast.

A distribution has a batch shape, one element for each independent set of parameters,
and an event shape, that of a single outcome. Samples have the sample shape, the batch
shape and the event shape, in that order.
"""

from __future__ import annotations

from typing import Any, ClassVar

import plugrad
from plugrad import Size, Tensor

from .constraints import Constraint

__all__ = ["Distribution"]


class Distribution:
    """The base of all distributions.

    >>> import plugrad
    >>> d = plugrad.distributions.Normal(plugrad.zeros(3), 2.0)
    >>> d, d.batch_shape, d.sample((5,)).shape
    (Normal(loc: plugrad.Size([3]), scale: plugrad.Size([3])), plugrad.Size([3]), plugrad.Size([5, 3]))
    """  # noqa: E501

    has_rsample = False
    has_enumerate_support = False
    arg_constraints: ClassVar[dict[str, Constraint]] = {}
    check_values: ClassVar[bool] = __debug__

    def __init__(
        self,
        batch_shape: Any = (),
        event_shape: Any = (),
        validate_args: bool | None = None,
    ) -> None:
        self.batch_shape = Size(batch_shape)
        self.event_shape = Size(event_shape)
        self.validates = self.check_values if validate_args is None else validate_args
        if self.validates:
            self.validate_arguments()

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether parameters and values are checked where nothing else is said."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: expected a bool, not {value}")
        Distribution.check_values = value

    def validate_arguments(self) -> None:
        """Raise a ValueError for a parameter that is out of bounds."""
        for name, constraint in self.arg_constraints.items():
            value = vars(self).get(name)
            if value is not None and not bool(constraint.check(value).all()):
                raise ValueError(
                    f"{type(self).__name__}: the parameter {name}, of shape "
                    f"{tuple(value.shape)}, is not {constraint!r} everywhere: {value}"
                )

    def validate_sample(self, value: Any) -> None:
        """Raise a ValueError for what is no outcome of this distribution."""
        if not self.validates:
            return
        if not isinstance(value, Tensor):
            kind = type(value).__name__
            raise ValueError(f"{type(self).__name__}: expected a tensor, not {kind}")
        expected = self.batch_shape + self.event_shape
        event = len(self.event_shape)
        if event and value.shape[-event:] != self.event_shape:
            raise ValueError(
                f"{type(self).__name__}: outcomes have the shape "
                f"{tuple(self.event_shape)}, not {tuple(value.shape[-event:])}"
            )
        for i, j in zip(reversed(value.shape), reversed(expected)):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    f"{type(self).__name__}: values of shape {tuple(value.shape)} do "
                    f"not broadcast with {tuple(expected)}"
                )
        if not bool(self.support.check(value).all()):
            raise ValueError(
                f"{type(self).__name__}: a value is out of the support, "
                f"{self.support!r}: {value}"
            )

    @property
    def support(self) -> Constraint:
        """Which outcomes there can be."""
        raise NotImplementedError(f"{type(self).__name__} has no support")

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError(f"{type(self).__name__} has no mean")

    @property
    def mode(self) -> Tensor:
        """The most probable outcome."""
        raise NotImplementedError(f"{type(self).__name__} has no mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError(f"{type(self).__name__} has no variance")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Outcomes, through which no gradient goes."""
        with plugrad.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Outcomes with gradients for the parameters."""
        raise NotImplementedError(
            f"{type(self).__name__}: its samples have no gradients; use sample(), and "
            "log_prob for the gradient"
        )

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at a value."""
        raise NotImplementedError(f"{type(self).__name__} has no log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of an outcome that is not above the value."""
        raise NotImplementedError(f"{type(self).__name__} has no cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The value below which an outcome is with a probability."""
        raise NotImplementedError(f"{type(self).__name__} has no icdf")

    def entropy(self) -> Tensor:
        """The entropy, in nats."""
        raise NotImplementedError(f"{type(self).__name__} has no entropy")

    def perplexity(self) -> Tensor:
        """exp(entropy)."""
        return self.entropy().exp()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All outcomes, along a new first dimension."""
        raise NotImplementedError(f"{type(self).__name__}: its outcomes have no end")

    def parameters(self) -> dict[str, Tensor]:
        """The parameters that it was made with."""
        found = {name: vars(self).get(name) for name in self.arg_constraints}
        return {name: value for name, value in found.items() if value is not None}

    def expand(self, batch_shape: Any) -> Any:
        """The same distribution for a larger batch."""
        expanded = {}
        for name, value in self.parameters().items():
            own = self.arg_constraints[name].event_dim
            event = value.shape[value.ndim - own :]
            expanded[name] = value.expand(Size(batch_shape) + event)
        return type(self)(**expanded, validate_args=False)

    def shape_of(self, sample_shape: Any) -> Size:
        """The shape of samples."""
        return Size(sample_shape) + self.batch_shape + self.event_shape

    def __repr__(self) -> str:
        told = [
            f"{name}: {value if value.numel() == 1 else value.size()}"
            for name, value in self.parameters().items()
        ]
        return f"{type(self).__name__}({', '.join(told)})"


class Centred(Distribution):
    """A distribution whose mean is the most probable outcome, too: `loc`."""

    has_rsample = True
    loc: Tensor

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    def noise(self, sample_shape: Any) -> Tensor:
        """Standard normal numbers in the shape of samples."""
        shape = self.shape_of(sample_shape)
        return plugrad.randn(shape, dtype=self.loc.dtype, device=self.loc.device)


def broadcast_all(*values: Any) -> list[Tensor]:
    """Numbers and tensors as tensors of one shape; numbers have the tensors' dtype."""
    tensors = [each for each in values if isinstance(each, Tensor)]
    like = tensors[0] if tensors else plugrad.empty(0)
    made = [
        each if isinstance(each, Tensor) else plugrad.as_tensor(each).to(like)
        for each in values
    ]
    return list(plugrad.broadcast_tensors(*made))


def sum_rightmost(value: Tensor, dims: int) -> Tensor:
    """The sum over the last dimensions."""
    return value.sum(tuple(range(-dims, 0))) if dims else value


def uniform(d: Distribution, shape: Any, like: Tensor) -> Tensor:
    """Uniform numbers that are neither 0 nor 1."""
    tiny = plugrad.finfo(like.dtype).eps / 2
    return plugrad.rand(shape, dtype=like.dtype, device=like.device).clamp(
        tiny, 1 - tiny
    )
