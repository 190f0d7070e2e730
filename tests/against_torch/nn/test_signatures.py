"""Names, order and defaults of arguments are torch's: of layers, of functions, of the
methods of containers."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.same import x as numbers

MODULES = (
    "nn",
    "nn.functional",
    "nn.init",
    "nn.utils",
    "nn.utils.rnn",
    "nn.utils.prune",
    "nn.utils.parametrize",
    "nn.utils.parametrizations",
)
# ModuleList's name for what it takes
OTHERWISE = {"nn.Sequential.extend"}


def arguments(function: Any) -> list[Any] | None:
    """What a callable takes; None where nothing is said: of built-in functions, and of
    those that pass all on."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in found):
        return None
    return [(p.name, p.kind, default(p.default)) for p in found if p.name != "self"]


def default(value: Any) -> Any:
    """A default that can be compared."""
    if callable(value):
        return value.__name__
    return str(value).rpartition(".")[2] if "dtype" in type(value).__name__ else value


def pairs() -> dict[str, tuple[Any, Any]]:
    """Callables of both libraries, by name."""
    found = {}
    for name in MODULES:
        ours, theirs = (importlib.import_module(f"{m}.{name}") for m in LIBRARIES)
        for each in getattr(ours, "__all__", dir(ours)):
            a, b = getattr(ours, each), getattr(theirs, each, None)
            if not callable(a) or b is None:
                continue
            found[f"{name}.{each}"] = a, b
            for method, other in vars(b).items() if inspect.isclass(b) else ():
                if not method.startswith("_") and hasattr(a, method):
                    found[f"{name}.{each}.{method}"] = getattr(a, method), other
    return found


LIBRARIES = "plugrad", "torch"
PAIRS = {
    name: pair
    for name, pair in pairs().items()
    if name not in OTHERWISE and callable(pair[1]) and arguments(pair[1]) is not None
}


@pytest.mark.parametrize("name", PAIRS)
def test_arguments(name):
    ours, theirs = PAIRS[name]
    assert arguments(ours) == arguments(theirs)


def test_enough_is_compared():
    assert len(PAIRS) > 300


# Built-in functions say nothing of their arguments: they are called by place, and again
# by name. Numbers stand for tensors of that shape.
X1, X2, X3 = (1, 2, 4), (1, 2, 4, 4), (1, 2, 3, 3, 3)
CALLS = {
    "linear": {"input": (2, 3), "weight": (4, 3), "bias": (4,)},
    "bilinear": {
        "input1": (2, 3), "input2": (2, 2), "weight": (4, 3, 2), "bias": (4,),
    },
    **{
        f"conv{d}d": {
            "input": shape, "weight": (2, 1, *(2,) * d), "bias": (2,), "stride": [2],
            "padding": [1], "dilation": [2], "groups": [2],
        }
        for d, shape in ((1, X1), (2, X2), (3, X3))
    },
    **{
        f"conv_transpose{d}d": {
            "input": shape, "weight": (2, 1, *(2,) * d), "bias": (2,), "stride": [3],
            "padding": [1], "output_padding": [1], "groups": [2], "dilation": [2],
        }
        for d, shape in ((1, X1), (2, X2), (3, X3))
    },
    "avg_pool1d": {
        "input": X1, "kernel_size": [3], "stride": [2], "padding": [1],
        "ceil_mode": [True], "count_include_pad": [False],
    },
    **{
        f"avg_pool{d}d": {
            "input": shape, "kernel_size": [3], "stride": [2], "padding": [1],
            "ceil_mode": [True], "count_include_pad": [False], "divisor_override": [2],
        }
        for d, shape in ((2, X2), (3, X3))
    },
    **{
        f"max_pool{d}d": {
            "input": shape, "kernel_size": [2], "stride": [1], "padding": [1],
            "dilation": [2], "ceil_mode": [True], "return_indices": [False],
        }
        for d, shape in ((1, X1), (2, X2), (3, X3))
    },
    **{
        f"adaptive_max_pool{d}d": {
            "input": shape, "output_size": [2], "return_indices": [True],
        }
        for d, shape in ((1, X1), (2, X2), (3, X3))
    },
    "adaptive_avg_pool1d": {"input": X1, "output_size": [2]},
    "softplus": {"input": (3,), "beta": [2.0], "threshold": [1.0]},
    "hardshrink": {"input": (3,), "lambd": [1.5]},
    "softshrink": {"input": (3,), "lambd": [1.5]},
    "prelu": {"input": (2, 3), "weight": (3,)},
    "logsigmoid": {"input": (3,)},
    "pixel_shuffle": {"input": (1, 4, 2, 2), "upscale_factor": [2]},
    "pixel_unshuffle": {"input": (1, 1, 4, 4), "downscale_factor": [2]},
    "channel_shuffle": {"input": X2, "groups": [2]},
    "pairwise_distance": {
        "x1": (2, 3), "x2": (2, 3), "p": [3.0], "eps": [0.5], "keepdim": [True],
    },
    "cosine_similarity": {"x1": (2, 3), "x2": (2, 3), "dim": [0], "eps": [0.5]},
    "pdist": {"input": (3, 2), "p": [3.0]},
    "scaled_dot_product_attention": {
        "query": X1, "key": X1, "value": X1, "attn_mask": (2, 2),
        "dropout_p": [0.0], "is_causal": [False],
    },
}  # fmt: skip


def call(m: Any, name: str, named: bool) -> list[np.ndarray]:
    """A call with all arguments; values in lists are passed as they are."""
    given = {
        key: value[0] if isinstance(value, list) else numbers(m, *value) / 7 - 1
        for key, value in CALLS[name].items()
    }
    function = getattr(m.nn.functional, name)
    found = function(**given) if named else function(*given.values())
    found = found if isinstance(found, tuple) else (found,)
    return [each.numpy() for each in found]


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("name", CALLS)
def test_calls_of_built_in_functions(name, named):
    for a, b in zip(call(plugrad, name, named), call(torch, name, named), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
