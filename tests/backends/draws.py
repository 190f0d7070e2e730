"""Draws of every kind in the default backend, printed as one line of JSON:

    PLUGRAD_BACKEND=jax python -m tests.backends.draws SEED

Each is the name of its dtype, its shape and its bytes; or the exception it raised.
"""

from __future__ import annotations

import json
import sys

import numpy as np

import plugrad as T

# Bits of the stream, shifted, scaled by powers of two, compared: the same everywhere.
EXACT = """
T.rand(5000)
T.rand(3,7,dtype=T.float64)
T.rand(5001,dtype=T.float64)
T.rand(4099,dtype=T.float16)
T.rand(33,dtype=T.bfloat16)
T.rand(40,dtype=T.complex64)
T.rand(0)
T.rand(())
T.rand_like(T.zeros(2,3,dtype=T.float64))
T.zeros(50).uniform_()
T.zeros(50,dtype=T.float64).uniform_(2,6)
T.randint(0,10,(5000,))
T.randint(-7,2**31,(33,))
T.randint(-2**62,2**62,(33,))
T.randint(-2**63,2**63-1,(5,))
T.randint(3,(40,),dtype=T.uint8)
T.randint(-100,100,(40,),dtype=T.int32)
T.randint(10,(40,),dtype=T.float32)
T.randint_like(T.zeros(9),3,500)
T.zeros(40).random_()
T.zeros(40,dtype=T.int64).random_()
T.zeros(40,dtype=T.int16).random_()
T.zeros(40,dtype=T.bool).random_()
T.randperm(0)
T.randperm(1)
T.randperm(6)
T.randperm(5000)
T.randperm(40,dtype=T.int32)
T.bernoulli(T.full((4,9),.3))
T.bernoulli(T.full((4099,),.9,dtype=T.float64))
T.zeros(40).bernoulli_(.1)
T.zeros(40,dtype=T.int64).bernoulli_(T.full((40,),.5))
T.ones(4,9)*T.bernoulli(T.full((4,9),.75))/.75
T.multinomial(T.tensor([1.,2.,3.]),2)
T.multinomial(T.tensor([[1.,2.,3.],[3.,2.,1.]]),50,True)
T.poisson(T.full((300,),4.))
T.zeros(300,dtype=T.int64).geometric_(.3)
T.get_rng_state()
"""

# Through one logarithm, square root, sine and cosine, of whoever computes them.
NORMAL = """
T.randn(5000)
T.randn(3,7)
T.randn(5001,dtype=T.float64)
T.randn(40,dtype=T.float16)
T.randn(40,dtype=T.complex64)
T.randn_like(T.zeros(2,3,dtype=T.float64))
T.normal(0.,3.,(33,))
T.zeros(40).normal_(0,.5)
T.zeros(40).exponential_()
"""

# Through more than that, so that differences in the last bits may grow.
FURTHER = """
T.normal(T.ones(33),T.full((33,),2.))
T.zeros(40).normal_(1,2)
T.zeros(40).exponential_(3)
T.zeros(40,dtype=T.float64).cauchy_()
T.zeros(40,dtype=T.float64).log_normal_()
"""

KINDS = {
    name: text.strip().splitlines()
    for name, text in (("exact", EXACT), ("normal", NORMAL), ("further", FURTHER))
}


def drawn(call: str, seed: int) -> list:
    """What a call makes of a seed."""
    T.manual_seed(seed)
    try:
        x = eval(call, {"T": T})
    except Exception as error:
        return [type(error).__name__, str(error)]
    assert x.backend == T.default_backend().name, x.backend
    array = np.ascontiguousarray(x.numpy())
    return [x.dtype.name, list(x.shape), array.tobytes().hex()]


if __name__ == "__main__":
    seed = int(sys.argv[1])
    calls = [call for kind in KINDS.values() for call in kind]
    print(json.dumps({call: drawn(call, seed) for call in calls}))
