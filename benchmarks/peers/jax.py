"""Chains in JAX, eagerly: `jax.vjp` without `jit`, as one steps through a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import TERM, Case
from .chains import build


def chain(case: Case) -> Callable[[], Any] | None:
    if case.parameter or case.buffer:
        return None
    x = jnp.asarray(case.start)
    forward = build(case, jnp.asarray(case.operand), jnp.asarray(TERM), jnp.tanh)
    ones = jnp.ones(forward(x).shape)

    def both_passes() -> Any:
        _, vjp = jax.vjp(forward, x)
        return vjp(ones)[0].block_until_ready()

    return both_passes


def numbers(gradient: Any) -> np.ndarray:
    return np.asarray(gradient)
