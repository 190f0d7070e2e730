"""Functions that make tensors, on array-api-strict: the same values as on NumPy.

So they use only the array API standard, and one seed gives the same random numbers on
both.
"""

from __future__ import annotations

import numpy as np
import pytest

import plugrad as T
from tests.backends.strict import NAME, strict_backend

CALLS = """
T.tensor([1,2.5])
T.tensor([[1,2],[3,4]])
T.tensor(1.5)
T.zeros(2,3)
T.ones_like(T.ones(2,3))
T.full((2,),3)
T.full_like(T.ones(2),2.)
T.arange(5)
T.arange(0,1,.25)
T.linspace(0,1,4)
T.linspace(0,10,4,dtype=T.int64)
T.linspace(0,1j,3)
T.logspace(0,2,3)
T.eye(3,4)
T.tril_indices(3,3)
T.triu_indices(3,3,1)
T.rand(5)
T.rand(3,dtype=T.float64)
T.randn(5)
T.randn(3,dtype=T.complex64)
T.randint(0,10,(5,))
T.randint(-2**62,2**62,(3,))
T.randperm(6)
T.normal(T.zeros(3),T.ones(3))
T.normal(2.,3.,(3,))
T.bernoulli(T.full((4,),.5))
T.zeros(4).bernoulli_(.5)
T.multinomial(T.tensor([1.,2.,3.]),2)
T.multinomial(T.tensor([[1.,2.,3.],[3.,2.,1.]]),5,True)
T.poisson(T.full((3,),4.))
T.zeros(3).exponential_()
T.zeros(3,dtype=T.int64).geometric_(.3)
T.zeros(3).cauchy_()
T.zeros(3).log_normal_()
T.zeros(3).uniform_(2,3)
T.zeros(3).normal_(1,2)
T.zeros(3).random_()
T.frombuffer(bytearray(b"12345678"),dtype=T.float32)
T.empty_strided((2,3),(1,2))
T.FloatTensor([1,2])
T.scalar_tensor(2)
T.zeros(2,requires_grad=True)
T.randint(3,(4,),dtype=T.uint8)
T.get_rng_state()
"""


@pytest.mark.parametrize("call", CALLS.strip().splitlines())
def test_call(call):
    strict_backend()
    found = []
    try:
        for backend in ("numpy", NAME):
            T.set_default_backend(backend)
            T.manual_seed(3)
            x = eval(call, {"T": T})
            assert x.backend == backend
            found.append((x.dtype, x.shape, np.asarray(x.tolist())))
    finally:
        T.set_default_backend("numpy")
    assert found[0][:2] == found[1][:2]
    # Logarithms and the like are NumPy's on both, but not of the same loop.
    np.testing.assert_allclose(found[1][2], found[0][2], rtol=1e-6)
