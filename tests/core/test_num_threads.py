"""One number of threads rules all that compute on several."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import plugrad
from plugrad.optim import stepping


@pytest.fixture
def restored():
    before = plugrad.get_num_threads()
    yield
    plugrad.set_num_threads(before)


def test_the_number_is_told_to_those_registered(restored):
    told = []
    plugrad.register_threads(told.append)
    already = list(told)
    plugrad.set_num_threads(3)
    plugrad.set_num_threads(1)
    assert told[len(already) :] == [3, 1] and plugrad.get_num_threads() == 1
    late = []
    plugrad.register_threads(late.append)
    assert late == [1]


@pytest.mark.parametrize("wrong", [0, -1])
def test_a_number_that_is_not_positive(wrong, restored):
    with pytest.raises(RuntimeError, match="positive"):
        plugrad.set_num_threads(wrong)


@pytest.mark.parametrize("wrong", ["2", 1.0, True, None])
def test_what_is_not_a_number(wrong, restored):
    with pytest.raises(TypeError, match="expects an int"):
        plugrad.set_num_threads(wrong)


def test_optimizers_use_so_many(restored):
    for number in (1, 3):
        plugrad.set_num_threads(number)
        assert stepping.pool_size() == number


@pytest.fixture
def blas_threads():
    from plugrad.backends.numpy.pool import asked

    if not asked():
        pytest.skip("NumPy's BLAS does not say how many threads it uses")
    return asked


def test_numpys_blas_uses_so_many(restored, blas_threads):
    for number in (1, 2):
        plugrad.set_num_threads(number)
        assert blas_threads() == number


def with_threads(name):
    return plugrad.Overrides(name, backend="numpy", threads=True)


def test_numpys_blas_rests_beside_kernels_with_threads(restored, blas_threads):
    plugrad.set_num_threads(2)
    with plugrad.use_kernels("numpy", with_threads("a")):
        assert blas_threads() == 1
        with plugrad.use_kernels("numpy", with_threads("b")):
            plugrad.set_num_threads(3)
            assert blas_threads() == 1
        assert blas_threads() == 1
    assert blas_threads() == 3


def test_numpys_blas_does_not_rest_beside_others(restored, blas_threads):
    plugrad.set_num_threads(2)
    with plugrad.use_kernels("numpy", plugrad.Overrides("a", backend="numpy")):
        assert blas_threads() == 2


@pytest.mark.parametrize("asked, expected", [("3", "3"), ("2,1", "2"), ("0", None)])
def test_the_environment_is_asked_first(asked, expected):
    env = {**os.environ, "OMP_NUM_THREADS": asked}
    run = [sys.executable, "-c", "import plugrad; print(plugrad.get_num_threads())"]
    done = subprocess.run(run, capture_output=True, text=True, env=env, timeout=60)
    assert done.stdout.strip() == (expected or str(len(os.sched_getaffinity(0))))
