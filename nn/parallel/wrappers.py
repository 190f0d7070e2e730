"""Modules that divide a batch among several devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plugrad
from plugrad import Module

from .devices import all_devices, device_of
from .replicas import parallel_apply, replicate
from .scattering import gather, scatter_kwargs

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]


def read_devices(device_ids: Sequence[Any] | None) -> list[Any]:
    """The devices asked for. On a machine without a GPU there are none, unless they
    are named otherwise than by a GPU's index."""
    found = all_devices()
    if device_ids is None:
        return found
    devices = list(device_ids)
    if not found and all(device_of(each).type == "cuda" for each in devices):
        return []
    return devices


def check_home(module: Module, device: Any) -> None:
    """Raise unless all of a module is on the first of its devices."""
    home = device_of(device)
    for t in (*module.parameters(), *module.buffers()):
        if t.device != home:
            raise RuntimeError(
                "module must have its parameters and buffers on device "
                f"{home} (device_ids[0]) but found one of them on device: {t.device}"
            )


class DataParallel(Module):
    """Calls copies of a module with parts of the batch, each on a device of its own in
    a thread of its own, and joins what comes of it. Gradients go to the module.

    Without a GPU it calls the module as it is. `device_ids` may also name the CPU, each
    time for a thread.

    >>> import plugrad
    >>> from plugrad import nn
    >>> net = nn.DataParallel(nn.Linear(2, 1), device_ids=["cpu", "cpu"])
    >>> net(plugrad.ones(4, 2)).shape
    plugrad.Size([4, 1])
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[Any] | None = None,
        output_device: Any = None,
        dim: int = 0,
    ) -> None:
        super().__init__()
        self.module = module
        self.dim = dim
        self.device_ids = read_devices(device_ids)
        if not self.device_ids:
            return
        first = self.device_ids[0]
        self.output_device = first if output_device is None else output_device
        self.src_device_obj = device_of(first)
        if len(self.device_ids) == 1:
            self.module.to(self.src_device_obj)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        if not self.device_ids:
            return self.module(*inputs, **kwargs)
        check_home(self.module, self.device_ids[0])
        args, keywords = self.scatter(inputs, kwargs, self.device_ids)
        if not args:
            args, keywords = ((),), ({},)
        if len(self.device_ids) == 1:
            return self.module(*args[0], **keywords[0])
        replicas = self.replicate(self.module, self.device_ids[: len(args)])
        outputs = self.parallel_apply(replicas, args, keywords)
        return self.gather(outputs, self.output_device)

    # the steps, which subclasses may replace

    def replicate(self, module: Module, device_ids: Sequence[Any]) -> list[Any]:
        """Copies of the module."""
        return replicate(module, device_ids, not plugrad.is_grad_enabled())

    def scatter(
        self, inputs: Any, kwargs: dict[str, Any], device_ids: Sequence[Any]
    ) -> Any:
        """The arguments for each device."""
        return scatter_kwargs(inputs, kwargs, device_ids, self.dim)

    def parallel_apply(
        self, replicas: Sequence[Any], inputs: Sequence[Any], kwargs: Any
    ) -> list[Any]:
        """The output of each copy."""
        devices = self.device_ids[: len(replicas)]
        return parallel_apply(replicas, inputs, kwargs, devices)

    def gather(self, outputs: Sequence[Any], output_device: Any) -> Any:
        """The outputs joined."""
        return gather(outputs, output_device, self.dim)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Sequence[Any] | None = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """One call of a module, divided as by `DataParallel`.

    >>> import plugrad
    >>> from plugrad.nn import Linear, parallel
    >>> x = plugrad.ones(4, 2)
    >>> parallel.data_parallel(Linear(2, 1), x, ["cpu", "cpu"]).shape
    plugrad.Size([4, 1])
    """
    devices = read_devices(device_ids)
    if not devices:
        raise RuntimeError(
            "device type could not be determined: there is no GPU; call the module, or "
            "name devices, as in device_ids=['cpu', 'cpu']"
        )
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    call = DataParallel(module, devices, output_device, dim)
    return call(*(given if inputs is not None else ()), **(module_kwargs or {}))


class DistributedDataParallel(Module):
    """PyTorch's module for training in several processes, which plugrad cannot do:
    making one raises, as PyTorch does where there is no process group.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.parallel.DistributedDataParallel(nn.Linear(2, 1))
    Traceback (most recent call last):
    ValueError: Default process group has not been initialized: plugrad has none. ...
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        raise ValueError(
            "Default process group has not been initialized: plugrad has none. Call "
            "the module itself, or divide batches among devices of one process with "
            "plugrad.nn.DataParallel"
        )
