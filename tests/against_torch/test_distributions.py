"""plugrad.distributions beside torch.distributions: every formula of every family."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

import plugrad
from plugrad import distributions

# A family, its parameters, and values of its support.
A, B = [0.3, 1.7, 2.4], [[0.5], [1.2]]
P = [0.15, 0.5, 0.9]
CHOICES = [[0.2, 0.3, 0.5], [0.7, 0.1, 0.2]]
LOGITS = [[-1.0, 0.5, 2.0], [3.0, 0.0, -2.0]]
SPD = [[2.0, 0.3], [0.3, 1.0]]
REALS = [[-1.5, 0.2, 3.0], [0.7, -0.3, 1.1]]
POSITIVE = [[0.2, 1.5, 3.0], [0.7, 0.4, 2.2]]
UNIT = [[0.1, 0.5, 0.9], [0.3, 0.6, 0.8]]
COUNTS = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]
BITS = [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]
CASES = {
    "Normal": ("Normal", {"loc": A, "scale": B}, REALS),
    "LogNormal": ("LogNormal", {"loc": A, "scale": B}, POSITIVE),
    "HalfNormal": ("HalfNormal", {"scale": A}, POSITIVE),
    "Laplace": ("Laplace", {"loc": A, "scale": B}, REALS),
    "Cauchy": ("Cauchy", {"loc": A, "scale": B}, REALS),
    "Gumbel": ("Gumbel", {"loc": A, "scale": B}, REALS),
    "Exponential": ("Exponential", {"rate": A}, POSITIVE),
    "Uniform": ("Uniform", {"low": [-2.0, -1.0, 0.0], "high": [[4.0], [5.0]]}, UNIT),
    "Gamma": ("Gamma", {"concentration": A, "rate": B}, POSITIVE),
    "Chi2": ("Chi2", {"df": A}, POSITIVE),
    "Beta": ("Beta", {"concentration1": A, "concentration0": B}, UNIT),
    "StudentT": ("StudentT", {"df": A, "loc": 0.5, "scale": B}, REALS),
    "Dirichlet": ("Dirichlet", {"concentration": A}, CHOICES),
    "Dirichlet small": ("Dirichlet", {"concentration": [0.3, 0.2, 0.9]}, CHOICES),
    "Bernoulli probs": ("Bernoulli", {"probs": P}, BITS),
    "Bernoulli logits": ("Bernoulli", {"logits": REALS}, BITS),
    "Geometric": ("Geometric", {"probs": P}, COUNTS),
    "Geometric logits": ("Geometric", {"logits": A}, COUNTS),
    "Binomial": ("Binomial", {"total_count": 4, "probs": P}, COUNTS),
    "Binomial logits": ("Binomial", {"total_count": 4, "logits": REALS}, COUNTS),
    "Poisson": ("Poisson", {"rate": A}, COUNTS),
    "Categorical": ("Categorical", {"probs": CHOICES}, [0.0, 2.0]),
    "Categorical logits": ("Categorical", {"logits": LOGITS}, [[1.0, 0.0]] * 2),
    "OneHotCategorical": ("OneHotCategorical", {"probs": CHOICES}, np.eye(3)[[0, 2]]),
    "OneHotCategoricalStraightThrough": (
        "OneHotCategoricalStraightThrough", {"logits": LOGITS}, np.eye(3)[[0, 2]],
    ),
    "MultivariateNormal": (
        "MultivariateNormal", {"loc": A[:2], "covariance_matrix": SPD},
        [[0.5, 1.0], [-1.0, 2.0]],
    ),
    "MultivariateNormal tril": (
        "MultivariateNormal",
        {"loc": [[0.1, 0.2], [0.3, 0.4]], "scale_tril": [[1.5, 0.0], [0.4, 0.8]]},
        [[[0.5, 1.0]], [[-1.0, 2.0]]],
    ),
    "MultivariateNormal precision": (
        "MultivariateNormal", {"loc": A[:2], "precision_matrix": SPD}, [0.5, 1.0],
    ),
    "RelaxedOneHotCategorical": (
        "RelaxedOneHotCategorical", {"temperature": 0.7, "logits": LOGITS}, CHOICES,
    ),
}  # fmt: skip
ANSWERS = "mean mode variance stddev entropy perplexity enumerate_support".split()


def made(m, case):
    """The distribution in a library, its parameters as leaves, and the values."""
    family, given, values = CASES[case]
    leaves = {
        name: value
        if isinstance(value, int)
        else m.tensor(value, dtype=m.float64, requires_grad=True)
        for name, value in given.items()
    }
    d = getattr(m.distributions, family)(**leaves)
    values = m.tensor(np.asarray(values).tolist(), dtype=m.float64)
    return d, [each for each in leaves.values() if not isinstance(each, int)], values


def answered(function):
    """What a call gives, or that it has no answer."""
    try:
        found = function()
    except (NotImplementedError, AttributeError):
        return None
    return found() if inspect.ismethod(found) else found


def compare(ours, theirs, exact=1e-9):
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype).rpartition(".")[2] == str(theirs.dtype).rpartition(".")[2]
    ours, theirs = ours.detach().numpy(), theirs.detach().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=exact, atol=exact, equal_nan=True)


@pytest.mark.parametrize("case", CASES)
def test_densities_and_their_gradients(case):
    found = []
    for m in (plugrad, torch):
        d, leaves, values = made(m, case)
        density = d.log_prob(values)
        weights = m.arange(float(density.numel())).view(density.shape) + 1
        (density * weights).sum().backward()
        found.append([density, *(leaf.grad for leaf in leaves)])
    for ours, theirs in zip(*found, strict=True):
        compare(ours, theirs)


@pytest.mark.parametrize("case", CASES)
def test_what_a_distribution_answers(case):
    ours, theirs = made(plugrad, case)[0], made(torch, case)[0]
    assert tuple(ours.batch_shape) == tuple(theirs.batch_shape)
    assert tuple(ours.event_shape) == tuple(theirs.event_shape)
    assert ours.has_enumerate_support == theirs.has_enumerate_support
    answers = 0
    for name in ANSWERS:
        asked = [
            answered(lambda d=d, name=name: answer_of(d, name)) for d in (ours, theirs)
        ]
        assert (asked[0] is None) == (asked[1] is None), name
        if asked[0] is not None:
            answers += 1
            compare(*asked)
    assert answers >= 3 or case == "RelaxedOneHotCategorical"
    shape = (4, *theirs.batch_shape, *theirs.event_shape)
    drawn = ours.sample((4,))
    assert tuple(drawn.shape) == shape and not drawn.requires_grad
    assert str(drawn.dtype)[8:] == str(theirs.sample().dtype)[6:]
    ours.validate_sample(drawn)


def answer_of(d, name):
    found = getattr(d, name)
    return found() if callable(found) else found


@pytest.mark.parametrize("case", CASES)
def test_distribution_functions(case):
    ours, theirs = made(plugrad, case), made(torch, case)
    found = [answered(lambda d=d, x=x: d.cdf(x)) for d, _, x in (ours, theirs)]
    if case in ("Gamma", "Chi2"):  # PyTorch's needs the incomplete gamma function
        assert found[0] is None
        return
    assert (found[0] is None) == (found[1] is None)
    if found[0] is not None:
        compare(*found)
    p = np.array([[0.1, 0.5, 0.7], [0.3, 0.2, 0.95]])
    found = [
        answered(lambda d=d, m=m: d.icdf(m.from_numpy(p)))
        for d, m in ((ours[0], plugrad), (theirs[0], torch))
    ]
    assert (found[0] is None) == (found[1] is None)
    if found[0] is not None:
        compare(*found)


@pytest.mark.parametrize("case", CASES)
def test_expand(case):
    larger = [
        d.expand((5, *d.batch_shape))
        for d in (made(plugrad, case)[0], made(torch, case)[0])
    ]
    assert tuple(larger[0].batch_shape) == tuple(larger[1].batch_shape)
    assert type(larger[0]).__name__ == type(larger[1]).__name__
    if case != "RelaxedOneHotCategorical":
        compare(larger[0].variance, larger[1].variance)


PAIRS = [
    (a, b)
    for a in CASES
    for b in CASES
    if a.split()[0] == b.split()[0]
    and a.split()[0] not in ("HalfNormal", "StudentT")
    # PyTorch's formula does not broadcast these
    and (a == b or not a.startswith("Bernoulli"))
] + [("Uniform", "Normal")]


@pytest.mark.parametrize("p, q", PAIRS)
def test_divergences(p, q):
    found = []
    for m in (plugrad, torch):
        first, second = made(m, p), made(m, q)
        if p == q:  # other parameters
            second = first[0].expand(first[0].batch_shape), *second[1:]
            first = made(m, p)
        try:
            kl = m.distributions.kl_divergence(first[0], second[0])
        except NotImplementedError:
            found.append(None)
            continue
        if kl.requires_grad:
            kl.sum().backward()
        found.append([kl, *(x.grad for x in first[1] if x.grad is not None)])
    ours, theirs = found
    if p in ("Cauchy", "Chi2", "RelaxedOneHotCategorical"):
        return
    assert ours is not None and theirs is not None
    for mine, his in zip(ours, theirs, strict=True):
        compare(mine, his)


def shifted(m, family, given, by):
    """A distribution of parameters that are larger, or nearer to even odds."""
    changed = {
        name: m.tensor(value, dtype=m.float64) * by + (1 - by) * 0.4
        for name, value in given.items()
    }
    return getattr(m.distributions, family)(**changed)


@pytest.mark.parametrize(
    "case",
    "Normal LogNormal Laplace Gumbel Exponential Gamma Beta Dirichlet Bernoulli_probs "
    "Bernoulli_logits Geometric Poisson Categorical Categorical_logits "
    "OneHotCategorical".split(),
)
def test_divergences_of_other_parameters(case):
    family, given, _ = CASES[case.replace("_", " ")]
    ours, theirs = (
        m.distributions.kl_divergence(
            shifted(m, family, given, 1.0), shifted(m, family, given, 0.6)
        )
        for m in (plugrad, torch)
    )
    compare(ours, theirs)
    assert float(ours.detach().sum()) > 0.01


# --- Those made of others -----------------------------------------------------------


def composed(m):
    """Distributions made of others, with values."""
    D, T = m.distributions, m.distributions.transforms
    t = lambda value: m.tensor(value, dtype=m.float64)  # noqa: E731
    normal = D.Normal(t(REALS), t(POSITIVE))
    mixed = D.MixtureSameFamily(
        D.Categorical(t(CHOICES)), D.Normal(t(REALS), t(POSITIVE))
    )
    vectors = D.MixtureSameFamily(
        D.Categorical(t([0.4, 0.6])),
        D.Independent(D.Normal(t(REALS)[:2], t(POSITIVE)[:2]), 1),
    )
    return {
        "independent": (D.Independent(normal, 1), t(REALS)),
        "both": (D.Independent(normal, 2), t(REALS)),
        "none": (D.Independent(normal, 0), t(REALS)),
        "tanh": (D.TransformedDistribution(normal, T.TanhTransform()), t(UNIT)),
        "sigmoid": (D.TransformedDistribution(normal, [T.SigmoidTransform()]), t(UNIT)),
        "exp": (D.TransformedDistribution(normal, T.ExpTransform()), t(POSITIVE)),
        "affine": (
            D.TransformedDistribution(normal, T.AffineTransform(t(0.5), t(-2.0))),
            t(REALS),
        ),
        "three": (
            D.TransformedDistribution(
                normal,
                [T.AffineTransform(0.1, 0.5), T.TanhTransform(), T.ExpTransform()],
            ),
            t(UNIT) + 0.6,
        ),
        "logistic": (
            D.TransformedDistribution(
                D.Uniform(t([0.0, 0.0, 0.0]), t([1.0, 1.0, 1.0])),
                [T.SigmoidTransform().inv, T.AffineTransform(1.0, 2.0)],
            ),
            t(REALS),
        ),
        "of independent": (
            D.TransformedDistribution(D.Independent(normal, 1), T.TanhTransform()),
            t(UNIT),
        ),
        "mixture": (mixed, t([0.3, -0.4])),
        "mixture of vectors": (vectors, t([0.1, 0.2, 0.3])),
    }


@pytest.mark.parametrize("name", composed(plugrad))
def test_composed(name):
    (ours, x), (theirs, y) = composed(plugrad)[name], composed(torch)[name]
    assert tuple(ours.batch_shape) == tuple(theirs.batch_shape)
    assert tuple(ours.event_shape) == tuple(theirs.event_shape)
    assert ours.has_rsample == theirs.has_rsample
    compare(ours.log_prob(x), theirs.log_prob(y))
    for what in ("mean", "variance", "entropy"):
        asked = [answered(lambda d=d, w=what: answer_of(d, w)) for d in (ours, theirs)]
        assert (asked[0] is None) == (asked[1] is None), what
        if asked[0] is not None:
            compare(*asked)
    asked = [answered(lambda d=d, v=v: d.cdf(v)) for d, v in ((ours, x), (theirs, y))]
    assert (asked[0] is None) == (asked[1] is None)
    if asked[0] is not None:
        compare(*asked)
    drawn = ours.sample((3,))
    assert tuple(drawn.shape) == tuple(theirs.sample((3,)).shape)
    assert bool(ours.log_prob(drawn).isfinite().all())


@pytest.mark.parametrize("name", ["independent", "tanh", "three"])
def test_divergences_of_composed(name):
    found = []
    for m in (plugrad, torch):
        p = composed(m)[name][0]
        q = composed(m)[name][0].expand(p.batch_shape)
        found.append(m.distributions.kl_divergence(p, q))
    compare(*found)


# --- Errors -------------------------------------------------------------------------

WRONG = {
    "scale": lambda D, t: D.Normal(t(0.0), t(-1.0)),
    "nan": lambda D, t: D.Normal(t(float("nan")), t(1.0)),
    "probs": lambda D, t: D.Bernoulli(t([1.5])),
    "both": lambda D, t: D.Bernoulli(t([0.5]), t([0.5])),
    "none": lambda D, t: D.Categorical(),
    "scalar": lambda D, t: D.Categorical(t(0.5)),
    "negative": lambda D, t: D.Categorical(t([-0.5, 1.5])),
    "low": lambda D, t: D.Uniform(t(1.0), t(0.0)),
    "concentration": lambda D, t: D.Dirichlet(t([0.0, 1.0])),
    "matrix": lambda D, t: D.MultivariateNormal(t([0.0, 0.0]), t([[1.0, 2], [2, 1]])),
    "two matrices": lambda D, t: D.MultivariateNormal(
        t([0.0]), t([[1.0]]), scale_tril=t([[1.0]])
    ),
    "value": lambda D, t: D.Exponential(t(1.0)).log_prob(t(-1.0)),
    "index": lambda D, t: D.Categorical(t([0.5, 0.5])).log_prob(t(2.0)),
    "bit": lambda D, t: D.Bernoulli(t(0.5)).log_prob(t(0.5)),
    "shape": lambda D, t: D.Normal(t([0.0, 1.0]), t(1.0)).log_prob(t([0.0] * 3)),
    "number": lambda D, t: D.Normal(t(0.0), t(1.0)).log_prob(0.0),
    "event": lambda D, t: D.Dirichlet(t([1.0, 1.0])).log_prob(t([1.0])),
    "dimensions": lambda D, t: D.Independent(D.Normal(t([0.0]), t(1.0)), 2),
    "weights": lambda D, t: D.MixtureSameFamily(
        D.Categorical(t([0.5, 0.5])), D.Normal(t([0.0] * 3), t(1.0))
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    for m in (plugrad, torch):
        with pytest.raises(ValueError):
            WRONG[name](m.distributions, lambda v, m=m: m.tensor(v, dtype=m.float64))


def test_numbers_make_a_distribution():
    ours, theirs = distributions.Normal(1, 2.5), torch.distributions.Normal(1, 2.5)
    compare(ours.mean, theirs.mean)
    assert repr(ours) == repr(theirs)
    d = distributions.Normal(plugrad.zeros(2, 3), 1.0)
    assert "Size([2, 3])" in repr(d)


def test_there_is_no_formula():
    p, q = distributions.Normal(0.0, 1.0), distributions.Bernoulli(0.5)
    with pytest.raises(NotImplementedError, match="Normal and Bernoulli"):
        distributions.kl_divergence(p, q)
