"""Random numbers whose parameters are tensors: weights, probabilities, rates.

In the graph, what is drawn in the place of a tensor has the gradient zero there, as in
PyTorch; indices have none.
"""

from __future__ import annotations

from .. import dtypes, modes
from ..computing import computing
from ..creation.filled import deliver, dtype_argument, model, number
from ..creation.ranges import integer, not_implemented
from ..interface import OPS
from ..tensor import Tensor, wrap
from .distributions import draw, randn
from .generator import Generator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..interface import Backend

    Array = Any

__all__ = ["bernoulli", "multinomial", "normal", "poisson"]


def instead(x: Tensor, array: Array) -> Tensor:
    """What was drawn in the place of `x`, in the graph if `x` is."""
    if x._node is None or not modes.current().grad:
        return wrap(x._k, array)
    return OPS["redrawn"].function(x, wrap(x._k, array))


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Normal numbers with a mean and a standard deviation for each element, as tensors,
    or with one of each and a `size`.

    >>> import plugrad
    >>> plugrad.normal(plugrad.tensor([1.0, 2.0]), 0.0)
    tensor([1., 2.])
    """
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if tensors:
        if size is not None:
            raise TypeError("normal() takes 'size' only where mean and std are numbers")
        return deliver("normal", out, normal_of(mean, std, generator))
    if not isinstance(size, (tuple, list)):
        raise TypeError("normal() needs a tensor for mean or std, or a tuple as 'size'")
    mean, std = number("normal", "mean", mean), number("normal", "std", std)
    check_std("normal", std)
    made = randn(
        *(tuple(size),),
        generator=generator,
        dtype=dtype_argument("normal", dtype, out),
        layout=layout,
        device=device,
        pin_memory=pin_memory,
    )
    made._a = scaled(made._a, std, mean)
    return deliver("normal", out, made.requires_grad_(requires_grad))


def check_std(name: str, std: float, least: str = ">= 0.0") -> None:
    """Raise for a negative standard deviation; for zero too, where none may be."""
    if not (std >= 0 if least == ">= 0.0" else std > 0):
        raise RuntimeError(f"{name} expects std {least}, but found std {std}")


def normal_of(mean: Any, std: Any, g: Any) -> Tensor:
    """Normal numbers where `mean` or `std` is a tensor."""
    model_ = mean if isinstance(mean, Tensor) else std
    k, d = model_._k, model_.dtype
    if isinstance(std, Tensor):
        if std.dtype.kind == "c":
            raise RuntimeError("normal expects standard deviation to be non-complex")
        if std.shape.numel() and k.item(k.min(std._a)) < 0:
            raise RuntimeError("normal expects all elements of std >= 0.0")
    else:
        check_std("normal", std)
    with modes.no_grad():
        spread = std * 0 + mean * 0  # the shape of both together
    array = draw(k, "normal", g, spread.shape, d, "draw_normal")
    with modes.no_grad():
        x = wrap(k, array) * std + mean
        x = OPS["to_dtype"].function(x, d)._a
    for each in (mean, std):
        if isinstance(each, Tensor) and each._node is not None and modes.current().grad:
            return OPS["redrawn_pair"].function(mean, std, wrap(k, x))
    return wrap(k, x)


def bernoulli(
    input: Tensor,
    p: float | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """1 with the probability that `input` says, or with the probability `p`; else 0.

    >>> import plugrad
    >>> plugrad.bernoulli(plugrad.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    x = model("bernoulli", input)
    if p is None:
        if x.dtype.kind != "f":
            raise not_implemented("bernoulli", x.dtype)
        array = trials(x, x, generator)
    else:
        if isinstance(p, Tensor):
            raise TypeError("bernoulli(): argument 'p' must be float, not Tensor")
        array = trials(x, p, generator)
    return deliver("bernoulli", out, instead(x, array))


@computing
def scaled(array: Array, std: float, mean: float) -> Array:
    """Normal numbers of another spread and mean."""
    return array * std + mean


@computing
def trials(x: Tensor, p: Any, g: Any) -> Array:
    """0 or 1 in the dtype and shape of `x`, 1 with probability `p`."""
    k = x._k
    if isinstance(p, Tensor):
        check_probabilities(p)
        if p.ndim > x.ndim:
            raise RuntimeError(
                f"bernoulli_: p of shape {list(p.shape)} does not expand to "
                f"{list(x.shape)}"
            )
        fine = dtypes.float64 if p.dtype is dtypes.float64 else dtypes.float32
        p = k.astype(p._a, k.native(fine))
    else:
        p = number("bernoulli_", "p", p)
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
        fine = dtypes.float64 if x.dtype is dtypes.float64 else dtypes.float32
        p = k.asarray(p, dtype=k.native(fine))
    u = draw(k, "bernoulli", g, x._a.shape, fine, "draw_uniform")
    return k.astype(u < p, x._a.dtype)


@computing
def check_probabilities(p: Tensor) -> None:
    """Raise unless all lie in [0, 1]."""
    k, array = p._k, p._a
    if p.dtype.kind != "f":
        raise not_implemented("bernoulli", p.dtype)
    if not k.item(k.all((array >= 0) & (array <= 1))):
        raise RuntimeError("bernoulli expects all probabilities to lie in [0, 1]")


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts of events, each element with its own rate.

    >>> import plugrad
    >>> plugrad.poisson(plugrad.zeros(3))
    tensor([0., 0., 0.])
    """
    x = model("poisson", input)
    if x.dtype.kind != "f":
        raise not_implemented("poisson", x.dtype)
    k = x._k
    if x.shape.numel() and k.item(k.min(x._a)) < 0:
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    return instead(x, k.astype(arrivals(x, generator), x._a.dtype))


@computing
def arrivals(x: Tensor, generator: Generator | None) -> Array:
    """How many events arrive after exponential waits within each element of `x`."""
    k = x._k
    left = k.astype(x._a, k.native(dtypes.float64))
    counts = k.zeros_like(left)
    alive = left > 0
    while x.shape.numel() and k.item(k.any(alive)):
        u = draw(k, "poisson", generator, x._a.shape, dtypes.float64, "draw_uniform")
        left = left + k.log1p(-u)
        alive = alive & (left >= 0)
        counts = counts + k.astype(alive, counts.dtype)
    return counts


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Indices drawn with the weights in each row of `input`, each once or, with
    `replacement`, perhaps several times.

    >>> import plugrad
    >>> plugrad.multinomial(plugrad.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    x = model("multinomial", input)
    n = integer("multinomial", "num_samples", num_samples)
    check_weights(x, n, replacement)
    k, weights = x._k, x._a
    weights = k.astype(weights, k.native(dtypes.float64))
    if replacement and n > 1:
        array = with_replacement(k, weights, n, generator)
    else:
        array = race(k, weights, n, generator)
    return deliver("multinomial", out, wrap(k, array))


@computing
def check_weights(x: Tensor, n: int, replacement: bool) -> None:
    """Raise unless `n` indices can be drawn with these weights."""
    if x.dtype.kind != "f":
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {x.dtype}"
        )
    if x.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, got {x.ndim}")
    if n <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples: {n}")
    if not replacement and n > x.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"{n} > {x.shape[-1]}"
        )
    k, weights = x._k, x._a
    if not k.item(k.all(k.isfinite(weights) & (weights >= 0))):
        raise RuntimeError(
            "probability tensor contains either `inf`, `nan` or element < 0"
        )
    if not k.item(k.all(k.any(weights > 0, axis=-1))):
        raise RuntimeError(
            "invalid multinomial distribution (sum of probabilities <= 0)"
        )


@computing
def race(k: Backend, weights: Array, n: int, g: Any) -> Array:
    """The first `n` to arrive, each after an exponential time of rate its weight."""
    u = draw(k, "multinomial", g, weights.shape, dtypes.float64, "draw_uniform")
    waits = k.where(u > 0, -k.log1p(-u), 2.0**-54)
    speed = weights / waits
    if n == 1:
        return k.argmax(speed, axis=-1, keepdims=True)
    return k.argsort(-speed, axis=-1)[..., :n]


@computing
def with_replacement(k: Backend, weights: Array, n: int, g: Any) -> Array:
    """Where uniform numbers fall among the running sums of the weights."""
    shape = (*weights.shape[:-1], n)
    u = draw(k, "multinomial", g, shape, dtypes.float64, "draw_uniform")
    sums = k.cumulative_sum(weights, axis=-1)
    if weights.ndim == 1:
        return place_in(k, sums, u)
    if not shape[0]:
        return k.zeros(shape, dtype=k.native(dtypes.int64))
    rows = range(shape[0])
    return k.stack([place_in(k, sums[i, :], u[i, :]) for i in rows], axis=0)


@computing
def place_in(k: Backend, sums: Array, u: Array) -> Array:
    """The first index whose running sum exceeds u times the whole."""
    whole = sums[-1]
    found = k.searchsorted(sums, u * whole, side="right")
    last = k.searchsorted(sums, k.reshape(whole, (1,)), side="left")
    return k.astype(k.minimum(found, last), k.native(dtypes.int64))


METHODS = [bernoulli, multinomial]
