"""What plugrad has to be told about these arrays to compute with them."""

import plugrad

from . import kernels
from .arrays import Array, functions


class ArrayBackend(plugrad.Backend):
    """Arrays of `plugrad_mybackend.arrays`, on the CPU."""

    name = "mybackend"
    array_type = Array
    namespace = functions
    kernels = kernels
    writable = True  # array[...] = values works
    views = False  # no two arrays share memory
    leaves_out = {"view_as_dtype": "no array can be read as one of another dtype"}


@plugrad.hookimpl
def plugrad_backend(name: str) -> plugrad.Backend | None:
    """Called once, when the backend is first asked for."""
    return ArrayBackend() if name == "mybackend" else None
