"""Kernels that JAX does better than the default bodies of the ops.

Most bodies are fine for JAX, and faster still inside `plugrad.compile`. Here stand what
JAX has as one function, what the standard has no good words for (scattering), and the
bits of dtypes.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from plugrad import UnsupportedOpError

LEAVES_OUT: dict[str, str] = {}

# --- One function of JAX each: what they are given is in the right dtype already ------

add = jnp.add
mul = jnp.multiply
div = jnp.true_divide
neg = jnp.negative
square = jnp.square
exp = jnp.exp
log = jnp.log
sqrt = jnp.sqrt
sin = jnp.sin
cos = jnp.cos
tanh = jnp.tanh
matmul = jnp.matmul
eq, ne = jnp.equal, jnp.not_equal
lt, le, gt, ge = jnp.less, jnp.less_equal, jnp.greater, jnp.greater_equal
erf = jax.scipy.special.erf
erfc = jax.scipy.special.erfc


def exp2(x: Any) -> Any:
    """2 ** x, to the last digit, as `jnp.exp2` is not; and without a look at the value
    of x, which `jnp.power` takes where there is one only."""
    if jnp.iscomplexobj(x):
        return jnp.exp(x * math.log(2))
    return jax.lax.pow(jnp.full_like(x, 2), x)


def power(a: Any, b: Any) -> Any:
    """a ** b; where complex numbers are zero, JAX's has NaN for 0 and 1."""
    y = jnp.power(a, b)
    if not jnp.iscomplexobj(y):
        return y
    zero = jnp.zeros_like(y)
    known = jnp.where(b == 0, zero + 1, zero)
    return jnp.where((a == 0) & ((b == 0) | (jnp.real(b) > 0)), known, y)


# --- Scattering -----------------------------------------------------------------------


@jax.jit
def added(x: Any, flat: Any, values: Any) -> Any:
    """`x` with values added at positions."""
    if x.dtype == jnp.bool_:
        return x.at[flat].max(values)
    return x.at[flat].add(values)


@jax.jit
def replaced(x: Any, flat: Any, values: Any) -> Any:
    """`x` with values put at positions; the last one for a position stays, which a
    scatter of the values themselves would leave open."""
    order = jnp.arange(flat.shape[0])
    last = jnp.full(x.shape, -1).at[flat].max(order)
    return jnp.where(last < 0, x, values[last])


def put_flat(x: Any, flat: Any, values: Any, accumulate: bool) -> Any:
    """A vector with values put, or added, at positions."""
    if not flat.size or not x.size:
        return x
    return (added if accumulate else replaced)(x, flat, values)


@jax.jit
def largest(x: Any, flat: Any, values: Any) -> Any:
    """The largest of what there is for each position."""
    return x.at[flat].max(values)


@jax.jit
def smallest(x: Any, flat: Any, values: Any) -> Any:
    """The smallest of what there is for each position."""
    return x.at[flat].min(values)


@jax.jit
def multiplied(x: Any, flat: Any, values: Any) -> Any:
    """The product of what there is for each position."""
    if x.dtype == jnp.bool_:
        return x.at[flat].min(values)
    return x.at[flat].multiply(values)


COMBINE = {"amax": largest, "amin": smallest, "prod": multiplied}


def combine_flat(x: Any, flat: Any, values: Any, reduce: str) -> Any:
    """A vector with values combined into it at positions."""
    if jnp.iscomplexobj(x) and reduce != "prod":
        raise RuntimeError(f"{reduce} of complex numbers: they have no order")
    return COMBINE[reduce](x, flat, values) if flat.size and x.size else x


# --- Views ----------------------------------------------------------------------------


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged; without dimensions, nothing."""
    if not x.ndim and {dim0, dim1} <= {0, -1}:
        return x
    return jnp.swapaxes(x, dim0, dim1)


swapaxes = transpose


def view_as_dtype(x: Any, dtype: Any) -> Any:
    """The bits read as another dtype; where sizes differ, along the last dimension."""
    target = jnp.dtype("bool_" if dtype.name == "bool" else dtype.name)
    if target == x.dtype:
        return x
    if "c" in (target.kind, x.dtype.kind) or "b" in (target.kind, x.dtype.kind):
        raise UnsupportedOpError(
            f"view: JAX cannot read {x.dtype} as {target}; use .to(dtype) to convert "
            "the values, or view_as_real and view_as_complex"
        )
    own, size = x.dtype.itemsize, target.itemsize
    if own < size:
        x = x.reshape(*x.shape[:-1], -1, size // own)
    y = jax.lax.bitcast_convert_type(x, target)
    return y.reshape(*x.shape[:-1], -1) if own > size else y
