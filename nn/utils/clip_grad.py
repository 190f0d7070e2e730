"""Limits on gradients: of their norm, of each number."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from types import GeneratorType

import plugrad
from plugrad import Tensor, no_grad

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]

Tensors = Tensor | Iterable[Tensor]


def listed(tensors: Tensors) -> list[Tensor]:
    """One tensor or several as a list."""
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def gradients(parameters: Tensors) -> list[Tensor]:
    """The gradients that there are."""
    return [p.grad for p in listed(parameters) if p.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of tensors as if they were one long vector. `foreach` says how PyTorch
    computes it, and changes nothing here.

    >>> import plugrad
    >>> from plugrad.nn.utils import get_total_norm
    >>> get_total_norm([plugrad.tensor([3.0]), plugrad.tensor([[4.0]])])
    tensor(5.)
    """
    norm_type = float(norm_type)
    norms = [plugrad.linalg.vector_norm(each, norm_type) for each in listed(tensors)]
    if not norms:
        return plugrad.tensor(0.0)
    first = norms[0].device
    together = plugrad.stack([each.to(first) for each in norms])
    total = plugrad.linalg.vector_norm(together, norm_type)
    if error_if_nonfinite and not bool(total.isfinite()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is "
            "non-finite, so it cannot be clipped. To disable this error and scale the "
            "gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensors,
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale gradients, whose norm together is `total_norm`, so that it is not above
    `max_norm`.

    >>> import plugrad
    >>> from plugrad.nn.utils import clip_grads_with_norm_
    >>> p = plugrad.nn.Parameter(plugrad.zeros(2))
    >>> p.grad = plugrad.tensor([3.0, 4.0])
    >>> clip_grads_with_norm_(p, 1.0, plugrad.tensor(5.0))
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    grads = gradients(parameters)
    if not grads:
        return
    # no question whether it is below 1: that would wait for a GPU
    scale = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    for g in grads:
        g.mul_(scale.to(g.device))


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients of parameters so that their norm, as of one long vector, is
    not above `max_norm`; returns what it was.

    >>> import plugrad
    >>> from plugrad.nn.utils import clip_grad_norm_
    >>> p = plugrad.nn.Parameter(plugrad.zeros(2))
    >>> p.grad = plugrad.tensor([3.0, 4.0])
    >>> clip_grad_norm_([p], 1.0)
    tensor(5.)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    given = listed(parameters)
    if not given and isinstance(parameters, GeneratorType):
        warnings.warn(
            "`parameters` is an empty generator, no gradient clipping will occur.",
            stacklevel=2,
        )
    total = get_total_norm(gradients(given), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(given, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of `clip_grad_norm_`.

    >>> import plugrad
    >>> from plugrad.nn.utils import clip_grad_norm_
    >>> p = plugrad.nn.Parameter(plugrad.zeros(2))
    >>> clip_grad_norm_(p, 1.0)  # without the warning
    tensor(0.)
    """
    warnings.warn(
        "`plugrad.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`plugrad.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(
    parameters: Tensors, clip_value: float, foreach: bool | None = None
) -> None:
    """Bring each number of the gradients between -clip_value and clip_value.

    >>> import plugrad
    >>> from plugrad.nn.utils import clip_grad_value_
    >>> p = plugrad.nn.Parameter(plugrad.zeros(2))
    >>> p.grad = plugrad.tensor([3.0, -0.5])
    >>> clip_grad_value_([p], 1.0)
    >>> p.grad
    tensor([ 1.0000, -0.5000])
    """
    limit = float(clip_value)
    for g in gradients(parameters):
        g.clamp_(-limit, limit)
