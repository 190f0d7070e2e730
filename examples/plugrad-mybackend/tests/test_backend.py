"""What is particular to these arrays; plugrad's conformance suite has the rest."""

import numpy as np
import pytest

import plugrad
from plugrad.testing import assert_close


def slope(backend):
    """A gradient that went through a part, a write to one, and our own kernels."""
    with plugrad.backend(backend):
        plugrad.manual_seed(0)
        x = plugrad.randn(3, 4, dtype=plugrad.float64, requires_grad=True)
        y = x * 2
        y[1] += x[0]
        y.logaddexp2(x).sum().backward()
        assert x.grad.backend == backend
        return x.grad.numpy()


def test_gradients_are_those_on_numpy():
    assert_close(np.asarray(slope("mybackend")), slope("numpy"))


def test_arrays_do_not_mix_with_numpys_by_accident():
    with plugrad.backend("mybackend"):
        x = plugrad.ones(2)
    with pytest.raises(plugrad.BackendError):
        x + plugrad.ones(2)


def test_what_is_left_out_says_so():
    with plugrad.backend("mybackend"):
        x = plugrad.ones(2)
    with pytest.raises(plugrad.UnsupportedOpError, match="mybackend"):
        x.view(plugrad.int32)
