"""Numbers brought to mean 0 and variance 1: the op below all normalizations.

An input is looked at in a shape of its own in which the numbers that share a mean lie
along some dimensions (`dims`), and those that share a weight along others. Layers,
groups, instances, batches and root mean squares differ in no more than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from plugrad import Tensor, op
from plugrad.testing import Sample

# --- From the numbers' own mean and variance ------------------------------------------


@op(
    promote="equal",
    kinds="f",
    method=False,
    oracle=None,
    outputs=("y", "mean", "variance"),
    differentiable=("y",),
)
def standardize(
    k: Any,
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    how: Any,
) -> tuple[Tensor, Tensor, Tensor]:
    """(x - mean) / sqrt(variance + eps) * weight + bias, the mean and the variance.

    `how` is (shape, dims, lanes, eps, centered): `x` is seen in a shape where mean and
    variance are taken over `dims`, and weight and bias have the shape `lanes`. What is
    not `centered` has mean 0: its variance is the mean of the squares. Those of 16-bit
    numbers are float32.
    """
    shape, dims, lanes, eps, centered = how
    wide = widened(k, k.reshape(x, shape))
    mean, variance = statistics(k, wide, dims, centered)
    y = in_lanes(k, (wide - mean) / k.sqrt(variance + eps), weight, lanes)
    if bias is not None:
        y = y + k.reshape(widened(k, bias), lanes)
    return k.reshape(cast(k, y, x.dtype), x.shape), mean, variance


def widened(k: Any, x: Any) -> Any:
    """`x`, in 32 bits if it has 16."""
    return x if x.dtype in (k.float32, k.float64) else k.astype(x, k.float32)


def cast(k: Any, x: Any, dtype: Any) -> Any:
    return x if x.dtype == dtype else k.astype(x, dtype)


def statistics(k: Any, x: Any, dims: Sequence[int], centered: bool) -> tuple[Any, Any]:
    """The mean and the variance; dimensions are kept."""
    n = count(x.shape, dims)
    mean = k.sum(x, axis=dims, keepdims=True) / n
    if not centered:
        mean = k.zeros_like(mean)
    rest = x - mean
    return mean, k.sum(rest * rest, axis=dims, keepdims=True) / n


def count(shape: Sequence[int], dims: Sequence[int]) -> int:
    """How many numbers share a mean; 1 where there are none."""
    return max(prod(shape[d] for d in dims), 1)


def projected(
    k: Any, g: Any, normal: Any, rate: Any, dims: Sequence[int], centered: bool
) -> Any:
    """The gradient of `normal`, standardized numbers, to what they were made of."""
    n = count(g.shape, dims)
    rest = g - normal * (k.sum(g * normal, axis=dims, keepdims=True) / n)
    if centered:
        rest = rest - k.sum(g, axis=dims, keepdims=True) / n
    return rest * rate


def over_lanes(k: Any, x: Any, lanes: Sequence[int]) -> Any:
    """The sums of what shares a weight."""
    dims = tuple(d for d, n in enumerate(lanes) if n == 1)
    return k.sum(x, axis=dims, keepdims=True) if dims else x


def in_lanes(k: Any, x: Any, weight: Any, lanes: Sequence[int]) -> Any:
    """`x` times a weight, if there is one."""
    if weight is None:
        return x
    return x * k.reshape(widened(k, weight), lanes)


@op(
    kinds="f",
    method=False,
    oracle=None,
    outputs=("to_x", "to_weight", "to_bias"),
    differentiable=("to_x", "to_weight", "to_bias"),
)
def standardize_back(
    k: Any,
    up: Tensor,
    x: Tensor,
    weight: Tensor | None,
    mean: Tensor | None,
    variance: Tensor | None,
    how: Any,
    wanted: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of `standardize`, from the one that comes in (`up`). What is not
    wanted is a zero without dimensions. Mean and variance are those of `x`, computed
    here where they are not given."""
    shape, dims, lanes, eps, centered = how
    dtype, x_shape = x.dtype, x.shape
    up, x = (widened(k, k.reshape(each, shape)) for each in (up, x))
    if mean is None or variance is None:
        mean, variance = statistics(k, x, dims, centered)
    rate = 1.0 / k.sqrt(variance + eps)
    normal = (x - mean) * rate
    to_x = to_weight = to_bias = k.zeros((), dtype=dtype)
    if wanted[0]:
        a = in_lanes(k, up, weight, lanes)
        to_x = projected(k, a, normal, rate, dims, centered)
        to_x = k.reshape(cast(k, to_x, dtype), x_shape)
    if wanted[1]:
        to_weight = cast(k, over_lanes(k, up * normal, lanes), dtype)
    if wanted[2]:
        to_bias = cast(k, over_lanes(k, up, lanes), dtype)
    return to_x, to_weight, to_bias


@standardize.joint
def _standardize_rule(
    k: Any,
    g: Any,
    x: Any,
    weight: Any,
    bias_shape: Any,
    mean: Any,
    variance: Any,
    how: Any,
    need: Any,
) -> Any:
    inputs = g, x, weight, mean, variance
    to_x, to_weight, to_bias = k.standardize_back(*inputs, how, need)
    if need[1]:
        to_weight = k.reshape(to_weight, tuple(weight.shape))
    if need[2]:
        to_bias = k.reshape(to_bias, tuple(bias_shape))
    return to_x, to_weight, to_bias


@standardize_back.joint
def _standardize_back_rule(
    k: Any,
    g: Any,
    up: Any,
    x: Any,
    weight: Any,
    how: Any,
    wanted: Any,
    need: Any,
) -> Any:
    """to_x is P(weight * up), where P is the symmetric matrix that `projected` stands
    for; it depends on x by the standardized numbers and by the rate."""
    shape, dims, lanes, eps, centered = how
    dtype, x_shape = x.dtype, x.shape
    # what comes in for to_x, to_weight and to_bias
    u, v, t = (each if asked else None for each, asked in zip(g, wanted))
    up, x = (widened(k, k.reshape(each, shape)) for each in (up, x))
    mean, variance = statistics(k, x, dims, centered)
    rate = 1.0 / k.sqrt(variance + eps)
    normal = (x - mean) * rate
    n = count(shape, dims)

    def average(values: Any) -> Any:
        return k.sum(values, axis=dims, keepdims=True) / n

    to_up = k.zeros_like(up)
    to_normal = k.zeros_like(up)
    to_weight = to_x = None
    if u is not None:
        u = widened(k, k.reshape(u, shape))
        back = projected(k, u, normal, rate, dims, centered)
        to_up = in_lanes(k, back, weight, lanes)
        if need[2]:
            to_weight = over_lanes(k, up * back, lanes)
        a = in_lanes(k, up, weight, lanes)
        of_a, of_u = average(a * normal), average(u * normal)
        to_normal = -rate * (of_a * u + of_u * a)
    if v is not None:
        v = widened(k, v)
        to_up = to_up + v * normal
        to_normal = to_normal + v * up
    if t is not None:
        to_up = to_up + widened(k, t)
    if need[1]:
        to_x = projected(k, to_normal, normal, rate, dims, centered)
        if u is not None:
            inner = average(u * a) - of_u * of_a
            if centered:
                inner = inner - average(u) * average(a)
            to_x = to_x - inner * rate * rate * normal
        to_x = k.reshape(cast(k, to_x, dtype), x_shape)
    if to_weight is not None:
        to_weight = k.reshape(cast(k, to_weight, dtype), tuple(weight.shape))
    return k.reshape(cast(k, to_up, dtype), x_shape), to_x, to_weight, None, None


# --- With mean and variance that are known --------------------------------------------


@op(promote="equal", kinds="f", method=False, oracle=None)
def standardize_by(
    k: Any,
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    eps: float,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) * weight + bias, with one number of each for
    each place along the second dimension. There is no gradient to mean and variance."""
    lanes = lanes_of(x)
    scale, shift = scale_and_shift(k, weight, bias, mean, variance, eps)
    y = widened(k, x) * k.reshape(scale, lanes) + k.reshape(shift, lanes)
    return cast(k, y, x.dtype)


def lanes_of(x: Any) -> tuple[int, ...]:
    return (1, -1, *(1,) * (x.ndim - 2))


def scale_and_shift(
    k: Any, weight: Any, bias: Any, mean: Any, variance: Any, eps: float
) -> tuple[Any, Any]:
    """What x is multiplied by, and what is added then."""
    scale = 1.0 / k.sqrt(widened(k, variance) + eps)
    if weight is not None:
        scale = scale * widened(k, weight)
    shift = -widened(k, mean) * scale
    return scale, shift if bias is None else shift + widened(k, bias)


@standardize_by.joint
def _standardize_by_rule(
    k: Any,
    g: Any,
    x: Any,
    weight: Any,
    mean: Any,
    variance: Any,
    eps: Any,
    need: Any,
) -> Any:
    dtype, lanes = x.dtype, lanes_of(x)
    g = widened(k, g)
    dims = (0, *range(2, x.ndim))
    rate = 1.0 / k.sqrt(widened(k, variance) + eps)
    to_x = to_weight = to_bias = None
    if need[0]:
        scale = rate if weight is None else rate * widened(k, weight)
        to_x = cast(k, g * k.reshape(scale, lanes), dtype)
    if need[1]:
        rest = widened(k, x) - k.reshape(widened(k, mean), lanes)
        to_weight = cast(k, k.sum(g * rest, axis=dims) * rate, dtype)
    if need[2]:
        to_bias = cast(k, k.sum(g, axis=dims), dtype)
    return to_x, to_weight, to_bias, None, None


# --- Samples --------------------------------------------------------------------------

# shape of x, the shape in which it is seen, dims, lanes, shape of the weight
VIEWS = {
    "layer": ((2, 3), (2, 3), (1,), (1, 3), (3,)),
    "one layer": ((3,), (1, 3), (1,), (1, 3), (3,)),
    "layer of two dimensions": ((2, 2, 3), (2, 6), (1,), (1, 6), (2, 3)),
    "wide layer": ((3, 40), (3, 40), (1,), (1, 40), (40,)),
    "group": ((2, 4, 3), (2, 2, 2, 3), (2, 3), (1, 2, 2, 1), (4,)),
    "instance": ((2, 3, 4), (2, 3, 4), (2,), (1, 3, 1), (3,)),
    "batch": ((4, 3), (4, 3, 1), (0, 2), (1, 3, 1), (3,)),
    "batch of images": ((2, 3, 2, 2), (2, 3, 4), (0, 2), (1, 3, 1), (3,)),
    "no elements": ((0, 3), (0, 3), (1,), (1, 3), (3,)),
}


@standardize.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind == "c":
        return
    for kind, (size, shape, dims, lanes, many) in VIEWS.items():
        for centered in (True, False):
            how = shape, dims, lanes, 0.1, centered
            name = kind if centered else f"{kind}, not centered"
            yield Sample(make(*size), make(*many), make(*many), how).named(name)
        how = shape, dims, lanes, 1e-5, True
        plain = f"{kind}, no "
        yield Sample(make(*size), None, None, how).named(plain + "weight and bias")
        yield Sample(make(*size), make(*many), None, how).named(plain + "bias")
        yield Sample(make(*size), None, make(*many), how).named(plain + "weight")
    how = (2, 3), (1,), (1, 3), 0.1, True
    yield Sample(make.strided(2, 3), make.strided(3), make(3), how).named("strided")
    yield Sample(make.expanded(2, 3), make(3), make(3), how).named("expanded")


@standardize_back.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind == "c":
        return
    every = True, True, True
    for kind, (size, shape, dims, lanes, many) in VIEWS.items():
        for centered in (True, False):
            inputs = make(*size), make(*size), make(*many), None, None
            rest = (shape, dims, lanes, 0.1, centered), every
            name = kind if centered else f"{kind}, not centered"
            yield Sample(*inputs, *rest).named(name)
    size, shape, dims, lanes, many = VIEWS["group"]
    for wanted in ((True, False, False), (False, True, False), (False, False, True)):
        inputs = make(*size), make(*size), make(*many), None, None
        rest = (shape, dims, lanes, 0.1, True), wanted
        yield Sample(*inputs, *rest).named(f"wanted {wanted}")
    rest = (shape, dims, lanes, 0.1, True), every
    yield Sample(make(*size), make(*size), None, None, None, *rest).named("no weight")
    inputs = make.strided(*size), make.strided(*size), make(*many), None, None
    yield Sample(*inputs, *rest).named("strided")


@standardize_by.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind == "c":
        return
    for size in ((2, 3), (0, 3), (2, 3, 4), (2, 3, 2, 2), (1, 3, 1, 2, 2)):
        known = make(3, requires_grad=False), make(3, low=0.1, requires_grad=False)
        yield Sample(make(*size), make(3), make(3), *known, 1e-5)
        yield Sample(make(*size), None, None, *known, 1e-5)
    yield Sample(make(2, 3), make(3), None, *known, 0.1)
    yield Sample(make(2, 3), None, make(3), *known, 0.1)
    yield Sample(make.strided(2, 3), make(3), make(3), *known, 0.1)
    yield Sample(make.expanded(2, 3), make(3), make(3), *known, 0.1)
