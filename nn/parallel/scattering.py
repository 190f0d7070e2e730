"""Divide inputs among devices, and join outputs: tensors in anything nested."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import plugrad
from plugrad import Tensor

from .devices import device_of

__all__ = ["gather", "scatter"]


def is_named(value: Any) -> bool:
    """Whether a tuple has names."""
    return isinstance(value, tuple) and hasattr(value, "_fields")


def scatter(inputs: Any, target_gpus: Sequence[Any], dim: int = 0) -> Any:
    """Tensors cut into parts along `dim`, one for each device; all else goes to every
    device. Tuples, lists and dicts are gone through.

    >>> import plugrad
    >>> from plugrad.nn import parallel
    >>> parallel.scatter([plugrad.arange(3), "all"], ["cpu", "cpu"])
    [[tensor([0, 1]), 'all'], [tensor([2]), 'all']]
    """
    if isinstance(inputs, Tensor):
        parts = inputs.chunk(len(target_gpus), dim)
        return tuple(part.to(device_of(to)) for part, to in zip(parts, target_gpus))
    if isinstance(inputs, dict) and inputs:
        columns = [scatter(each, target_gpus, dim) for each in inputs.values()]
        return [type(inputs)(zip(inputs, row)) for row in zip(*columns)]
    if isinstance(inputs, (tuple, list)) and inputs:
        columns = [scatter(each, target_gpus, dim) for each in inputs]
        if is_named(inputs):
            return [type(inputs)(*row) for row in zip(*columns)]
        return [type(inputs)(row) for row in zip(*columns)]
    return [inputs for _ in target_gpus]


def scatter_kwargs(
    inputs: Any, kwargs: dict[str, Any] | None, target_gpus: Sequence[Any], dim: int = 0
) -> tuple[tuple[Any, ...], tuple[dict[str, Any], ...]]:
    """The arguments of a call for each device."""
    args = list(scatter(inputs, target_gpus, dim)) if inputs else []
    keywords = list(scatter(kwargs, target_gpus, dim)) if kwargs else []
    n = max(len(args), len(keywords))
    args += [()] * (n - len(args))
    keywords += [{} for _ in range(n - len(keywords))]
    return tuple(args), tuple(keywords)


def gather(outputs: Sequence[Any], target_device: Any, dim: int = 0) -> Any:
    """The outputs of several devices joined along `dim` on one.

    >>> import plugrad
    >>> from plugrad.nn import parallel
    >>> parallel.gather([{"y": plugrad.ones(2)}, {"y": plugrad.zeros(1)}], "cpu")
    {'y': tensor([1., 1., 0.])}
    """
    first = outputs[0]
    if isinstance(first, Tensor):
        to = device_of(target_device)
        if dim == 0 and all(not each.ndim for each in outputs):
            warnings.warn(
                "Was asked to gather along dimension 0, but all input tensors were "
                "scalars; will instead unsqueeze and return a vector.",
                stacklevel=2,
            )
            outputs = [each.unsqueeze(0) for each in outputs]
        return plugrad.cat([each.to(to) for each in outputs], dim)
    if first is None:
        return None
    if isinstance(first, dict):
        if any(len(each) != len(first) for each in outputs):
            raise ValueError("All dicts must have the same number of keys")
        return type(first)(
            (key, gather([each[key] for each in outputs], target_device, dim))
            for key in first
        )
    joined = (gather(each, target_device, dim) for each in zip(*outputs, strict=True))
    return type(first)(*joined) if is_named(first) else type(first)(joined)
