"""Attention: of queries to keys and values, and with several heads and projections."""

from __future__ import annotations

import math
import warnings
from typing import Any

import plugrad
from plugrad import Tensor

from .attention_ops import attention
from .dropping import dropout
from .padding import pad
from .products import linear

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]

INFINITY = float("inf")


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query @ key.T * scale + attn_mask) @ value.

    Shapes are (..., L, E), (..., S, E) and (..., S, V). The scale is 1 / sqrt(E) unless
    given. A mask of booleans is true where values take part; one of numbers is added.
    `is_causal` lets each query see the values up to its own place. With `enable_gqa`
    several heads of the queries share one of keys and values. `dropout_p` is applied
    whenever it is not zero.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.zeros(2, 3, 4)
    >>> values = plugrad.arange(6.0).reshape(2, 3, 1)
    >>> F.scaled_dot_product_attention(x, x, values, is_causal=True)[0]
    tensor([[0.0000],
            [0.5000],
            [1.0000]])
    """
    check_attention(query, key, value, attn_mask, is_causal)
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    if enable_gqa:
        key, value = shared_heads(query, key), shared_heads(query, value)
    if (
        attn_mask is not None
        or not query.shape[:-2] == key.shape[:-2] == value.shape[:-2]
    ):
        query, key, value = same_front(query, key, value, attn_mask)
    if dropout_p:
        return with_dropout(query, key, value, attn_mask, dropout_p, is_causal, scale)
    return attention(query, key, value, attn_mask, is_causal, float(scale))


def check_attention(q: Tensor, k: Tensor, v: Tensor, mask: Any, causal: bool) -> None:
    """Raise unless these go together."""
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be at least 2 dimensional, but got "
            f"shapes {list(q.shape)}, {list(k.shape)} and {list(v.shape)}"
        )
    if q.dtype is not k.dtype or q.dtype is not v.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got "
            f"{q.dtype}, {k.dtype} and {v.dtype}; cast with .to(dtype)"
        )
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise RuntimeError(
            "query and key need vectors of one size, key and value as many of them, "
            f"but got shapes {list(q.shape)}, {list(k.shape)} and {list(v.shape)}"
        )
    if mask is None:
        return
    if causal:
        raise RuntimeError("Explicit attn_mask should not be set when is_causal=True")
    if mask.dtype is not plugrad.bool and mask.dtype is not q.dtype:
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or to match query dtype, but got "
            f"{mask.dtype} for {q.dtype}"
        )


def shared_heads(query: Tensor, x: Tensor) -> Tensor:
    """Keys or values with a head for each of the queries'."""
    if min(query.ndim, x.ndim) < 3 or query.shape[-3] % x.shape[-3]:
        raise RuntimeError(
            "enable_gqa: the number of heads of the query has to be a multiple of that "
            f"of keys and values, but the shapes are {list(query.shape)} and "
            f"{list(x.shape)}"
        )
    times = query.shape[-3] // x.shape[-3]
    return x if times == 1 else x.repeat_interleave(times, -3)


def same_front(q: Tensor, k: Tensor, v: Tensor, mask: Any) -> tuple[Tensor, ...]:
    """The three with the same sizes in front."""
    fronts = [tuple(each.shape[:-2]) for each in (q, k, v)]
    if mask is not None:
        fronts.append(tuple(mask.shape[:-2]))
    count = max(len(each) for each in fronts)
    padded = [(1,) * (count - len(each)) + each for each in fronts]
    front = []
    for sizes in zip(*padded):
        found = {n for n in sizes if n != 1} or {1}
        if len(found) > 1:
            raise RuntimeError(
                "query, key, value and attn_mask have to broadcast in front of their "
                f"last two dimensions, but the sizes there are {fronts}"
            )
        front.append(found.pop())
    return tuple(
        x if x.shape[:-2] == tuple(front) else x.expand(*front, *x.shape[-2:])
        for x in (q, k, v)
    )


def with_dropout(
    q: Tensor, k: Tensor, v: Tensor, mask: Any, p: float, causal: bool, scale: float
) -> Tensor:
    """Attention with some of the weights set to zero, and the others larger."""
    scores = (q * scale) @ k.mT
    if causal:
        shape = scores.shape[-2:]
        mask = plugrad.ones(*shape, dtype=plugrad.bool, device=q.device).tril()
    if mask is not None:
        if mask.dtype is plugrad.bool:
            scores = scores.masked_fill(~mask, -INFINITY)
        else:
            scores = scores + mask
        hidden = ~(scores > -INFINITY).any(-1, keepdim=True)
        weights = scores.masked_fill(hidden, 0.0).softmax(-1).masked_fill(hidden, 0.0)
    else:
        weights = scores.softmax(-1)
    return dropout(weights, p) @ v


# --- Several heads --------------------------------------------------------------------


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `plugrad.nn.MultiheadAttention` computes; sequences come first, (L, N, E) or
    (L, E).

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.ones(3, 2, 4)
    >>> w_in, w_out = plugrad.ones(12, 4), plugrad.ones(4, 4)
    >>> y, weights = F.multi_head_attention_forward(
    ...     x, x, x, 4, 2, w_in, None, None, None, False, 0.0, w_out, None)
    >>> y.shape, weights.shape
    (plugrad.Size([3, 2, 4]), plugrad.Size([2, 3, 3]))
    """
    batched = query.ndim == 3
    check_heads(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = (x.unsqueeze(1) for x in (query, key, value))
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    steps, batch, width = query.shape
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the "
            "Transformer module method `generate_square_subsequent_mask` to create it."
        )
    other = None if attn_mask is None else attn_mask.dtype
    dtype = query.dtype
    padding = added(key_padding_mask, "key_padding_mask", dtype, other, "attn_mask")
    if is_causal and padding is None and not need_weights:
        mask = None
    else:
        mask, is_causal = added(attn_mask, "attn_mask", dtype), False
    check_sizes(width, embed_dim_to_check, num_heads, key, mask, query)
    if use_separate_proj_weight:
        weights = q_proj_weight, k_proj_weight, v_proj_weight
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's "
                f"{value.shape[:2]}"
            )
        q, k, v = projected_apart(query, key, value, weights, in_proj_bias)
    else:
        if key.shape != value.shape:
            raise AssertionError(
                f"key shape {key.shape} does not match value shape {value.shape}"
            )
        q, k, v = projected(query, key, value, in_proj_weight, in_proj_bias)
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("bias cannot be added to static key or value.")
        k = plugrad.cat([k, bias_k.expand(1, batch, width)])
        v = plugrad.cat([v, bias_v.expand(1, batch, width)])
        mask, padding = one_more(mask), one_more(padding)
    elif bias_k is not None or bias_v is not None:
        raise AssertionError("bias_k and bias_v go together, but one of them is None")
    q = heads(q, num_heads)  # (N, H, L, E / H)
    k = heads(k, num_heads) if static_k is None else static(static_k, q)
    v = heads(v, num_heads) if static_v is None else static(static_v, q)
    if add_zero_attn:
        zeros = k.new_zeros(batch, num_heads, 1, k.shape[-1])
        k, v = plugrad.cat([k, zeros], 2), plugrad.cat([v, zeros], 2)
        mask, padding = one_more(mask), one_more(padding)
    if mask is not None and mask.ndim == 3:
        mask = mask.view(batch, num_heads, steps, mask.shape[-1])
    if padding is not None:
        check_padding(padding, batch, k.shape[2])
        padding = padding.view(batch, 1, 1, k.shape[2])
        mask = padding if mask is None else mask + padding
    p = dropout_p if training else 0.0
    if need_weights:
        y, found = attended(q, k, v, mask, p)
        found = found.mean(1) if average_attn_weights else found
        found = found if batched else found.squeeze(0)
    else:
        found = None
        y = scaled_dot_product_attention(q, k, v, mask, p, is_causal)
    y = y.permute(2, 0, 1, 3).reshape(steps, batch, width)
    y = linear(y, out_proj_weight, out_proj_bias)
    return y if batched else y.squeeze(1), found


def attended(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, p: float
) -> tuple[Tensor, Tensor]:
    """The values that are attended to, and how much."""
    scores = (q * math.sqrt(1 / q.shape[-1])) @ k.mT
    weights = (scores if mask is None else scores + mask).softmax(-1)
    if p > 0:
        weights = dropout(weights, p)
    return weights @ v, weights


def heads(x: Tensor, count: int) -> Tensor:
    """(L, N, E) as (N, H, L, E / H)."""
    steps, batch, width = x.shape
    return x.reshape(steps, batch, count, width // count).permute(1, 2, 0, 3)


def static(x: Tensor, q: Tensor) -> Tensor:
    """Keys or values that are given, (N * H, S, E / H), as (N, H, S, E / H)."""
    batch, count, _, width = q.shape
    if x.shape[0] != batch * count or x.shape[2] != width:
        raise AssertionError(
            f"expecting static keys and values of shape ({batch * count}, S, {width}), "
            f"but got {list(x.shape)}"
        )
    return x.reshape(batch, count, x.shape[1], width)


def projected(q: Tensor, k: Tensor, v: Tensor, weight: Any, bias: Any) -> Any:
    """Queries, keys and values times the three parts of a weight."""
    if weight is None:
        raise AssertionError(
            "use_separate_proj_weight is False but in_proj_weight is None"
        )
    n = q.shape[-1]
    if q is k and k is v:
        return linear(q, weight, bias).split(n, -1)
    biases = (None,) * 3 if bias is None else bias.split(n)
    if k is v:
        first = linear(q, weight[:n], biases[0])
        rest = linear(k, weight[n:], None if bias is None else bias[n:])
        return (first, *rest.split(n, -1))
    return tuple(map(linear, (q, k, v), weight.split(n), biases))


def projected_apart(q: Tensor, k: Tensor, v: Tensor, weights: Any, bias: Any) -> Any:
    """Queries, keys and values, each times its own weight."""
    n = q.shape[-1]
    for x, weight, name in zip((q, k, v), weights, ("q", "k", "v")):
        if weight is None:
            raise AssertionError(
                f"use_separate_proj_weight is True but {name}_proj_weight is None"
            )
        if tuple(weight.shape) != (n, x.shape[-1]):
            raise AssertionError(
                f"expecting {name}_proj_weight of shape {(n, x.shape[-1])}, but got "
                f"{list(weight.shape)}"
            )
    biases = (None,) * 3 if bias is None else bias.split(n)
    return tuple(map(linear, (q, k, v), weights, biases))


def one_more(mask: Tensor | None) -> Tensor | None:
    """A mask with one place more, that is seen."""
    return None if mask is None else pad(mask, (0, 1))


def added(
    mask: Tensor | None, name: str, dtype: Any, other: Any = None, other_name: str = ""
) -> Tensor | None:
    """A mask of numbers to add; booleans are true where nothing is to be seen."""
    if mask is None:
        return None
    if mask.dtype is not plugrad.bool and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if other is not None and mask.dtype is not other:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same "
            "type for both instead.",
            stacklevel=3,
        )
    if mask.dtype is not plugrad.bool:
        return mask
    return mask.new_zeros(mask.shape, dtype=dtype).masked_fill(mask, -INFINITY)


# --- What the shapes have to be -------------------------------------------------------


def check_heads(
    q: Tensor, k: Tensor, v: Tensor, padding: Any, mask: Any, num_heads: int
) -> None:
    """Raise unless the numbers of dimensions go together."""
    if q.ndim not in (2, 3):
        raise AssertionError(
            "query should be unbatched 2D or batched 3D tensor but received "
            f"{q.ndim}-D query tensor"
        )
    kind = "batched (3-D)" if q.ndim == 3 else "unbatched (2-D)"
    if k.ndim != q.ndim or v.ndim != q.ndim:
        raise AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {q.ndim}-D but "
            f"found {k.ndim}-D and {v.ndim}-D tensors respectively"
        )
    if padding is not None and padding.ndim != q.ndim - 1:
        raise AssertionError(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or "
            f"{q.ndim - 1}-D but found {padding.ndim}-D tensor instead"
        )
    if mask is None:
        return
    if mask.ndim not in (2, 3):
        raise AssertionError(
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but "
            f"found {mask.ndim}-D tensor instead"
        )
    if q.ndim == 2 and mask.ndim == 3:
        expected = (num_heads, q.shape[0], k.shape[0])
        if tuple(mask.shape) != expected:
            raise AssertionError(
                f"Expected `attn_mask` shape to be {expected} but got {mask.shape}"
            )


def check_sizes(
    width: int, expected: int, num_heads: int, k: Tensor, mask: Any, q: Tensor
) -> None:
    """Raise unless the sizes go together."""
    if width != expected:
        raise AssertionError(
            f"was expecting embedding dimension of {expected}, but got {width}"
        )
    if width % num_heads:
        raise AssertionError(
            f"embed_dim {width} not divisible by num_heads {num_heads}"
        )
    if mask is None:
        return
    sizes = (q.shape[0], k.shape[0])
    if mask.ndim == 3:
        sizes = (q.shape[1] * num_heads, *sizes)
    if tuple(mask.shape) != sizes:
        raise RuntimeError(
            f"The shape of the {mask.ndim}D attn_mask is {mask.shape}, but should be "
            f"{sizes}."
        )


def check_padding(padding: Tensor, batch: int, steps: int) -> None:
    """Raise unless a mask has a place for each key of each sequence."""
    if tuple(padding.shape) != (batch, steps):
        raise AssertionError(
            f"Expected key_padding_mask of shape {(batch, steps)}, but got "
            f"{list(padding.shape)}"
        )
