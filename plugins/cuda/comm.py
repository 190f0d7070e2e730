"""Copies and sums of tensors across devices. Gradients travel back through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plugrad

from .devices import index_of
from .streams import Stream, StreamContext

__all__ = [
    "broadcast",
    "broadcast_coalesced",
    "gather",
    "reduce_add",
    "reduce_add_coalesced",
    "scatter",
]

Tensor = plugrad.Tensor


def where(device: Any) -> plugrad.device:
    """The device by its index; a destination of -1 is the CPU."""
    if device == -1 or (isinstance(device, str) and device.startswith("cpu")):
        return plugrad.device("cpu")
    if isinstance(device, plugrad.device) and device.type == "cpu":
        return device
    return plugrad.device("cuda", index_of(device))


def broadcast(
    tensor: Tensor, devices: Any = None, *, out: Sequence[Tensor] | None = None
) -> tuple[Tensor, ...]:
    """Copies of a tensor on devices, or in the tensors `out`.

    >>> from plugrad.cuda import comm
    >>> comm.broadcast(plugrad.ones(2), out=[plugrad.zeros(2)])
    (tensor([1., 1.]),)
    """
    if (devices is None) == (out is None):
        raise RuntimeError(
            f"Exactly one of 'devices' and 'out' must be specified, but got "
            f"devices={devices} and out={out}"
        )
    if out is not None:
        for to in out:
            to.copy_(tensor.to(to.device))
        return tuple(out)
    return tuple(tensor.to(where(each)) for each in devices)


def broadcast_coalesced(
    tensors: Sequence[Tensor], devices: Any, buffer_size: int = 10485760
) -> list[tuple[Tensor, ...]]:
    """Copies of several tensors, a tuple for each device.

    >>> from plugrad.cuda import comm
    >>> comm.broadcast_coalesced([plugrad.ones(1)], ["cpu"])
    [(tensor([1.]),)]
    """
    return [tuple(t.to(where(each)) for t in tensors) for each in devices]


def scatter(
    tensor: Tensor,
    devices: Any = None,
    chunk_sizes: Sequence[int] | None = None,
    dim: int = 0,
    streams: Sequence[Stream | None] | None = None,
    *,
    out: Sequence[Tensor] | None = None,
) -> tuple[Tensor, ...]:
    """The parts of a tensor, each on a device or in one of `out`.

    >>> from plugrad.cuda import comm
    >>> comm.scatter(plugrad.arange(4), ["cpu", "cpu"])
    (tensor([0, 1]), tensor([2, 3]))
    """
    if out is not None:
        if devices is not None or chunk_sizes is not None:
            raise RuntimeError(
                "'devices' and 'chunk_sizes' must not be specified when 'out' is"
            )
        parts = tensor.split([to.shape[dim] for to in out], dim)
        for to, part in zip(out, parts):
            to.copy_(part.to(to.device))
        return tuple(out)
    devices = [where(each) for each in devices]
    if chunk_sizes is None:
        parts = tensor.chunk(len(devices), dim)
    else:
        if len(chunk_sizes) != len(devices):
            raise ValueError(
                f"there are {len(devices)} devices and {len(chunk_sizes)} chunk sizes"
            )
        parts = tensor.split(list(chunk_sizes), dim)
    found = []
    for i, (part, each) in enumerate(zip(parts, devices)):
        with StreamContext(streams[i] if streams else None):
            found.append(part.to(each))
    return tuple(found)


def gather(
    tensors: Sequence[Tensor],
    dim: int = 0,
    destination: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Tensors of several devices joined on one: the current one, or -1 for the CPU.

    >>> from plugrad.cuda import comm
    >>> comm.gather([plugrad.ones(1), plugrad.zeros(1)], destination=-1)
    tensor([1., 0.])
    """
    if out is None:
        to = where(destination)
        return plugrad.cat([each.to(to) for each in tensors], dim)
    if destination is not None:
        raise RuntimeError("'destination' must not be specified when 'out' is")
    return out.copy_(plugrad.cat([each.to(out.device) for each in tensors], dim))


def reduce_add(inputs: Sequence[Tensor], destination: Any = None) -> Tensor:
    """The sum of tensors of several devices, on one of them.

    >>> from plugrad.cuda import comm
    >>> comm.reduce_add([plugrad.ones(2), plugrad.ones(2)], -1)
    tensor([2., 2.])
    """
    if len({tuple(each.shape) for each in inputs}) > 1:
        raise ValueError(
            f"inputs of different sizes: {[list(each.shape) for each in inputs]}"
        )
    to = where(destination)
    total = inputs[0].to(to)
    for each in inputs[1:]:
        total = total + each.to(to)
    return total


def reduce_add_coalesced(
    inputs: Sequence[Sequence[Tensor]],
    destination: Any = None,
    buffer_size: int = 10485760,
) -> tuple[Tensor, ...]:
    """The sums of the first tensors of each device, of the second ones, and so on.

    >>> from plugrad.cuda import comm
    >>> comm.reduce_add_coalesced([[plugrad.ones(1)], [plugrad.ones(1)]], -1)
    (tensor([2.]),)
    """
    return tuple(reduce_add(each, destination) for each in zip(*inputs))
