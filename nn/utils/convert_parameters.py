"""All parameters as one vector, and back; modules that nobody initialised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import plugrad
from plugrad import Module, Tensor

__all__ = ["parameters_to_vector", "skip_init", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters in one vector.

    >>> import plugrad
    >>> from plugrad.nn.utils import parameters_to_vector
    >>> parameters_to_vector([plugrad.zeros(1, 2), plugrad.ones(1)])
    tensor([0., 0., 1.])
    """
    given = list(parameters)
    check_devices(given)
    return plugrad.cat([p.reshape(-1) for p in given])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give parameters the elements of a vector, as `parameters_to_vector` made it, for
    data.

    >>> import plugrad
    >>> from plugrad.nn.utils import vector_to_parameters
    >>> layer = plugrad.nn.Linear(2, 1)
    >>> vector_to_parameters(plugrad.tensor([1.0, 2.0, 3.0]), layer.parameters())
    >>> layer(plugrad.ones(2)).item()
    6.0
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected plugrad.Tensor, but got: {type(vec).__name__}")
    given = list(parameters)
    check_devices(given)
    start = 0
    for p in given:
        part = vec[start : start + p.numel()]
        p.data = part.reshape(p.shape).data
        start += p.numel()


def check_devices(tensors: list[Tensor]) -> None:
    """Raise unless all are on one device."""
    found = {str(each.device) for each in tensors}
    if len(found) > 1:
        raise TypeError(
            "Found two parameters on different devices, this is currently not "
            f"supported: {', '.join(sorted(found))}"
        )


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """A module whose parameters hold anything, for those who load them afterwards. No
    random number of the global generator is used up.

    >>> import plugrad
    >>> from plugrad.nn.utils import skip_init
    >>> skip_init(plugrad.nn.Linear, 5, 1)
    Linear(in_features=5, out_features=1, bias=True)
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    from inspect import signature  # 10 ms to import

    if "device" not in signature(module_cls).parameters:
        raise RuntimeError(
            "Module must support a 'device' arg to skip initialization, and "
            f"{module_cls.__name__} does not"
        )
    with plugrad.fork_rng():
        return module_cls(*args, **kwargs)
