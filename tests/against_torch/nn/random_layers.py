"""Layers with random options and inputs, for comparison with torch's.

Each function of `KINDS` makes a `Layer` from a `Random`. What torch refuses is not
compared: that is left to the errors in the tests of each family.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import torch

import plugrad
from tests.against_torch.nn.layers import DTYPES, Layer, Side, differences

WIDE = 10.0  # sums of many products, one after the other


def each_or_one(r: Random, d: int, low: int, high: int) -> Any:
    """One number for all dimensions, or one for each."""
    if r.random() < 0.5:
        return r.randint(low, high)
    return tuple(r.randint(low, high) for _ in range(d))


def shape(r: Random, channels: int, d: int, least: int = 1) -> tuple[int, ...]:
    """That of an input, at times without a batch, or with an empty one."""
    inner = channels, *(r.randint(least, 7) for _ in range(d))
    if r.random() < 0.2:
        return inner
    return (0 if r.random() < 0.05 else r.randint(1, 3), *inner)


def convolution(r: Random) -> Layer:
    d, groups = r.randint(1, 3), r.choice([1, 1, 2, 3])
    into, out = groups * r.randint(1, 2), groups * r.randint(1, 3)
    options: dict[str, Any] = {
        "stride": each_or_one(r, d, 1, 3),
        "dilation": each_or_one(r, d, 1, 2),
        "groups": groups,
        "bias": r.random() < 0.7,
    }
    if r.random() < 0.4:
        kernel = each_or_one(r, d, 2, 3)
        options["padding"] = each_or_one(r, d, 0, 1)
        if r.random() < 0.5 and options["stride"] != 1:
            options["output_padding"] = r.randint(0, 1)
        x = (r.randint(1, 3), *shape(r, into, d, 2)[-1 - d :])
        return Layer(f"ConvTranspose{d}d", (into, out, kernel), options, [x])
    kernel = each_or_one(r, d, 1, 3)
    options["padding"] = r.choice([0, 1, "same", "valid", each_or_one(r, d, 0, 2)])
    if r.random() < 0.3:
        options["padding_mode"] = r.choice(["reflect", "replicate", "circular"])
    return Layer(f"Conv{d}d", (into, out, kernel), options, [shape(r, into, d)])


def pooling(r: Random) -> Layer:
    d, kind = r.randint(1, 3), r.choice(["Max", "Avg", "LP"])
    options: dict[str, Any] = {"ceil_mode": r.random() < 0.5}
    if r.random() < 0.7:
        options["stride"] = each_or_one(r, d, 1, 3)
    kernel = each_or_one(r, d, 1, 4)
    if kind == "LP":
        args: tuple[Any, ...] = (r.choice([1, 1.5, 2, 3]), kernel)
    else:
        args = (kernel,)
        options["padding"] = each_or_one(r, d, 0, 1)
    if kind == "Max":
        options["dilation"] = each_or_one(r, d, 1, 2)
        options["return_indices"] = r.random() < 0.3
    elif kind == "Avg":
        options["count_include_pad"] = r.random() < 0.5
    # A window of max pooling must not lie in the padding alone: torch then sends the
    # gradient of -inf to some element or other.
    least = 2 if kind == "Max" else 1
    return Layer(f"{kind}Pool{d}d", args, options, [shape(r, 2, d, least)])


def adaptive(r: Random) -> Layer:
    d, kind = r.randint(1, 3), r.choice(["Avg", "Max"])
    size = each_or_one(r, d, 1, 5)
    return Layer(f"Adaptive{kind}Pool{d}d", (size,), {}, [shape(r, 2, d)])


def norm(r: Random) -> Layer:
    channels = r.choice([1, 2, 4, 6])
    kind = r.choice(["Batch", "Instance", "Layer", "Group", "RMS"])
    eps = r.choice([1e-5, 0.1])
    # Few elements may lie near each other: an eps of 1e-5 then enlarges what is
    # rounding 316 times, in torch as here.
    dtypes = ("float64",) if eps < 0.1 else DTYPES
    if kind in ("Batch", "Instance"):
        d = r.randint(1, 3)
        options = {
            "eps": eps,
            "affine": r.random() < 0.6,
            "track_running_stats": r.random() < 0.6,
            "momentum": r.choice([0.1, 0.7]),
        }
        sizes = (r.randint(2, 4), channels, *(r.randint(1, 4) for _ in range(d)))
        return Layer(f"{kind}Norm{d}d", (channels,), options, [sizes], dtypes=dtypes)
    x = (r.randint(1, 4), channels, *(r.randint(1, 4) for _ in range(r.randint(1, 2))))
    if kind == "Group":
        args: tuple[Any, ...] = r.choice([1, channels]), channels, eps
        options = {"affine": r.random() < 0.6}
        return Layer("GroupNorm", args, options, [x], dtypes=dtypes)
    last = x[-r.randint(1, len(x)) :]
    options = {"elementwise_affine": r.random() < 0.6}
    return Layer(f"{kind}Norm", (last, eps), options, [x], dtypes=dtypes)


def recurrent(r: Random) -> Layer:
    kind, size, hidden = r.choice(["RNN", "LSTM", "GRU"]), r.randint(1, 4), 4
    options: dict[str, Any] = {
        "num_layers": r.randint(1, 3),
        "bias": r.random() < 0.7,
        "batch_first": r.random() < 0.5,
        "bidirectional": r.random() < 0.5,
    }
    if kind == "RNN":
        options["nonlinearity"] = r.choice(["tanh", "relu"])
    if kind == "LSTM" and r.random() < 0.4:
        options["proj_size"] = r.randint(1, hidden - 1)
    x = (r.randint(1, 5), r.randint(1, 3), size)
    return Layer(kind, (size, hidden), options, [x[1:] if r.random() < 0.2 else x])


def attention(r: Random) -> Layer:
    heads, n = r.randint(1, 2), r.randint(1, 3)
    size, long, far = heads * r.randint(1, 3), r.randint(1, 4), r.randint(1, 4)
    options = {
        "bias": r.random() < 0.7,
        "add_bias_kv": r.random() < 0.3,
        "add_zero_attn": r.random() < 0.3,
        "kdim": r.choice([None, 3]),
        "vdim": r.choice([None, 2]),
        "batch_first": r.random() < 0.5,
    }

    def sizes(length: int, width: int) -> tuple[int, ...]:
        return (n, length, width) if options["batch_first"] else (length, n, width)

    def hidden(*dims: int) -> Callable[[np.random.Generator], np.ndarray]:
        """A mask that hides some, but never the first."""

        def make(rng: np.random.Generator) -> np.ndarray:
            found = rng.random(dims) < 0.4
            found[..., 0] = False
            return found

        return make

    call: dict[str, Any] = {"average_attn_weights": r.random() < 0.5}
    if r.random() < 0.6:
        dims = (n * heads, long, far) if r.random() < 0.3 else (long, far)
        call["attn_mask"] = dims if r.random() < 0.5 else hidden(*dims)
    if r.random() < 0.5:
        call["key_padding_mask"] = hidden(n, far)
    inputs = [
        sizes(long, size),
        sizes(far, options["kdim"] or size),
        sizes(far, options["vdim"] or size),
    ]
    return Layer("MultiheadAttention", (size, heads), options, inputs, call)


def resizing(r: Random) -> Layer:
    d = r.randint(1, 3)
    modes = ["nearest", ("linear", "bilinear", "trilinear")[d - 1]]
    mode = r.choice([*modes, "bicubic"] if d == 2 else modes)
    options: dict[str, Any] = {"mode": mode}
    if r.random() < 0.6:
        options["size"] = tuple(r.randint(1, 8) for _ in range(d))
    else:  # factors that leave a size as it is: see test_resizing.py
        options["scale_factor"] = r.choice([0.5, 2, 3])
    if mode != "nearest" and r.random() < 0.5:
        options["align_corners"] = r.random() < 0.5
    return Layer(
        "Upsample", (), options, [(2, 2, *(r.randint(2, 6) for _ in range(d)))]
    )


def folding(r: Random) -> Layer:
    kernel, dilation = each_or_one(r, 2, 1, 3), each_or_one(r, 2, 1, 2)
    args = kernel, dilation, each_or_one(r, 2, 0, 2), each_or_one(r, 2, 1, 3)
    return Layer("Unfold", args, {}, [shape(r, 2, 2)])


def bags(r: Random) -> Layer:
    mode, words, n = r.choice(["sum", "mean", "max"]), r.randint(2, 6), r.randint(1, 7)
    options: dict[str, Any] = {"mode": mode, "include_last_offset": r.random() < 0.3}
    if r.random() < 0.3:
        options["padding_idx"] = r.randint(-words, words - 1)
    if r.random() < 0.2 and mode != "max":
        options["sparse"] = True
    ends = sorted(r.randint(0, n) for _ in range(2))
    offsets = np.array([0, *ends, n] if options["include_last_offset"] else [0, *ends])
    call = {"per_sample_weights": (n,)} if mode == "sum" and r.random() < 0.5 else {}
    indices = np.array([r.randrange(words) for _ in range(n)])
    return Layer("EmbeddingBag", (words, 3), options, [indices, offsets], call)


KINDS: dict[str, Callable[[Random], Layer]] = {
    "convolution": convolution,
    "pooling": pooling,
    "adaptive": adaptive,
    "norm": norm,
    "recurrent": recurrent,
    "attention": attention,
    "resizing": resizing,
    "folding": folding,
    "bags": bags,
}


def compare(layer: Layer, dtype: str) -> list[str] | None:
    """What differs, in use and in training; None where torch refuses the call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = Side(torch, layer, dtype)
            state = {k: v.numpy().copy() for k, v in theirs.module.state_dict().items()}
            expected = [theirs.run(training) for training in (False, True)]
        except (RuntimeError, ValueError, IndexError, TypeError):
            return None
        ours = Side(plugrad, layer, dtype)
        ours.module.load_state_dict(state)
        found = [ours.run(training) for training in (False, True)]
    pairs = zip(("use", "training"), found, expected)
    return [
        f"{layer}, {dtype}, {mode}: {text}"
        for mode, a, b in pairs
        for text in differences(a, b, WIDE)
    ]
