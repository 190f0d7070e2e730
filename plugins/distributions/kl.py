"""The Kullback-Leibler divergence, a formula for each pair of distributions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import plugrad
from plugrad import Tensor
from plugrad.nn.functional import softplus

from .composed import Independent, TransformedDistribution
from .continuous import Exponential, Gumbel, Laplace, LogNormal, Normal, Uniform
from .discrete import Bernoulli, Binomial, Categorical, Choice, Geometric, Poisson
from .distribution import Distribution, sum_rightmost
from .gammas import Beta, Dirichlet, Gamma
from .multivariate import MultivariateNormal, half_log_det, squared_distance

__all__ = ["kl_divergence", "register_kl"]

Formula = Callable[[Any, Any], Tensor]
FORMULAS: dict[tuple[type, type], Formula] = {}
lgamma, digamma = plugrad.lgamma, plugrad.digamma


def register_kl(type_p: type, type_q: type) -> Callable[[Formula], Formula]:
    """A decorator for the formula of a pair of types, and of those derived from them.

    >>> from plugrad.distributions import Normal, kl_divergence, register_kl
    >>> class Mine(Normal):
    ...     pass
    >>> @register_kl(Mine, Mine)
    ... def between(p, q):
    ...     return p.loc - q.loc
    >>> kl_divergence(Mine(3.0, 1.0), Mine(1.0, 1.0))
    tensor(2.)
    """

    def decorate(formula: Formula) -> Formula:
        FORMULAS[type_p, type_q] = formula
        return formula

    return decorate


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The Kullback-Leibler divergence of p from q.

    >>> from plugrad.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    fits = [
        (type(p).__mro__.index(a) + type(q).__mro__.index(b), formula)
        for (a, b), formula in FORMULAS.items()
        if isinstance(p, a) and isinstance(q, b)
    ]
    if not fits:
        raise NotImplementedError(
            f"kl_divergence: there is no formula for {type(p).__name__} and "
            f"{type(q).__name__}; add one by register_kl"
        )
    return min(fits, key=lambda fit: fit[0])[1](p, q)


@register_kl(Normal, Normal)
def normals(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    apart = ((p.loc - q.loc) / q.scale) ** 2
    return 0.5 * (ratio + apart - 1 - ratio.log())


@register_kl(LogNormal, LogNormal)
def log_normals(p: LogNormal, q: LogNormal) -> Tensor:
    return normals(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def laplaces(p: Laplace, q: Laplace) -> Tensor:
    ratio, apart = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + apart / q.scale + ratio * (-apart / p.scale).exp() - 1


@register_kl(Gumbel, Gumbel)
def gumbels(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, apart = p.scale / q.scale, (q.loc - p.loc) / q.scale
    euler = 0.57721566490153286060
    found = q.scale.log() - p.scale.log() - apart + ratio * euler
    return found + (apart + lgamma(1 + ratio)).exp() - (1 + euler)


@register_kl(Exponential, Exponential)
def exponentials(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Uniform, Uniform)
def uniforms(p: Uniform, q: Uniform) -> Tensor:
    found = ((q.high - q.low) / (p.high - p.low)).log()
    outside = (q.low > p.low) | (q.high < p.high)
    return plugrad.where(outside, math.inf, found)


@register_kl(Uniform, Normal)
def uniform_and_normal(p: Uniform, q: Normal) -> Tensor:
    width = p.high - p.low
    middle = (p.high + p.low - 2 * q.loc) / 2
    norm = (math.sqrt(2 * math.pi) * q.scale / width).log()
    return norm + (width**2 / 12 + middle**2) / (2 * q.scale**2)


@register_kl(Gamma, Gamma)
def gammas(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    found = b * (p.rate / q.rate).log() + lgamma(b) - lgamma(a)
    return found + (a - b) * digamma(a) + (q.rate - p.rate) * (a / p.rate)


@register_kl(Beta, Beta)
def betas(p: Beta, q: Beta) -> Tensor:
    return dirichlets(p.pair, q.pair)


@register_kl(Dirichlet, Dirichlet)
def dirichlets(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    found = lgamma(total) - lgamma(b.sum(-1)) - (lgamma(a) - lgamma(b)).sum(-1)
    slopes = digamma(a) - digamma(total).unsqueeze(-1)
    return found + ((a - b) * slopes).sum(-1)


@register_kl(Bernoulli, Bernoulli)
def bernoullis(p: Bernoulli, q: Bernoulli) -> Tensor:
    yes = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    no = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    yes = plugrad.where(p.probs == 0, 0.0, plugrad.where(q.probs == 0, math.inf, yes))
    no = plugrad.where(p.probs == 1, 0.0, plugrad.where(q.probs == 1, math.inf, no))
    return yes + no


@register_kl(Binomial, Binomial)
def binomials(p: Binomial, q: Binomial) -> Tensor:
    one = p.probs * (p.logits - q.logits) + plugrad.log1p(-p.probs)
    found = p.total_count * (one - plugrad.log1p(-q.probs))
    return plugrad.where(p.total_count > q.total_count, math.inf, found)


@register_kl(Geometric, Geometric)
def geometrics(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - plugrad.log1p(-q.probs) / p.probs - q.logits


@register_kl(Poisson, Poisson)
def poissons(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Choice, Choice)
@register_kl(Categorical, Categorical)
def choices(p: Choice, q: Choice) -> Tensor:
    found = p.probs * (p.logits - q.logits)
    found = plugrad.where(q.probs.expand(found.shape) == 0, math.inf, found)
    found = plugrad.where(p.probs.expand(found.shape) == 0, 0.0, found)
    return found.sum(-1)


@register_kl(MultivariateNormal, MultivariateNormal)
def multivariate_normals(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError("kl_divergence: the vectors of both must be of one length")
    spread = plugrad.linalg.solve_triangular(q.factor, p.factor, upper=False)
    trace = (spread**2).sum((-2, -1))
    apart = squared_distance(q.factor, q.loc - p.loc)
    logs = half_log_det(q.factor) - half_log_det(p.factor)
    return logs + 0.5 * (trace + apart - p.event_shape[0])


@register_kl(Independent, Independent)
def independents(p: Independent, q: Independent) -> Tensor:
    dims = p.reinterpreted_batch_ndims
    if dims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("kl_divergence: of events of different dimensions")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), dims)


@register_kl(TransformedDistribution, TransformedDistribution)
def transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    same = [type(each) for each in p.transforms] == [
        type(each) for each in q.transforms
    ]
    if not same or p.event_shape != q.event_shape:
        raise NotImplementedError("kl_divergence: the transforms are not the same")
    return kl_divergence(p.base_dist, q.base_dist)
