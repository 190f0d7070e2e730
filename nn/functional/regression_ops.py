"""The ops of losses of numbers beside numbers, and of logits beside truth values.

All take the reduction's name. Their rules begin with `share`, the gradient that comes
in for each element, and recompute what they need from the inputs: a difference costs
less than keeping one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugrad import Tensor, op
from plugrad.testing import Sample

from .activation_ops import typed_as
from .reductions import common_shape, reduced_array, share

__all__: list[str] = []


def pair_samples(make: Any, *options: Any, **domain: Any) -> Iterator[Sample]:
    """Two tensors of all shapes, with each reduction."""
    for reduction in ("mean", "sum", "none"):
        for shape in ((), (3,), (2, 3), (0, 3)):
            a, b = make(*shape, **domain), make(*shape, **domain)
            yield Sample(a, b, *options, reduction=reduction)
        a, b = make.strided(2, 3, **domain), make.expanded(2, 3, **domain)
        yield Sample(a, b, *options, reduction=reduction)


# --- Differences ----------------------------------------------------------------------


@op(
    promote="same",
    kinds="f",
    method=False,
    oracle="torch.nn.functional.mse_loss",
)
def mse_loss(k: Any, x: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(x - target) ** 2.

    >>> import plugrad
    >>> from plugrad.nn.functional import regression_ops
    >>> regression_ops.mse_loss(plugrad.ones(2), plugrad.zeros(2), "sum")
    tensor(2.)
    """
    d = x - target
    return reduced_array(k, d * d, reduction)


@mse_loss.joint
def _mse_loss_rule(
    k: Any, g: Any, x: Any, target: Any, reduction: Any, need: Any
) -> Any:
    d = x - target
    d = typed_as(k, d * (share(g, d.shape, reduction) * 2.0), x)
    return d if need[0] else None, -d if need[1] else None


@op(
    promote="same",
    kinds="f",
    method=False,
    oracle="torch.nn.functional.l1_loss",
)
def l1_loss(k: Any, x: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """abs(x - target).

    >>> import plugrad
    >>> from plugrad.nn.functional import regression_ops
    >>> regression_ops.l1_loss(plugrad.ones(2), plugrad.zeros(2), "sum")
    tensor(2.)
    """
    return reduced_array(k, k.abs(x - target), reduction)


@l1_loss.joint
def _l1_loss_rule(
    k: Any, g: Any, x: Any, target: Any, reduction: Any, need: Any
) -> Any:
    d = k.sign(x - target)
    d = typed_as(k, d * share(g, d.shape, reduction), x)
    return d if need[0] else None, -d if need[1] else None


@op(promote="same", kinds="f", method=False, oracle=None)
def bent_loss(
    k: Any,
    x: Tensor,
    target: Tensor,
    bend: float = 1.0,
    scale: float = 1.0,
    reduction: str = "mean",
) -> Tensor:
    """Half the square of the difference d, times `scale`; from `bend` on a straight
    line, bend * (abs(d) - bend / 2) * scale.

    >>> import plugrad
    >>> from plugrad.nn.functional import regression_ops
    >>> x = plugrad.tensor([1.0, 3.0])
    >>> regression_ops.bent_loss(x, plugrad.zeros(2), 2.0, 1.0, "none")
    tensor([0.5000, 4.0000])
    """
    d = k.abs(x - target)
    near = k.minimum(d, k.zeros_like(d) + bend)
    loss = near * (d - near * 0.5) * scale
    return reduced_array(k, typed_as(k, loss, x), reduction)


@bent_loss.joint
def _bent_loss_rule(
    k: Any,
    g: Any,
    x: Any,
    target: Any,
    bend: Any,
    scale: Any,
    reduction: Any,
    need: Any,
) -> Any:
    d = x - target
    bends = k.zeros_like(d) + bend
    slope = k.maximum(k.minimum(d, bends), -bends)
    slope = typed_as(k, slope * (share(g, d.shape, reduction) * scale), x)
    return slope if need[0] else None, -slope if need[1] else None


@mse_loss.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind == "f":
        yield from pair_samples(make)
        yield Sample(make(2, 3), make(3))


@l1_loss.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind == "f":
        yield from pair_samples(make)
        yield Sample(make(2, 3), make(3))
        x = make(2)
        yield Sample(x, x.detach()).named("equal", smooth=False)


@bent_loss.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind == "f":
        yield from pair_samples(make)
        yield from pair_samples(make, 0.5, 2.0)
        yield Sample(make(2, 3), make(3))


# --- Probabilities of truth values ----------------------------------------------------


@op(promote="same", kinds="f", method=False, oracle=None)
def binary_cross_entropy(
    k: Any,
    x: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(target * log(x) + (1 - target) * log(1 - x)) * weight, with logarithms not
    below -100.

    >>> import plugrad
    >>> from plugrad.nn.functional import regression_ops
    >>> x, target = plugrad.tensor([0.5, 0.0]), plugrad.tensor([1.0, 1.0])
    >>> regression_ops.binary_cross_entropy(x, target, None, "none")
    tensor([  0.6931, 100.0000])
    """
    if 0 not in x.shape and not k.holds((x >= 0) & (x <= 1)):
        raise RuntimeError(
            "all elements of input should be between 0 and 1: for other scores take "
            "binary_cross_entropy_with_logits"
        )
    yes, no = logarithms(k, x)
    loss = (target - 1.0) * no - target * yes
    if weight is not None:
        loss = loss * weight
    return reduced_array(k, typed_as(k, loss, x), reduction)


def logarithms(k: Any, x: Any) -> tuple[Any, Any]:
    """log(x) and log(1 - x), not below -100."""
    low = k.zeros_like(x) - 100.0
    return k.maximum(k.log(x), low), k.maximum(k.log1p(-x), low)


@binary_cross_entropy.joint
def _binary_cross_entropy_rule(
    k: Any, g: Any, x: Any, target: Any, weight: Any, reduction: Any, need: Any
) -> Any:
    g = share(g, common_shape(x, target, weight), reduction)
    if weight is not None:
        g = g * weight
    to_x = to_target = None
    if need[0]:
        spread = k.maximum((1.0 - x) * x, k.zeros_like(x) + 1e-12)
        to_x = typed_as(k, g * (x - target) / spread, x)
    if need[1]:
        yes, no = logarithms(k, x)
        to_target = typed_as(k, g * (no - yes), x)
    return to_x, to_target, None


@op(promote="same", kinds="f", method=False, oracle=None)
def bce_with_logits(
    k: Any,
    x: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The binary cross entropy of sigmoid(x), from x, so that no logarithm of 0 comes
    up; `pos_weight` multiplies the part of the target.

    >>> import plugrad
    >>> from plugrad.nn.functional import regression_ops
    >>> x, target = plugrad.tensor([0.0, -1000.0]), plugrad.tensor([1.0, 1.0])
    >>> regression_ops.bce_with_logits(x, target, None, None, "none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    # softplus(-x), what the target's part costs
    cost = k.log1p(k.exp(-k.abs(x))) - k.minimum(x, k.zeros_like(x))
    if pos_weight is not None:
        cost = cost * (target * (pos_weight - 1.0) + 1.0)
    loss = x * (1.0 - target) + cost
    if weight is not None:
        loss = loss * weight
    return reduced_array(k, typed_as(k, loss, x), reduction)


@bce_with_logits.joint
def _bce_with_logits_rule(
    k: Any,
    g: Any,
    x: Any,
    target: Any,
    weight: Any,
    pos_weight: Any,
    reduction: Any,
    need: Any,
) -> Any:
    g = share(g, common_shape(x, target, weight, pos_weight), reduction)
    if weight is not None:
        g = g * weight
    to_x = to_target = None
    if need[0]:
        if pos_weight is None:
            slope = k.sigmoid(x) - target
        else:
            cost = target * (pos_weight - 1.0) + 1.0
            slope = 1.0 - target - cost * k.sigmoid(-x)
        to_x = typed_as(k, slope * g, x)
    if need[1]:
        slope = -x
        if pos_weight is not None:
            cost = k.log1p(k.exp(-k.abs(x))) - k.minimum(x, k.zeros_like(x))
            slope = slope + (pos_weight - 1.0) * cost
        to_target = typed_as(k, slope * g, x)
    return to_x, to_target, None, None


@binary_cross_entropy.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind != "f":
        return
    inside = {"low": 0.1, "high": 0.9}
    yield from pair_samples(make, **inside)
    for shape in ((2, 3), (3,), ()):
        weight = make(*shape, requires_grad=False)
        yield Sample(make(2, 3, **inside), make(2, 3, **inside), weight)
        yield Sample(make(2, 3, **inside), make(2, 3, **inside), weight, "none")
    edges = make.like([0.0, 1.0, 0.0, 1.0]), make.like([0.0, 0.0, 1.0, 1.0])
    yield Sample(*edges, None, "none").named("edges", smooth=False)
    yield Sample(make.like([1.5]), make.like([0.0])).named("outside", smooth=False)


@bce_with_logits.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind != "f":
        return
    yield from pair_samples(make)
    for shape in ((2, 3), (3,), ()):
        a, b = (make(*shape, requires_grad=False) for _ in range(2))
        yield Sample(make(2, 3), make(2, 3), a)
        yield Sample(make(2, 3), make(2, 3), a, b, "sum")
        yield Sample(make(2, 3), make(2, 3), None, b, "none")
    yield Sample(make.large(6), make(6)).named("large", smooth=False)
