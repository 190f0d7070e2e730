"""Copies of a module on several devices, and their calls side by side."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import copy_context
from threading import Thread
from typing import Any

import plugrad
from plugrad import Module, Tensor

from .devices import device_of, working_on

__all__ = ["parallel_apply", "replicate"]


def replicate(
    network: Module, devices: Sequence[Any], detach: bool = False
) -> list[Any]:
    """Copies of a module, one for each device. Their parameters are copies, too, whose
    gradients go to those of the module, unless `detach`.

    >>> import plugrad
    >>> from plugrad.nn import parallel
    >>> layer = plugrad.nn.Linear(2, 1)
    >>> first, second = parallel.replicate(layer, ["cpu", "cpu"])
    >>> second(plugrad.ones(3, 2)).sum().backward()
    >>> layer.bias.grad
    tensor([3.])
    """
    return [
        replica(network, device_of(each), i == 0, detach)
        for i, each in enumerate(devices)
    ]


def replica(network: Module, device: Any, first: bool, detach: bool) -> Any:
    """One copy. The first shares the buffers that are on its device already, so that
    the module sees what is written into them; others do not get in its way."""
    tensors: dict[int, Tensor] = {}

    def moved(t: Tensor) -> Tensor:
        if id(t) not in tensors:
            found = t.detach().to(device) if detach else t.to(device)
            # a parameter stays the module's own: the copy has another tensor
            tensors[id(t)] = found.view(t.shape) if found is t else found
        return tensors[id(t)]

    def buffer(t: Tensor) -> Tensor:
        if id(t) not in tensors:
            found = t.to(device)
            tensors[id(t)] = found if first or found is not t else t.clone()
        return tensors[id(t)]

    copies = {
        id(each): each._replicate_for_data_parallel() for each in network.modules()
    }
    at = {}
    for path, each in network.named_modules(remove_duplicate=False):
        copy = at[path] = copies[id(each)]
        if path:  # parents come before their children
            parent, _, name = path.rpartition(".")
            setattr(at[parent], name, copy)
        for name, p in each.named_parameters(recurse=False, remove_duplicate=False):
            setattr(copy, name, moved(p))
        for name, b in each.named_buffers(recurse=False, remove_duplicate=False):
            setattr(copy, name, buffer(b))
    return copies[id(network)]


def parallel_apply(
    modules: Sequence[Module],
    inputs: Sequence[Any],
    kwargs_tup: Sequence[dict[str, Any]] | None = None,
    devices: Sequence[Any] | None = None,
) -> list[Any]:
    """The outputs of modules, each called with its inputs in a thread of its own, on
    its device.

    >>> import plugrad
    >>> from plugrad.nn import Flatten, parallel
    >>> inputs = plugrad.zeros(1, 2), plugrad.ones(1)
    >>> parallel.parallel_apply([Flatten(0)] * 2, inputs)
    [tensor([0., 0.]), tensor([1.])]
    """
    n = len(modules)
    keywords = [{}] * n if kwargs_tup is None else list(kwargs_tup)
    places = [None] * n if devices is None else list(devices)
    for what, given in (("inputs", inputs), ("kwargs", keywords), ("devices", places)):
        if len(given) != n:
            raise AssertionError(
                f"The number of modules {n} is not equal to the number of {what} "
                f"{len(given)}"
            )
    results: list[Any] = [None] * n
    errors: list[Exception | None] = [None] * n
    recording = plugrad.is_grad_enabled()

    def work(i: int) -> None:
        try:
            args = inputs[i] if isinstance(inputs[i], (list, tuple)) else (inputs[i],)
            with plugrad.set_grad_enabled(recording), working_on(places[i]):
                results[i] = modules[i](*args, **keywords[i])
        except Exception as error:
            error.add_note(f"in replica {i} on device {places[i]}")
            errors[i] = error

    if n == 1:
        work(0)
    else:
        # each thread sees the backend that is chosen here
        threads = [Thread(target=copy_context().run, args=(work, i)) for i in range(n)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for error in errors:
        if error is not None:
            raise error
    return results
