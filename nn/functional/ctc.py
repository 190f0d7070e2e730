"""Connectionist temporal classification: the loss of sequences without alignment.

- A target of U labels is read with blanks between, before and after: S = 2 U + 1
  states. `alphas` are the logarithms of the probabilities of all ways to a state at a
  time, `betas` of all ways on from there; both count the time itself.
- What is impossible has the logarithm NEVER, which is finite, so that no difference of
  two is NaN.
- The gradient is that of the log-probabilities as they are given. (PyTorch's adds
  their exponential, what log_softmax takes away again: behind it both are the same.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import plugrad
from plugrad import Tensor, op
from plugrad.testing import Sample

from .reductions import read_reduction

__all__ = ["ctc_loss"]

NEVER = -1e30


def states_of(k: Any, targets: Any, blank: int) -> tuple[Any, Any]:
    """(N, S): the label of each state, and whether it may follow that two before it."""
    n, u = targets.shape
    targets = k.astype(targets, k.int64)
    blanks = k.zeros((n, u + 1), dtype=k.int64) + blank
    labels = interleaved(k, blanks, targets)
    # a label may follow another one at once, if it is another
    before = k.concat([blanks[:, :1], targets[:, :-1]], axis=1) if u else targets
    free = k.concat([targets != before, blanks[:, :1] != blanks[:, :1]], axis=1)
    hops = interleaved(k, blanks != blanks, free[:, :u])
    return labels, hops


def interleaved(k: Any, a: Any, b: Any) -> Any:
    """The columns of `a`, with those of `b` between."""
    n, u = b.shape
    pairs = k.reshape(k.stack([a[:, :u], b], axis=2), (n, 2 * u))
    return k.concat([pairs, a[:, u:]], axis=1)


def either(k: Any, a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b)), finite for finite numbers; so are its gradients."""
    high = k.maximum(a, b)
    return high + k.log1p(k.exp(k.minimum(a, b) - high))


def moved(k: Any, x: Any, by: int) -> Any:
    """The columns moved to the right, or to the left; NEVER comes in."""
    rest = x[:, :-by] if by > 0 else x[:, -by:]
    gap = x[:, :by] if by > 0 else x[:, by:]
    gap = k.zeros_like(gap) + NEVER
    return k.concat([gap, rest] if by > 0 else [rest, gap], axis=1)


def onward(k: Any, x: Any, chance: Any, hops: Any, step: int) -> Any:
    """One step in time, forth (1) or back (-1): to a state from itself, from the next
    one, or from two away."""
    found = either(k, x, moved(k, x, step))
    if x.shape[1] > 2:
        never = k.zeros_like(x) + NEVER
        if step > 0:
            two = k.where(hops, moved(k, x, 2), never)
        else:
            two = moved(k, k.where(hops, x, never), -2)
        found = either(k, found, two)
    return bounded(k, found + chance)


def bounded(k: Any, x: Any) -> Any:
    """Not below NEVER."""
    return k.maximum(x, k.zeros_like(x) + NEVER)


def column(k: Any, values: Sequence[Any], x: Any) -> Any:
    """(N, 1): truth values, as Python has them, on the backend."""
    return k.reshape(k.asarray(list(values)), (len(values), 1))


def chances(k: Any, x: Any, labels: Any) -> Any:
    """(T, N, S): the log-probability of each state's label at each time."""
    index = k.broadcast_to(k.expand_dims(labels, axis=0), (x.shape[0], *labels.shape))
    return bounded(k, k.gather(x, 2, index))


def ends_of(k: Any, labels: Any, target_lengths: Sequence[int]) -> Any:
    """(N, S): the states that may be the last, of the last label and the last blank."""
    ends = [2 * n for n in target_lengths]
    rows = [[s in (end - 1, end) for s in range(labels.shape[1])] for end in ends]
    return k.asarray(rows)


def alphas_of(k: Any, chance: Any, hops: Any) -> list[Any]:
    """For each time the logarithms of all ways to each state."""
    never = k.zeros_like(chance[0, ...]) + NEVER
    start = k.asarray([s < 2 for s in range(hops.shape[1])])
    found = [k.where(start, chance[0, ...], never)]
    for t in range(1, chance.shape[0]):
        found.append(onward(k, found[-1], chance[t, ...], hops, 1))
    return found


def betas_of(
    k: Any, chance: Any, hops: Any, ends: Any, input_lengths: Sequence[int]
) -> list[Any]:
    """For each time the logarithms of all ways on from each state."""
    never = k.zeros_like(chance[0, ...]) + NEVER
    found: list[Any] = [None] * chance.shape[0]
    x = never
    for t in range(chance.shape[0] - 1, -1, -1):
        x = onward(k, x, chance[t, ...], hops, -1)
        last = column(k, [n == t + 1 for n in input_lengths], x)
        x = found[t] = k.where(last, k.where(ends, chance[t, ...], never), x)
    return found


def totals(k: Any, alphas: list[Any], ends: Any, input_lengths: Sequence[int]) -> Any:
    """(N,): the logarithms of all ways to the end of each target."""
    x = alphas[0]
    for t in range(1, len(alphas)):
        x = k.where(column(k, [n == t + 1 for n in input_lengths], x), alphas[t], x)
    x = k.where(ends, x, k.zeros_like(x) + NEVER)
    high = k.max(x, axis=1, keepdims=True)
    return k.squeeze(high, axis=1) + k.log(k.sum(k.exp(x - high), axis=1))


@op(kinds="f", method=False, oracle=None)
def ctc_losses(
    k: Any,
    x: Tensor,
    targets: Tensor,
    input_lengths: Sequence[int],
    target_lengths: Sequence[int],
    blank: int = 0,
) -> Tensor:
    """The loss of each sequence, for log-probabilities (T, N, C) and targets (N, U).

    >>> import plugrad
    >>> from plugrad.nn.functional.ctc import ctc_losses
    >>> x = plugrad.full((2, 1, 2), 0.5).log()
    >>> ctc_losses(x, plugrad.tensor([[1]]), (2,), (1,))
    tensor([0.2877])
    """
    labels, hops = states_of(k, targets, blank)
    ends = ends_of(k, labels, target_lengths)
    alphas = alphas_of(k, chances(k, x, labels), hops)
    total = totals(k, alphas, ends, input_lengths)
    found = k.where(total > 0.5 * NEVER, -total, k.zeros_like(total) + float("inf"))
    return k.astype(found, x.dtype, copy=False)  # NumPy widens 16 bits beside numbers


def _ctc_rule(
    k: Any,
    g: Any,
    x: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: Any,
) -> Any:
    labels, hops = states_of(k, targets, blank)
    ends = ends_of(k, labels, target_lengths)
    chance = chances(k, x, labels)
    alphas = alphas_of(k, chance, hops)
    betas = betas_of(k, chance, hops, ends, input_lengths)
    total = totals(k, alphas, ends, input_lengths)
    total = k.expand_dims(total, axis=1)
    g = k.expand_dims(g, axis=1)
    shares = []
    for t in range(x.shape[0]):
        share = k.exp(bounded(k, alphas[t] + betas[t] - chance[t, ...] - total))
        within = column(k, [t < n for n in input_lengths], share)
        possible = within & (total > 0.5 * NEVER)
        shares.append(k.where(possible, -share * g, k.zeros_like(share)))
    index = k.broadcast_to(k.expand_dims(labels, axis=0), (x.shape[0], *labels.shape))
    return k.scatter_add(k.zeros_like(x), 2, index, k.stack(shares, axis=0))


ctc_losses.grad(x=_ctc_rule)


@ctc_losses.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind != "f":
        return
    for t, targets, inputs, lengths in (
        (4, [[1, 2]], (4,), (2,)),
        (5, [[1, 1], [2, 1]], (5, 4), (2, 1)),
        (5, [[1, 1], [2, 1]], (5, 5), (2, 0)),
        (3, [[1, 2, 1]], (3,), (3,)),
        (1, [[2]], (1,), (1,)),
        (6, [[1, 2, 2]], (6,), (3,)),
        (3, [[]], (2,), (0,)),
        (4, [[2], [1], [2]], (4, 3, 2), (1, 1, 1)),
    ):
        n = len(targets)
        integers = make.integers(n, len(targets[0]), low=1, high=3)
        yield Sample(make(t, n, 3), integers, inputs, lengths)
    yield Sample(make(4, 1, 3), make.integers(1, 2, high=2), (4,), (2,), 2)
    yield Sample(make.strided(4, 2, 3), make.integers(2, 1, low=1), (4, 4), (1, 1))
    far = make.integers(1, 3, low=1, high=2)
    yield Sample(make(2, 1, 3), far, (2,), (3,)).named("impossible", smooth=False)


def lengths_of(name: str, lengths: Any, n: int, most: int) -> tuple[int, ...]:
    """Lengths as Python's integers, one for each sequence."""
    if isinstance(lengths, Tensor):
        if lengths.dtype.kind not in "iu":
            raise RuntimeError(
                f"ctc_loss: {name} must be integers, not {lengths.dtype}"
            )
        lengths = lengths.reshape(-1).tolist()
    found = tuple(int(each) for each in lengths)
    if len(found) != n:
        raise RuntimeError(
            f"ctc_loss: {name} must be of size {n}, the batch's, not {len(found)}"
        )
    if any(not 0 <= each <= most for each in found):
        raise RuntimeError(
            f"ctc_loss: {name} must be between 0 and {most}, but are {list(found)}"
        )
    return found


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Minus the logarithm of the probability that a sequence reads as its target, once
    repeats and then blanks are taken away.

    `log_probs` is (T, N, C), or (T, C) for one sequence; the targets are (N, S),
    padded, or all in one row. The mean is over the batch, of each loss divided by the
    length of its target. A target that its sequence is too short for has an infinite
    loss, or, with `zero_infinity`, none.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.zeros(4, 1, 3).log_softmax(2)
    >>> F.ctc_loss(x, plugrad.tensor([[1, 2]]), (4,), (2,))
    tensor(0.8432)
    """
    reduction = read_reduction(reduction)
    single = log_probs.ndim == 2
    if single:
        log_probs = log_probs.unsqueeze(1)
    if log_probs.ndim != 3:
        raise RuntimeError(
            f"ctc_loss: log_probs must be (T, N, C) or (T, C), not of "
            f"{log_probs.ndim} dimensions"
        )
    steps, n, classes = log_probs.shape
    if targets.dtype.kind not in "iu":
        raise RuntimeError(f"ctc_loss: targets must be integers, not {targets.dtype}")
    if not 0 <= blank < classes:
        raise RuntimeError(f"ctc_loss: blank must be in label range, not {blank}")
    inputs = lengths_of("input_lengths", input_lengths, n, steps)
    padded = targets.ndim == 2
    if single and not padded:
        targets, padded = targets.unsqueeze(0), True
    most = targets.shape[-1]
    lengths = lengths_of("target_lengths", target_lengths, n, most)
    rows = targets if padded else rows_of(targets, lengths)
    rows = rows[:, : max(lengths, default=0)]
    loss = ctc_losses(log_probs, rows, inputs, lengths, blank)
    if zero_infinity:
        loss = plugrad.where(loss == plugrad.inf, 0.0, loss)
    if reduction == "mean":
        return (loss / loss.new_tensor([max(each, 1) for each in lengths])).mean()
    if reduction == "sum":
        return loss.sum()
    return loss.squeeze(0) if single else loss


def rows_of(targets: Tensor, lengths: Sequence[int]) -> Tensor:
    """Targets that stand in one row, each in a row of its own."""
    if sum(lengths) != len(targets):
        raise RuntimeError(
            f"ctc_loss: {len(targets)} targets in one row, but target_lengths sum to "
            f"{sum(lengths)}"
        )
    widest = max(lengths, default=0)
    places, start = [], 0
    for n in lengths:
        places.append([start + min(i, max(n - 1, 0)) for i in range(widest)])
        start += n
    if not widest:
        return targets.reshape(len(lengths), 0)
    index = targets.new_tensor(places, dtype=plugrad.int64)
    return targets[index.clamp(max=len(targets) - 1)]
