"""The ops of losses over classes: `nll_loss` and `cross_entropy` for class indices.

- The classes are dimension 1 of the input, or 0 where that has a single one; the target
  has all other dimensions.
- Elements whose class is `ignore_index` count neither in the sum nor in the mean.
- Cross entropy keeps the softmax, so that the way back is a product and a subtraction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from plugrad import Tensor, no_grad, op
from plugrad.testing import Sample

__all__: list[str] = []


def class_dim(x: Any) -> int:
    """Which dimension holds the classes."""
    return 1 if x.ndim > 1 else 0


def check_classes(k: Any, x: Any, target: Any, ignore_index: int) -> None:
    """Raise unless each target is a class, or the one that does not count."""
    n = x.shape[class_dim(x)]
    fine = ((target >= 0) & (target < n)) | (target == ignore_index)
    if 0 in target.shape or k.holds(fine):
        return
    low, high = int(k.min(target)), int(k.max(target))
    raise IndexError(
        f"Target {high if high >= n else low} is out of bounds: there are {n} "
        f"classes, from 0 to {n - 1}"
    )


def chosen(k: Any, x: Any, target: Any, ignore_index: int) -> tuple[Any, Any]:
    """Which elements count, and their classes as an index along the class dimension; 0
    for elements that do not count."""
    target = k.astype(target, k.int64)
    counts = target != ignore_index
    target = k.where(counts, target, k.zeros_like(target))
    return counts, k.expand_dims(target, axis=class_dim(x))


def weights_of(k: Any, x: Any, counts: Any, index: Any, weight: Any) -> Any:
    """The weight of each element: that of its class, or 0 if it does not count."""
    counts = k.astype(counts, x.dtype)
    if weight is None:
        return counts
    each = k.reshape(k.take(weight, k.reshape(index, (-1,)), axis=0), counts.shape)
    return each * counts


def picked(k: Any, x: Any, index: Any) -> Any:
    """The element of `x` of each one's class."""
    at = class_dim(x)
    return k.squeeze(k.gather(x, at, index), axis=at)


def divisor(k: Any, weights: Any) -> Any:
    """What a mean's gradient is divided by; 1 where nothing counts, as PyTorch has it:
    the mean is NaN then, its gradient zero."""
    total = k.sum(weights)
    return k.where(total == 0, k.ones_like(total), total)


def scaled(k: Any, g: Any, weights: Any, reduction: str) -> Any:
    """The gradient of each element's own loss, times its weight."""
    return (g / divisor(k, weights) if reduction == "mean" else g) * weights


def gathered(k: Any, y: Any, weights: Any, reduction: str) -> Any:
    """The way back of `scaled`: what elements have, as the reduction has it."""
    if reduction == "none":
        return y * weights
    total = k.sum(y * weights)
    return total / divisor(k, weights) if reduction == "mean" else total


def summed_up(k: Any, loss: Any, weights: Any, reduction: str) -> Any:
    """The losses of the elements, reduced."""
    if reduction == "none":
        return loss
    total = k.sum(loss)
    return total / k.sum(weights) if reduction == "mean" else total


@op(kinds="f", method=False, oracle="torch.nn.functional.nll_loss")
def nll_loss(
    k: Any,
    x: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """The negative of what `x`, log-probabilities, has at each target class.

    >>> import plugrad
    >>> from plugrad.nn.functional import class_ops
    >>> x = plugrad.tensor([[-1.0, -2.0]])
    >>> class_ops.nll_loss(x, plugrad.tensor([1]))
    tensor(2.)
    """
    check_classes(k, x, target, ignore_index)
    counts, index = chosen(k, x, target, ignore_index)
    weights = weights_of(k, x, counts, index, weight)
    found = picked(k, x, index)
    loss = k.where(counts, -found * weights, k.zeros_like(found))
    return summed_up(k, loss, weights, reduction)


@op(kinds="f", method=False, oracle=None)
def nll_loss_back(
    k: Any,
    incoming: Tensor,
    x_shape: Sequence[int],
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """The gradient of `nll_loss`, from the one that comes in.

    >>> import plugrad
    >>> from plugrad.nn.functional import class_ops
    >>> g = plugrad.tensor(1.0)
    >>> class_ops.nll_loss_back(g, (1, 2), plugrad.tensor([1]))
    tensor([[ 0., -1.]])
    """
    zeros = k.zeros(tuple(x_shape), dtype=incoming.dtype)
    counts, index = chosen(k, zeros, target, ignore_index)
    weights = weights_of(k, zeros, counts, index, weight)
    each = k.expand_dims(
        -scaled(k, incoming, weights, reduction), axis=class_dim(zeros)
    )
    return k.scatter_add(zeros, class_dim(zeros), index, each)


nll_loss.grad(
    x=lambda k, g, x_shape, target, weight, ignore_index, reduction: k.nll_loss_back(
        g, tuple(x_shape), target, weight, ignore_index, reduction
    )
)


def _nll_loss_back_rule(
    k: Any, g: Any, target: Any, weight: Any, ignore_index: Any, reduction: Any
) -> Any:
    counts, index = chosen(k, g, target, ignore_index)
    weights = weights_of(k, g, counts, index, weight)
    return gathered(k, -picked(k, g, index), weights, reduction)


nll_loss_back.grad(incoming=_nll_loss_back_rule)


@op(
    kinds="f",
    method=False,
    extras=("p", "sums"),
    oracle="torch.nn.functional.cross_entropy",
)
def cross_entropy(
    k: Any,
    x: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-log(softmax(x)) at each target class.

    >>> import plugrad
    >>> from plugrad.nn.functional import class_ops
    >>> class_ops.cross_entropy(plugrad.zeros(1, 2), plugrad.tensor([1]))
    tensor(0.6931)
    """
    at = class_dim(x)
    check_classes(k, x, target, ignore_index)
    counts, index = chosen(k, x, target, ignore_index)
    weights = weights_of(k, x, counts, index, weight)
    logp = k.log_softmax(x, at)
    found = picked(k, logp, index)
    loss = k.where(counts, -found * weights, k.zeros_like(found))
    return summed_up(k, loss, weights, reduction), k.exp(logp), None


def _cross_entropy_rule(
    k: Any,
    g: Any,
    x: Any,
    target: Any,
    weight: Any,
    p: Any,
    sums: Any,
    ignore_index: Any,
    reduction: Any,
) -> Any:
    return k.cross_entropy_back(g, x, target, weight, p, sums, ignore_index, reduction)


cross_entropy.grad(x=_cross_entropy_rule)


@op(kinds="f", method=False, oracle=None)
def cross_entropy_back(
    k: Any,
    incoming: Tensor,
    x: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    p: Tensor | None = None,
    sums: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """The gradient of `cross_entropy`, from the one that comes in; `p` is softmax(x),
    where that is known, or with `sums` for each row softmax(x) times that.

    >>> import plugrad
    >>> from plugrad.nn.functional import class_ops
    >>> x, g = plugrad.zeros(1, 2), plugrad.tensor(1.0)
    >>> class_ops.cross_entropy_back(g, x, plugrad.tensor([1]))
    tensor([[ 0.5000, -0.5000]])
    """
    at = class_dim(x)
    counts, index = chosen(k, x, target, ignore_index)
    weights = weights_of(k, x, counts, index, weight)
    if p is None:
        p = k.softmax(x, at)
    elif sums is not None:
        p = p / k.reshape(sums, (*x.shape[:at], 1, *x.shape[at + 1 :]))
    each = k.expand_dims(scaled(k, incoming, weights, reduction), axis=at)
    return k.scatter_add(p * each, at, index, -each)


@cross_entropy_back.joint
def _cross_entropy_back_rule(
    k: Any,
    g: Any,
    x: Any,
    target: Any,
    weight: Any,
    ignore_index: Any,
    reduction: Any,
    incoming: Any,
    need: Any,
) -> Any:
    at = class_dim(x)
    counts, index = chosen(k, x, target, ignore_index)
    weights = weights_of(k, x, counts, index, weight)
    p = k.softmax(x, at)
    to_g = to_x = None
    if need[0]:
        to_g = k.sum(g * p, axis=at) - picked(k, g, index)
        to_g = gathered(k, to_g, weights, reduction)
    if need[1]:
        each = k.expand_dims(scaled(k, incoming, weights, reduction), axis=at)
        to_x = k.softmax_back(g * each, p, at)
    return to_g, to_x, None, None, None, None


def class_samples(make: Any, name: str) -> Iterator[Sample]:
    """Inputs of all shapes and targets, and options."""
    if make.dtype.kind != "f":
        return
    for shape in ((3,), (2, 3), (0, 3), (4, 1), (2, 3, 4), (2, 3, 2, 1), (3, 4, 0)):
        rest = shape[:1] * (len(shape) > 1) + shape[2:]
        for reduction in ("mean", "sum", "none"):
            target = make.integers(*rest, high=shape[1] if rest else 3)
            yield Sample(make(*shape), target, reduction=reduction)
        weight = make(shape[1] if rest else 3, low=0.5, requires_grad=False)
        yield Sample(make(*shape), target, weight)
        # where all are ignored the mean is 0 / 0, which among eight does not happen
        how = "mean" if shape == (2, 3, 4) else "sum"
        yield Sample(make(*shape), target, weight, ignore_index=1, reduction=how)
        yield Sample(make(*shape), target, ignore_index=0, reduction="none")
    target = make.integers(2, high=3)
    yield Sample(make.strided(2, 3), target)
    yield Sample(make.expanded(2, 3), target)
    yield Sample(make(2, 3), target * 0 - 100).named("all ignored", smooth=False)
    yield Sample(make.large(2, 3), target).named("large", smooth=False)
    yield Sample(make(2, 3), target + 3).named("outside", smooth=False)


@nll_loss.samples
@cross_entropy.samples
def _(make: Any) -> Iterator[Sample]:
    yield from class_samples(make, "")


@nll_loss_back.samples
def _(make: Any) -> Iterator[Sample]:
    for sample in class_samples(make, ""):
        x, target, *rest = sample.args
        with no_grad():
            try:
                y = nll_loss(*sample.args, **sample.kwargs)
            except IndexError:
                continue
        g = make(*y.shape)
        found = Sample(g, tuple(x.shape), target, *rest, **sample.kwargs)
        yield found.named(sample.kind, sample.smooth)


@cross_entropy_back.samples
def _(make: Any) -> Iterator[Sample]:
    for sample in class_samples(make, ""):
        x, target, *rest = sample.args
        with no_grad():
            try:
                y = nll_loss(*sample.args, **sample.kwargs)
            except IndexError:
                continue
        g = make(*y.shape)
        found = Sample(g, x, target, *rest, **sample.kwargs)
        yield found.named(sample.kind, sample.smooth)
