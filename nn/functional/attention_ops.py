"""Attention as an op: softmax(query @ key.T * scale + mask) @ value.

- The probabilities are never kept: the way back computes them again, from the
  logarithm of each row's sum (`total`), so that memory grows with the length of the
  sequences and not with its square.
- A row whose mask leaves nothing gives zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugrad import Tensor, op
from plugrad.testing import Sample

__all__: list[str] = []

Mask = Tensor


@op(
    promote="equal",
    kinds="f",
    extras=("total",),
    method=False,
    oracle=None,
)
def attention(
    k: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Mask | None,
    causal: bool,
    scale: float,
) -> Tensor:
    """Each query's mean of the values, weighted by how well it goes with their keys.

    The shapes are (..., L, E), (..., S, E) and (..., S, V), with the same sizes in
    front. A mask, of a shape that broadcasts to (..., L, S), is true where values may
    be seen, or is added to the products. `causal` lets query i see the values up to i.

    >>> import plugrad
    >>> from plugrad.nn.functional.attention_ops import attention
    >>> x, values = plugrad.zeros(2, 3), plugrad.tensor([[1.0], [2.0]])
    >>> attention(x, x, values, None, True, 1.0)
    tensor([[1.0000],
            [1.5000]])
    """
    scores = scores_of(k, query, key, mask, causal, scale)
    if 0 in scores.shape:
        return k.matmul(scores, value), k.zeros(scores.shape[:-1], dtype=query.dtype)
    most = k.max(scores, axis=-1, keepdims=True)
    most = k.where(k.isfinite(most), most, k.zeros_like(most))
    e = k.exp(scores - most)
    sums = k.sum(e, axis=-1, keepdims=True)
    sums = k.where(sums == 0, k.ones_like(sums), sums)
    total = k.squeeze(most + k.log(sums), axis=-1)
    return k.matmul(e, value) / sums, total


def scores_of(k: Any, query: Any, key: Any, mask: Any, causal: Any, scale: Any) -> Any:
    """The products of queries and keys, masked."""
    scores = k.matmul(query * scale, k.matrix_transpose(key))
    if mask is not None and not k.isdtype(mask.dtype, "bool"):
        scores = scores + mask
    elif mask is not None:
        scores = k.where(mask, scores, k.zeros_like(scores) - float("inf"))
    if causal:
        seen = k.tril(k.ones_like(scores)) > 0
        scores = k.where(seen, scores, k.zeros_like(scores) - float("inf"))
    return scores


@op(
    promote="equal",
    kinds="f",
    outputs=("to_query", "to_key", "to_value"),
    method=False,
    oracle=None,
    no_grad_reason="a step of ops that have rules",
)
def attention_back(
    k: Any,
    g: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    y: Tensor,
    total: Tensor,
    mask: Mask | None,
    causal: bool,
    scale: float,
) -> Any:
    """The gradients of `attention` to queries, keys and values."""
    scores = scores_of(k, query, key, mask, causal, scale)
    p = k.exp(scores - k.expand_dims(total, axis=-1))
    return through(k, g, query, key, value, y, p, scale)[:3]


def through(
    k: Any, g: Any, query: Any, key: Any, value: Any, y: Any, p: Any, scale: Any
) -> Any:
    """The gradients to queries, keys, values and scores, by the probabilities `p`."""
    gv = k.matmul(k.matrix_transpose(p), g)
    inner = k.sum(g * y, axis=-1, keepdims=True)
    gs = p * (k.matmul(g, k.matrix_transpose(value)) - inner)
    gq = k.matmul(gs, key) * scale
    gk = k.matmul(k.matrix_transpose(gs), query) * scale
    return gq, gk, gv, gs


@attention.joint
def _attention_rule(
    k: Any,
    g: Any,
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    y: Any,
    total: Any,
    causal: Any,
    scale: Any,
    need: Any,
) -> Any:
    known = not isinstance(y, Tensor)
    if known and not need[3]:
        found = k.attention_back(g, query, key, value, y, total, mask, causal, scale)
        return (*found, None)
    scores = scores_of(k, query, key, mask, causal, scale)
    if known:
        p = k.exp(scores - k.expand_dims(total, axis=-1))
    elif 0 in scores.shape:
        p = k.exp(scores)
    else:
        p = probabilities(k, scores)
    gq, gk, gv, gs = through(k, g, query, key, value, y, p, scale)
    return gq, gk, gv, summed_to(k, gs, mask.shape) if need[3] else None


def probabilities(k: Any, scores: Any) -> Any:
    """softmax(scores), with zeros in rows that are all masked."""
    shown = k.any(scores > -float("inf"), axis=-1, keepdims=True)
    p = k.softmax(k.where(shown, scores, k.zeros_like(scores)), -1)
    return k.where(shown, p, k.zeros_like(p))


def summed_to(k: Any, g: Any, shape: Any) -> Any:
    """`g` summed where something of `shape` was repeated."""
    extra = g.ndim - len(shape)
    if extra:
        g = k.sum(g, axis=tuple(range(extra)))
    dims = [i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1]
    return k.sum(g, axis=tuple(dims), keepdims=True) if dims else g


@attention.samples
def _(make: Any) -> Iterator[Sample]:
    for *lead, n, s, e, v in (
        (2, 3, 2, 2),
        (3, 3, 2, 1),
        (1, 1, 1, 1),
        (2, 4, 2, 1, 3),
        (2, 2, 3, 4, 2, 2),
        (0, 2, 3, 2, 2),
        (2, 0, 3, 2, 2),
    ):
        q, x, values = make(*lead, n, e), make(*lead, s, e), make(*lead, s, v)
        yield Sample(q, x, values, None, False, 0.7)
        yield Sample(q, x, values, None, True, 1.0)
    q, x, values = make(2, 2, 3, 2), make(2, 2, 4, 2), make(2, 2, 4, 3)
    for shape in ((3, 4), (2, 1, 3, 4), (2, 1, 1, 4), (1,)):
        yield Sample(q, x, values, make(*shape), False, 0.5)
        yield Sample(q, x, values, make.bools(*shape), False, 0.5)
    q, x, values = make.strided(2, 3, 2), make.strided(2, 4, 2), make.strided(2, 4, 3)
    yield Sample(q, x, values, make.strided(3, 4), False, 0.5)
    q, x = make.expanded(2, 3, 2), make.expanded(2, 4, 2)
    yield Sample(q, x, values, make.bools(3, 4), True, 0.5)
    if make.dtype.kind == "f":
        inf = float("inf")
        mask = make.like([[0.0, -inf], [-inf, -inf], [1.0, -inf]], False)
        yield Sample(make(3, 2), make(2, 2), make(2, 2), mask, False, 1.0)


@attention_back.samples
def _(make: Any) -> Iterator[Sample]:
    for *lead, n, s, e, v in ((2, 3, 2, 2), (2, 4, 2, 1, 3), (2, 2, 3, 4, 2, 2)):
        q, x, values = make(*lead, n, e), make(*lead, s, e), make(*lead, s, v)
        g, y, total = make(*lead, n, v), make(*lead, n, v), make(*lead, n, low=1)
        rest = q, x, values, y, total
        yield Sample(g, *rest, None, False, 0.7)
        yield Sample(g, *rest, None, True, 1.0)
        yield Sample(g, *rest, make(n, s), False, 0.7)
        yield Sample(g, *rest, make.bools(n, s), False, 1.0)
