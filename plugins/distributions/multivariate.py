"""The normal distribution of vectors."""

from __future__ import annotations

import math
from typing import Any

import plugrad
from plugrad import Tensor

from . import constraints
from .constraints import Constraint
from .distribution import Centred

__all__ = ["MultivariateNormal"]

cholesky, solve_triangular = plugrad.linalg.cholesky, plugrad.linalg.solve_triangular


class MultivariateNormal(Centred):
    """Normal vectors, by their mean and one of: the covariance matrix, its inverse, its
    lower Cholesky factor.

    >>> import plugrad
    >>> d = plugrad.distributions.MultivariateNormal(plugrad.zeros(2), plugrad.eye(2))
    >>> d.log_prob(plugrad.zeros(2)), d.sample((3,)).shape
    (tensor(-1.8379), plugrad.Size([3, 2]))
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        given = {name: each for name, each in given.items() if each is not None}
        if loc.dim() < 1:
            raise ValueError("MultivariateNormal: loc must have a dimension, at least")
        if len(given) != 1:
            raise ValueError(
                "MultivariateNormal: give exactly one of covariance_matrix, "
                "precision_matrix and scale_tril"
            )
        ((name, matrix),) = given.items()
        if matrix.dim() < 2:
            raise ValueError(f"MultivariateNormal: {name} must be a matrix, or several")
        first = plugrad.broadcast_tensors(loc[..., 0], matrix[..., 0, 0])[0].shape
        self.loc = loc.expand(first + loc.shape[-1:])
        vars(self)[name] = matrix.expand(first + matrix.shape[-2:])
        super().__init__(first, loc.shape[-1:], validate_args)
        if name == "covariance_matrix":
            self.factor = cholesky(matrix)
        elif name == "precision_matrix":
            self.factor = factor_of_inverse(matrix)
        else:
            self.factor = matrix

    def __getattr__(self, name: str) -> Any:
        if name in ("covariance_matrix", "precision_matrix", "scale_tril"):
            factor = vars(self)["factor"].expand(
                self.batch_shape + self.event_shape + self.event_shape
            )
            if name == "scale_tril":
                return factor
            if name == "covariance_matrix":
                return factor @ factor.mT
            return plugrad.cholesky_inverse(factor)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def expand(self, batch_shape: Any) -> MultivariateNormal:
        shape = tuple(batch_shape) + tuple(self.event_shape)
        factor = self.factor.expand(shape + tuple(self.event_shape))
        loc = self.loc.expand(shape)
        return MultivariateNormal(loc, scale_tril=factor, validate_args=False)

    @property
    def support(self) -> Constraint:
        return constraints.real_vector

    @property
    def variance(self) -> Tensor:
        return (self.factor**2).sum(-1).expand(self.batch_shape + self.event_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        noise = self.noise(sample_shape).unsqueeze(-1)
        return self.loc + (self.factor @ noise).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self.validate_sample(value)
        distance = squared_distance(self.factor, value - self.loc)
        constant = self.event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + distance) - half_log_det(self.factor)

    def entropy(self) -> Tensor:
        constant = 0.5 * self.event_shape[0] * (1 + math.log(2 * math.pi))
        return (constant + half_log_det(self.factor)).expand(self.batch_shape)


def factor_of_inverse(precision: Tensor) -> Tensor:
    """The lower Cholesky factor of the inverse of a matrix."""
    # With the matrix turned about, its factor is the inverse's, turned about.
    flipped = cholesky(precision.flip(-2, -1)).flip(-2, -1).mT
    unit = plugrad.eye(precision.shape[-1], dtype=precision.dtype)
    return solve_triangular(flipped, unit.to(precision.device), upper=False)


def half_log_det(factor: Tensor) -> Tensor:
    """Half the logarithm of the covariance's determinant."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def squared_distance(factor: Tensor, x: Tensor) -> Tensor:
    """x' S^-1 x for the covariance S with that factor."""
    solved = solve_triangular(factor, x.unsqueeze(-1), upper=False)
    return (solved**2).sum((-2, -1))
