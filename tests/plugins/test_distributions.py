"""Samples of plugrad.distributions; its formulas are compared with PyTorch's in
tests/against_torch/test_distributions.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

import plugrad
from plugrad import distributions as D

N = 4000
SURE = 1e-4  # of a test that is wrong this often; seeds are fixed


def tensor(value):
    return plugrad.tensor(value, dtype=plugrad.float64)


CONTINUOUS = {
    "Normal": (D.Normal(tensor(1.5), tensor(0.7)), scipy.stats.norm(1.5, 0.7)),
    "LogNormal": (
        D.LogNormal(tensor(0.2), tensor(0.5)),
        scipy.stats.lognorm(0.5, scale=math.exp(0.2)),
    ),
    "HalfNormal": (D.HalfNormal(tensor(2.0)), scipy.stats.halfnorm(scale=2.0)),
    "Laplace": (D.Laplace(tensor(-1.0), tensor(2.0)), scipy.stats.laplace(-1, 2)),
    "Cauchy": (D.Cauchy(tensor(1.0), tensor(2.0)), scipy.stats.cauchy(1, 2)),
    "Gumbel": (D.Gumbel(tensor(1.0), tensor(2.0)), scipy.stats.gumbel_r(1, 2)),
    "Exponential": (D.Exponential(tensor(2.0)), scipy.stats.expon(scale=0.5)),
    "Uniform": (D.Uniform(tensor(-1.0), tensor(3.0)), scipy.stats.uniform(-1, 4)),
    "Gamma": (D.Gamma(tensor(2.5), tensor(2.0)), scipy.stats.gamma(2.5, scale=0.5)),
    "Gamma below 1": (
        D.Gamma(tensor(0.4), tensor(1.0)),
        scipy.stats.gamma(0.4),
    ),
    "Chi2": (D.Chi2(tensor(3.0)), scipy.stats.chi2(3)),
    "Beta": (D.Beta(tensor(0.7), tensor(2.0)), scipy.stats.beta(0.7, 2)),
    "StudentT": (D.StudentT(tensor(3.0)), scipy.stats.t(3)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_samples_are_distributed_as_scipy_says(name):
    plugrad.manual_seed(0)
    ours, theirs = CONTINUOUS[name]
    drawn = ours.sample((N,)).numpy()
    assert scipy.stats.kstest(drawn, theirs.cdf).pvalue > SURE
    assert scipy.stats.kstest(drawn, lambda x: theirs.cdf(x) ** 1.3).pvalue < SURE


DISCRETE = {
    "Bernoulli": (D.Bernoulli(tensor(0.3)), scipy.stats.bernoulli(0.3)),
    "Geometric": (D.Geometric(tensor(0.3)), scipy.stats.geom(0.3, loc=-1)),
    "Binomial": (D.Binomial(6, tensor(0.4)), scipy.stats.binom(6, 0.4)),
    "Poisson": (D.Poisson(tensor(2.5)), scipy.stats.poisson(2.5)),
    "Categorical": (
        D.Categorical(tensor([0.1, 0.6, 0.3])),
        scipy.stats.rv_discrete(values=([0, 1, 2], [0.1, 0.6, 0.3])),
    ),
}


@pytest.mark.parametrize("name", DISCRETE)
def test_outcomes_are_as_frequent_as_scipy_says(name):
    plugrad.manual_seed(1)
    ours, theirs = DISCRETE[name]
    drawn = ours.sample((N,)).numpy().astype(int)
    values = np.arange(7)
    expected = N * theirs.pmf(values)
    counts = np.bincount(drawn, minlength=7)[:7]
    kept = expected > 5
    observed = np.append(counts[kept], N - counts[kept].sum())
    wanted = np.append(expected[kept], N - expected[kept].sum())
    held = wanted > 1e-9
    assert observed[~held].sum() == 0
    assert scipy.stats.chisquare(observed[held], wanted[held]).pvalue > SURE
    skewed = wanted[held] * np.linspace(0.8, 1.2, held.sum())
    skewed *= N / skewed.sum()
    assert scipy.stats.chisquare(observed[held], skewed).pvalue < SURE


def moments(d):
    """How many standard errors the mean and the covariances of samples are off."""
    plugrad.manual_seed(2)
    drawn = d.sample((N,)).numpy()
    mean, variance = d.mean.numpy(), d.variance.numpy()
    off = (drawn.mean(0) - mean) / np.sqrt(variance / N)
    return np.abs(off).max(), np.cov(drawn.T)


def test_vectors_have_the_covariance_that_was_given():
    covariance = [[2.0, 0.8, 0.0], [0.8, 1.0, -0.3], [0.0, -0.3, 0.5]]
    d = D.MultivariateNormal(tensor([1.0, -1.0, 0.0]), tensor(covariance))
    off, found = moments(d)
    assert off < 4
    np.testing.assert_allclose(found, covariance, atol=0.15)
    for name in ("precision_matrix", "scale_tril"):  # the same, given otherwise
        other = D.MultivariateNormal(d.loc, **{name: getattr(d, name)})
        found = other.covariance_matrix.numpy()
        np.testing.assert_allclose(found, covariance, atol=1e-12)


def test_probabilities_drawn_by_dirichlet():
    a = np.array([0.5, 2.0, 3.0])
    off, found = moments(D.Dirichlet(tensor(a)))
    total = a.sum()
    mean = a / total
    expected = (np.diag(mean) - np.outer(mean, mean)) / (total + 1)
    assert off < 4
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_batches_draw_each_from_its_own():
    plugrad.manual_seed(3)
    d = D.Categorical(tensor([[[1.0, 0.0, 0.0]] * 2, [[0.0, 0.0, 1.0]] * 2]))
    assert d.sample((5,)).tolist() == [[[0, 0], [2, 2]]] * 5
    hot = D.OneHotCategorical(d.probs).sample((2, 1))
    assert hot.shape == (2, 1, 2, 2, 3) and hot[0, 0, 1, 0].tolist() == [0, 0, 1]
    drawn = D.Gamma(tensor([0.5, 50.0]), 1.0).sample((N,))
    assert abs(drawn.mean(0) - tensor([0.5, 50.0])).max() < 0.5


def test_a_mixture_draws_from_both():
    plugrad.manual_seed(4)
    parts = D.Normal(tensor([-3.0, 3.0]), tensor([0.5, 1.0]))
    d = D.MixtureSameFamily(D.Categorical(tensor([0.25, 0.75])), parts)
    drawn = d.sample((N,)).numpy()
    assert scipy.stats.kstest(drawn, lambda x: d.cdf(tensor(x)).numpy()).pvalue > SURE


def test_transformed_samples():
    plugrad.manual_seed(5)
    d = D.TransformedDistribution(
        D.Normal(tensor(0.3), tensor(0.8)), D.transforms.TanhTransform()
    )
    drawn = d.sample((N,)).numpy()
    assert scipy.stats.kstest(drawn, lambda x: d.cdf(tensor(x)).numpy()).pvalue > SURE


# --- Gradients of samples -----------------------------------------------------------

PATHS = {
    "Normal": lambda a, b: D.Normal(a, b),
    "LogNormal": lambda a, b: D.LogNormal(a, b),
    "HalfNormal": lambda a, b: D.HalfNormal(b),
    "Laplace": lambda a, b: D.Laplace(a, b),
    "Cauchy": lambda a, b: D.Cauchy(a, b),
    "Gumbel": lambda a, b: D.Gumbel(a, b),
    "Exponential": lambda a, b: D.Exponential(b),
    "Uniform": lambda a, b: D.Uniform(a, a + b),
    "vectors": lambda a, b: D.MultivariateNormal(
        a.expand(2), scale_tril=plugrad.stack([b, b * 0, a, b]).view(2, 2)
    ),
    "relaxed": lambda a, b: D.RelaxedOneHotCategorical(b, logits=plugrad.stack([a, b])),
    "independent": lambda a, b: D.Independent(D.Normal(a.expand(3), b), 1),
    "tanh": lambda a, b: D.TransformedDistribution(
        D.Normal(a, b), D.transforms.TanhTransform()
    ),
}


@pytest.mark.parametrize("name", PATHS)
def test_gradients_go_through_samples(name):
    """Against differences of the same draws at other parameters."""

    def drawn(a, b):
        plugrad.manual_seed(6)
        d = PATHS[name](a, b)
        assert d.has_rsample
        return d.rsample((4,)).sum()

    a, b = tensor(0.4).requires_grad_(), tensor(1.3).requires_grad_()
    grads = plugrad.autograd.grad(drawn(a, b), [a, b], allow_unused=True)
    step = 1e-6
    for i, grad in enumerate(grads):
        up, down = [0.4, 1.3], [0.4, 1.3]
        up[i] += step
        down[i] -= step
        with plugrad.no_grad():
            slope = (drawn(*map(tensor, up)) - drawn(*map(tensor, down))) / (2 * step)
        found = 0.0 if grad is None else grad.item()
        assert found == pytest.approx(slope.item(), rel=1e-5, abs=1e-6)


def test_straight_through_has_the_gradient_of_the_probabilities():
    logits = tensor([0.1, 0.5, -0.3]).requires_grad_()
    d = D.OneHotCategoricalStraightThrough(logits=logits)
    weights = tensor([1.0, 2.0, 3.0])
    drawn = d.rsample()
    assert sorted(drawn.tolist()) == pytest.approx([0, 0, 1])
    (found,) = plugrad.autograd.grad((drawn * weights).sum(), logits)
    (wanted,) = plugrad.autograd.grad((logits.softmax(-1) * weights).sum(), logits)
    np.testing.assert_allclose(found.numpy(), wanted.numpy())


@pytest.mark.parametrize("d", [D.Gamma(1.0, 1.0), D.Bernoulli(0.5), D.StudentT(3.0)])
def test_where_samples_have_no_gradient(d):
    assert not d.has_rsample
    with pytest.raises(NotImplementedError, match="use sample"):
        d.rsample()


class Bare(D.Distribution, D.transforms.Transform, D.constraints.Constraint):
    """A distribution, transform and constraint that says nothing of itself."""


@pytest.mark.parametrize("name", ["support", "mean", "mode", "variance"])
def test_what_a_class_does_not_say_is_named(name):
    with pytest.raises(NotImplementedError, match=f"Bare has no {name}$"):
        getattr(Bare(), name)


@pytest.mark.parametrize(
    "name", "log_prob cdf icdf check forward backward log_abs_det_jacobian".split()
)
def test_a_method_that_a_class_lacks_is_named(name):
    values = [tensor(1.0)] * (2 if name == "log_abs_det_jacobian" else 1)
    with pytest.raises(NotImplementedError, match=f"Bare has no {name}"):
        getattr(Bare(), name)(*values)


def test_divergence_is_the_mean_of_the_difference_of_densities():
    plugrad.manual_seed(7)
    p, q = D.Beta(tensor(2.0), tensor(3.0)), D.Beta(tensor(1.5), tensor(1.0))
    x = p.sample((20 * N,))
    difference = p.log_prob(x) - q.log_prob(x)
    off = difference.mean() - D.kl_divergence(p, q)
    assert abs(off) < 5 * difference.std() / math.sqrt(20 * N)


def test_checks_can_be_turned_off():
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
    finally:
        D.Distribution.set_default_validate_args(True)
    D.Normal(0.0, -1.0, validate_args=False)
    with pytest.raises(ValueError, match="Normal: the parameter scale"):
        D.Normal(0.0, -1.0)
