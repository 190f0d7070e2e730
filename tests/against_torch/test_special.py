"""Special functions where samples do not go: left of the poles, and far out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import plugrad
from plugrad.testing import TOLERANCES
from tests.against_torch.bridge import as_numpy, from_numpy

LEFT = [-0.3, -0.5, -1.5, -2.25, -3.9, -10.1, -10.9, -100.3, -1000.75]
AROUND = [1e-30, 1e-10, 1e-3, 0.4999, 0.5, 0.999, 1, 1.001, 1.5, 2, 2.001, 3, 7.999, 8]
AROUND += [8.001, 15, 29.9, 30, 30.1, 100, 1e4, 1e6]
POSITIVE = np.array([*AROUND, *np.geomspace(0.01, 500, 61)])
BOTH = np.concatenate([-POSITIVE, [0.0], POSITIVE])
BOUNDED = BOTH[abs(BOTH) <= 80]

CASES = {
    "lgamma": POSITIVE,
    "digamma": POSITIVE,
    "special.i0": BOUNDED,
    "special.i1": BOUNDED,
    "special.i0e": BOTH,
    "special.i1e": BOTH,
    "special.erfcx": BOTH[BOTH > -5],
    "special.ndtr": BOTH,
    "special.log_ndtr": BOTH[BOTH > -1e5],  # torch's gradient is off by 1e-4 at -1e6
    "special.ndtri": POSITIVE[POSITIVE < 1],
    "special.entr": POSITIVE,
    "sinc": BOTH,
}
CASES |= {f"{name} left": np.array(LEFT) for name in ("lgamma", "digamma")}


def both(name, x, dtype, *args):
    """Values and gradients by both libraries."""
    found = []
    for library, make in ((plugrad, lambda a: plugrad.tensor(a)), (torch, from_numpy)):
        function = library
        for part in name.split()[0].split("."):
            function = getattr(function, part)
        t = make(x.astype(dtype)).requires_grad_()
        y = function(*args, t)
        y.sum().backward()
        found.append((as_numpy(y), as_numpy(t.grad)))
    return found


def close(ours, theirs, dtype):
    rtol, atol = TOLERANCES[dtype]
    if dtype == "float32":  # neither side is exact
        rtol, atol = 4 * rtol, 4 * atol
    np.testing.assert_allclose(ours, theirs, rtol, atol)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name, dtype):
    x = CASES[name]
    if dtype == "float32":
        x = x[abs(x) > 1e-6] if "gamma" in name or "ndtri" in name else x
        x = x[abs(x) < 20]  # where a rounding of x alone is more than the tolerance
    (ours, slope), (theirs, expected) = both(name, x, dtype)
    close(ours, theirs, dtype)
    if (name, dtype) != ("special.log_ndtr", "float32"):  # torch's is off by 4 %
        close(slope, expected, dtype)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5, 8])
def test_polygamma(order):
    right, left = POSITIVE[POSITIVE > 0.3], np.array(LEFT[:5])
    for x in (right, left):
        (ours, slope), (theirs, expected) = both("polygamma", x, "float64", order)
        close(ours, theirs, "float64")
        close(slope, expected, "float64")
    x = plugrad.tensor([1, 2])
    assert x.polygamma(order).dtype is plugrad.float32
    assert (x.polygamma(order) == plugrad.polygamma(order, x)).all()


def test_polygamma_of_negative_orders_raises():
    for library in (plugrad, torch):
        with pytest.raises(RuntimeError, match="negative n"):
            library.polygamma(-1, library.ones(2))


@pytest.mark.parametrize("p", [1, 2, 4])
def test_mvlgamma(p):
    x = np.linspace(2, 9, 15)
    ours, theirs = plugrad.tensor(x), torch.tensor(x)
    close(as_numpy(ours.mvlgamma(p)), theirs.mvlgamma(p).numpy(), "float64")
    for library in (plugrad, torch):
        with pytest.raises(RuntimeError, match="greater than or equal to 1"):
            library.mvlgamma(library.ones(2), 0)


def test_the_module_has_torchs_names():
    """Each name is torch's, and calls what computes the same."""
    assert not set(plugrad.special.__all__) - set(dir(torch.special))
    x = np.array([0.25, 0.5, 0.75])
    for name in plugrad.special.__all__:
        args, pair = {}, []
        for library, make in ((plugrad, plugrad.tensor), (torch, torch.tensor)):
            t = make(x)
            args = {
                "logsumexp": (t, 0),
                "softmax": (t, 0),
                "log_softmax": (t, 0),
                "multigammaln": (t + 3, 2),
                "polygamma": (1, t),
                "xlogy": (t, t),
                "xlog1py": (t, t),
            }.get(name, (t,))
            pair.append(as_numpy(getattr(library.special, name)(*args)))
        close(*pair, "float64")
