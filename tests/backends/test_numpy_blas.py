"""y += alpha * x by NumPy's BLAS: the ufuncs' numbers, and only where it may."""

from __future__ import annotations

import numpy as np
import pytest

import plugrad
from plugrad.backends.numpy.kernels import blas
from plugrad.testing import TOLERANCES

N = blas.WORTH + 5


@pytest.fixture
def calls(monkeypatch):
    """What was left to BLAS: True or False of each large update."""
    seen = []

    def axpy(*arguments):
        seen.append(blas.axpy(*arguments))
        return seen[-1]

    monkeypatch.setattr("plugrad.backends.numpy.kernels.pointwise.axpy", axpy)
    return seen


def draw(n=N, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(n).astype(dtype)


def update(method, y, x, alpha):
    """Plugrad's y.add_(x, alpha=alpha) or sub_, on NumPy's arrays."""
    with plugrad.no_grad():
        getattr(plugrad.from_numpy(y), method)(plugrad.from_numpy(x), alpha=alpha)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", ["add_", "sub_"])
def test_it_is_the_ufuncs_result(method, dtype, calls):
    y, x = draw(dtype=dtype), draw(dtype=dtype, seed=1)
    expected = y + 0.3 * x if method == "add_" else y - 0.3 * x
    update(method, y, x, 0.3)
    rtol, atol = TOLERANCES[np.dtype(dtype).name]
    np.testing.assert_allclose(y, expected, rtol, atol)
    assert calls == [bool(blas.functions())]


def test_numpys_own_wheel_has_it():
    """The fast way is there where its speed was measured."""
    library = np.show_config("dicts")["Build Dependencies"]["blas"]["name"]
    if library != "scipy-openblas":
        pytest.skip(f"this NumPy was built with {library}, whose names may differ")
    assert set(blas.functions()) == {"f", "d"}


def gaps():
    y, x = draw(2 * N), draw(2 * N, seed=1)
    return y[::2], x[::2]


def overlapping():
    memory = draw(2 * N)
    return memory[:N], memory[3 : N + 3]


def turned():
    return draw(N * 2).reshape(2, N), draw(N * 2, seed=1).reshape(N, 2).T


def unaligned():
    memory = np.zeros(4 * N + 1, np.uint8)[1:].view(np.float32)
    memory[:] = draw()
    return memory, draw(seed=1)


def broadcast():
    return draw(3 * N).reshape(3, N), draw(N, seed=1)


def whole_numbers():
    return np.arange(N, dtype=np.float32), np.arange(N)


NOT_FOR_BLAS = [gaps, overlapping, turned, unaligned, broadcast, whole_numbers]


@pytest.mark.parametrize("make", NOT_FOR_BLAS)
def test_what_is_not_for_blas_is_right_too(make, calls):
    y, x = make()
    alpha = 0.5 if x.dtype.kind == "f" else 2
    expected = y - alpha * x
    update("sub_", y, x, alpha)
    np.testing.assert_allclose(y, expected, *TOLERANCES["float32"])
    assert True not in calls


def test_one_array_with_itself(calls):
    y = draw()
    expected = y - np.float32(0.25) * y
    update("sub_", y, y, 0.25)
    np.testing.assert_allclose(y, expected, *TOLERANCES["float32"])


@pytest.mark.parametrize("alpha", [0.0, 1e-60, float("nan"), float("inf")])
def test_nan_and_infinity_go_through(alpha):
    y, x = draw(), draw(seed=1)
    x[:2] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        expected = y - np.float32(alpha) * x
    update("sub_", y, x, alpha)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))
    np.testing.assert_allclose(y[2:], expected[2:], *TOLERANCES["float32"])


def test_without_the_library_the_ufuncs_do_it(monkeypatch):
    monkeypatch.setattr(blas, "functions", dict)
    y, x = draw(), draw(seed=1)
    expected = y - np.float32(0.3) * x
    update("sub_", y, x, 0.3)
    np.testing.assert_array_equal(y, expected)


def test_a_read_only_array_is_refused():
    y, x = draw(), draw(seed=1)
    y.flags.writeable = False
    assert not blas.axpy(y, x, 0.5)
