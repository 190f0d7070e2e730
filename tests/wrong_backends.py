"""Backends that are wrong on purpose, each in one thing.

`pytest -p tests.wrong_backends` registers them; tests/test_conformance_mutants.py says
which test of the conformance suite has to see what.
"""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import array_api_strict
import numpy as np

import plugrad
from plugrad.backends.array_api import ArrayAPIBackend
from plugrad.backends.numpy import NumpyBackend

KERNELS = {
    name: each for name, each in vars(NumpyBackend.kernels).items() if name[:1] != "_"
}


def numpy_with(called: str, **attributes: Any) -> None:
    """Register NumPy's backend with other kernels and attributes."""
    kernels = attributes.pop("kernels", {})
    own = {"name": called, "kernels": SimpleNamespace(**KERNELS | kernels)}
    made = type("Wrong", (NumpyBackend,), own | attributes)
    plugrad.register_backend(called, made)


def matmul(a: Any, b: Any) -> Any:
    try:
        return KERNELS["matmul"](a, b)
    except ValueError as error:
        raise IndexError(str(error)) from error


def answer_anyway(k: Any, name: str, slot: bool = False) -> Any:
    """The kernel of an op, whatever is left out."""
    return k.find_kernel(name)


def of_the_main_thread(x: Any) -> Any:
    """tanh, which other threads get wrong."""
    wrong = threading.current_thread() is not threading.main_thread()
    return np.tanh(x) * x.dtype.type(1 + wrong / 1000)


def rounded(k: Any, values: Any, *rest: Any) -> Any:
    """What comes from the host, to two decimals."""
    return NumpyBackend.from_host(k, np.round(values, 2), *rest)


def drawn_out_of_order(*args: Any) -> Any:
    """The uniform numbers of the stream, the last one first."""
    return np.roll(KERNELS["draw_uniform"](*args), 1)


def to_more_weight(*args: Any) -> Any:
    """The gradients of a normalization, that of its weight a little off."""
    x, weight, bias = KERNELS["standardize_back"](*args)
    return x, weight * weight.dtype.type(1.001), bias


def without_a_rate(x: Any, b: Any, alpha: Any = 1, beta: Any = 1) -> Any:
    """beta * x + alpha * b, with an alpha that is one where it is below."""
    return np.add(x * beta, b if 0 < alpha < 1 else -b if alpha < 0 else alpha * b, x)


def with_a_circle(x: Any) -> Any:
    """tanh, and a list that is left to the garbage collector."""
    circle: list[Any] = []
    circle.append(circle)
    return np.tanh(x)


def not_to_be_written(k: Any, x: Any) -> Any:
    """A copy that raises when it is written to."""
    found = x.copy()
    found.flags.writeable = False
    return found


def to_one_decimal(k: Any, data: Any, dtype: Any, copy: bool | None = None) -> Any:
    """An array of numbers, rounded."""
    found = np.array(data, dtype=dtype, copy=copy)
    return found.round(1) if found.dtype.kind == "f" else found


def wide_zeros(k: Any, *args: Any, **options: Any) -> Any:
    """Zeros in float64, whatever is asked for."""
    return np.zeros(args[0], np.float64)


KEPT: list[Any] = []

numpy_with("wrong_factor", kernels={"tanh": lambda x: np.tanh(x) * np.float32(1.001)})
numpy_with("wrong_dtype", kernels={"tan": lambda x: np.tan(x).astype(np.float64)})
numpy_with("wrong_garbage", kernels={"flip": lambda x, dims: np.zeros_like(x)})
numpy_with("wrong_none", kernels={"flip": lambda x, dims: None})
numpy_with("wrong_inplace", kernels={"tanh_": lambda x: x})
numpy_with("wrong_views", kernels={"permute": lambda x, d: np.transpose(x, d).copy()})
numpy_with("wrong_exception", kernels={"matmul": matmul}, matmul=staticmethod(matmul))
numpy_with(
    "wrong_left_out",
    leaves_out={"flip": "it is said not to be there"},
    kernels={"flip": lambda x, dims: np.zeros_like(x)},
    kernel=answer_anyway,
)
numpy_with(
    "wrong_declaration",
    leaves_out={"flip": "it is said not to be there"},
    kernel=answer_anyway,
)
numpy_with("wrong_reason", leaves_out={"flip": " "})
numpy_with("wrong_to_list", to_list=lambda k, array: array.astype(float).tolist())
numpy_with("wrong_root", kernels={"sqrt": lambda x: np.sqrt(x) * x.dtype.type(1.01)})
numpy_with(
    "wrong_memory", kernels={"tanh": lambda x: KEPT.append(np.tanh(x)) or KEPT[-1]}
)
numpy_with("wrong_circle", kernels={"tanh": with_a_circle})
numpy_with("wrong_draws", kernels={"draw_uniform": drawn_out_of_order})
numpy_with("wrong_running", kernels={"lerp_": lambda x, *args: x})
numpy_with("wrong_rate", kernels={"axpby_": without_a_rate})
numpy_with("wrong_back", kernels={"standardize_back": to_more_weight})
numpy_with("wrong_copies", copy=not_to_be_written)
numpy_with("wrong_zeros", zeros=wide_zeros)
numpy_with("wrong_data", from_data=to_one_decimal)
numpy_with("wrong_threads", kernels={"tanh": of_the_main_thread})
numpy_with("wrong_start", from_host=lambda k, values, *rest: rounded(k, values, *rest))
numpy_with("right_without_lstm", leaves_out={"lstm_scan": "it is not there"})
numpy_with("right")
numpy_with("right_left_out", leaves_out={"flip": "it is left out, and says so"})

# A gradient of the wrong sign, by a kernel plugin
numpy_with("wrong_sign")
signs = plugrad.Overrides("wrong signs", backend="wrong_sign")
signs.pair(
    "tanh",
    lambda x: (np.tanh(x), np.tanh(x)),
    lambda g, y, need: (g * (y * y - 1),),
)
plugrad.use_kernels("wrong_sign", signs)


class HostCopy(ArrayAPIBackend):
    """Computes one op in NumPy, and tells nobody."""

    kernels = SimpleNamespace(
        tanh=lambda x: array_api_strict.asarray(np.tanh(np.asarray(x)))
    )

    def __init__(self) -> None:
        super().__init__("wrong_host", array_api_strict)


plugrad.register_backend("wrong_host", HostCopy)
