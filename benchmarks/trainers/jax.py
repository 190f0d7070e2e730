"""Steps in JAX: one compiled program each, of which the weights' memory is reused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax, nn

from . import Start, start

Array = Any
Weights = dict[str, Array]
Forward = Callable[[Weights, Array], Array]


def step(name: str) -> Callable[[], float]:
    begun = start(name)
    forward = {"LSTM": lstm, "GPT block": gpt}.get(name) or chain(begun)
    loss = mean_square if name == "GPT block" else cross_entropy
    first, update = {"SGD": sgd, "Adam": adam}[begun.optimizer](**begun.options)
    x, y = jnp.asarray(begun.inputs), jnp.asarray(begun.targets)
    p = {key: jnp.asarray(each) for key, each in begun.weights.items()}
    state = first(p)

    @partial(jax.jit, donate_argnums=(0, 1))
    def program(p: Weights, state: Any, x: Array, y: Array) -> Any:
        value, g = jax.value_and_grad(lambda p: loss(forward(p, x), y))(p)
        return *update(p, g, state), value

    def one_step() -> float:
        nonlocal p, state
        p, state, value = jax.block_until_ready(program(p, state, x, y))
        return float(value)

    return one_step


# --- losses and optimizers ----------------------------------------------------------


def cross_entropy(y: Array, targets: Array) -> Array:
    chosen = jnp.take_along_axis(nn.log_softmax(y), targets[:, None], 1)
    return -chosen.mean()


def mean_square(y: Array, targets: Array) -> Array:
    return jnp.square(y - targets).mean()


def zeros(p: Weights) -> Weights:
    return jax.tree.map(jnp.zeros_like, p)


def sgd(lr: float, momentum: float = 0.0) -> Any:
    """torch's: the state is what moves the weights."""

    def update(p: Weights, g: Weights, moved: Weights) -> Any:
        moved = jax.tree.map(lambda m, g: momentum * m + g, moved, g)
        return jax.tree.map(lambda p, m: p - lr * m, p, moved), moved

    return zeros, update


def adam(lr: float, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Any:
    def update(p: Weights, g: Weights, state: Any) -> Any:
        m, v, number = state
        number = number + 1
        m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, g)
        v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, v, g)
        by_m, by_v = 1 - b1**number, 1 - b2**number

        def moved(p: Array, m: Array, v: Array) -> Array:
            return p - lr * (m / by_m) / (jnp.sqrt(v / by_v) + eps)

        return jax.tree.map(moved, p, m, v), (m, v, number)

    return lambda p: (zeros(p), zeros(p), jnp.float32(0)), update


# --- networks -----------------------------------------------------------------------


def linear(p: Weights, name: str, x: Array) -> Array:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def convolution(p: Weights, name: str, layer: Any, x: Array) -> Array:
    y = lax.conv_general_dilated(
        x, p[f"{name}.weight"], layer.stride, [(n, n) for n in layer.padding]
    )
    return y + p[f"{name}.bias"][:, None, None]


def max_pool(x: Array, size: int) -> Array:
    window = (1, 1, size, size)
    return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")


def chain(begun: Start) -> Forward:
    """The network of layers one after the other."""

    def forward(p: Weights, x: Array) -> Array:
        for kind, name, layer in begun.layers:
            match kind:
                case "Linear":
                    x = linear(p, name, x)
                case "Conv2d":
                    x = convolution(p, name, layer, x)
                case "MaxPool2d":
                    x = max_pool(x, layer.kernel_size)
                case "ReLU":
                    x = nn.relu(x)
                case "Flatten":
                    x = x.reshape(len(x), -1)
                case _:
                    raise NotImplementedError(f"a layer {kind} in JAX")
        return x

    return forward


def lstm(p: Weights, x: Array) -> Array:
    """The last state of a scan over time, classified."""
    recurrent = p["lstm.weight_hh_l0"].T
    bias = p["lstm.bias_ih_l0"] + p["lstm.bias_hh_l0"]
    inputs = jnp.swapaxes(x @ p["lstm.weight_ih_l0"].T + bias, 0, 1)  # (T, N, 4H)

    def advance(state: Any, gates: Array) -> Any:
        h, c = state
        i, f, g, o = jnp.split(gates + h @ recurrent, 4, axis=1)
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
        return (nn.sigmoid(o) * jnp.tanh(c), c), None

    empty = jnp.zeros((len(x), len(recurrent)), x.dtype)
    (h, _), _ = lax.scan(advance, (empty, empty), inputs)
    return linear(p, "head", h)


def norm(p: Weights, name: str, x: Array) -> Array:
    x = x - x.mean(-1, keepdims=True)
    x = x * lax.rsqrt(jnp.square(x).mean(-1, keepdims=True) + 1e-5)
    return x * p[f"{name}.weight"] + p[f"{name}.bias"]


def gpt(p: Weights, x: Array, heads: int = 4) -> Array:
    n, length, width = x.shape
    parts = jnp.split(linear(p, "qkv", norm(p, "norm1", x)), 3, axis=2)
    q, k, v = (part.reshape(n, length, heads, width // heads) for part in parts)
    y = nn.dot_product_attention(q, k, v, is_causal=True).reshape(n, length, width)
    x = x + linear(p, "out", y)
    up = nn.gelu(linear(p, "up", norm(p, "norm2", x)), approximate=False)
    return x + linear(p, "down", up)
