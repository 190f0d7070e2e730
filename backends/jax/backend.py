"""What JAX has to say to be a backend.

- Its arrays cannot be written: core gives tensors new ones. A copy is therefore another
  array object on the same buffer.
- Everything computes with 64-bit dtypes, whatever the process is set to (`wide.py`).
- Inside `plugrad.compile` arrays are tracers, which go wherever arrays do; what needs
  their values raises JAX's error, which says so.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from plugrad import Backend, UnsupportedOpError, hookimpl

from . import kernels, random
from .wide import Wide, wide, widened

__all__ = ["JaxBackend", "plugrad_backend"]

Tracer = jax.core.Tracer
OURS = {"gpu": "cuda"}  # JAX's name of a platform -> the type of device
JAXS = {ours: name for name, ours in OURS.items()}


class JaxBackend(Backend):
    """Arrays of JAX, on any of its devices."""

    name = "jax"
    array_type = type(jnp.zeros(()))
    namespace = Wide(jnp)
    kernels = kernels
    writable = False
    around = staticmethod(wide)
    leaves_out = kernels.LEAVES_OUT
    pow = staticmethod(widened(kernels.power))
    swapaxes = staticmethod(widened(kernels.transpose))  # JAX's refuses 0-d arrays

    @property
    def device_types(self) -> tuple[str, ...]:  # type: ignore[override]
        """The types of JAX's devices in this process, its default one first."""
        platforms = [jax.default_backend(), "cpu"]
        found = tuple(dict.fromkeys(OURS.get(each, each) for each in platforms))
        self.__dict__["device_types"] = found
        return found

    def find_dtype(self, each: Any) -> Any:
        return np.dtype(getattr(jnp, "bool_" if each.name == "bool" else each.name))

    def find_kernel(self, name: str) -> Any:
        if name in random.DRAWS and jax.default_backend() == "cpu":
            return widened(random.drawn_by_numpy(name))
        found = super().find_kernel(name)
        if name == "random_words":
            found = random.random_words
        return None if found is None else told(name, found)

    def holds(self, condition: Any) -> bool:
        return isinstance(condition, Tracer) or bool(condition.all())

    # --- arrays in and out ----------------------------------------------------------

    def wrap(self, value: Any) -> Any:
        if isinstance(value, jax.Array):
            return value
        with wide():
            return jnp.asarray(value)

    def from_data(self, data: Any, dtype: Any, copy: bool | None = None) -> Any:
        with wide():
            if isinstance(data, jax.Array):
                return jnp.array(data, dtype=dtype, copy=bool(copy))
            # By NumPy, which takes nested lists 50 times as fast; always a copy, for
            # JAX shares the memory of an array, which others may write. Its own copy is
            # a program, which it compiles for each new shape: 30 ms.
            return jax.device_put(np.array(data, dtype=dtype))

    def accepts(self, value: Any) -> bool:
        return isinstance(value, jax.Array)

    def from_array(self, value: Any) -> Any:
        return self.copy(value)  # an object of our own: see `plugrad.memories`

    def from_buffer(self, data: memoryview, dtype: Any) -> Any:
        return self.from_data(np.frombuffer(data, dtype), dtype)

    def from_dlpack(self, value: Any) -> Any:
        """An array on the memory of another library's, which must not be written."""
        with wide():
            return jnp.from_dlpack(value)

    def to_numpy(self, array: Any) -> Any:
        if isinstance(array, Tracer):
            raise needs_values("numpy")
        return np.asarray(array)

    def item(self, array: Any) -> Any:
        if isinstance(array, Tracer):
            raise needs_values("item")
        return array.item()

    def scalar(self, value: Any, native: Any) -> Any:
        if isinstance(value, Tracer):
            return value
        with jax.ensure_compile_time_eval():  # kept: a tracer would outlive its trace
            return super().scalar(value, native)

    # --- programs -------------------------------------------------------------------

    def compile(self, function: Any) -> Any:
        return widened(jax.jit(function))

    def is_traced(self, array: Any) -> bool:
        return isinstance(array, Tracer)

    # --- devices --------------------------------------------------------------------

    def device_of(self, array: Any) -> tuple[str, int | None]:
        if isinstance(array, Tracer):
            return self.device_types[0], None
        device = next(iter(array.devices()))
        if device.platform == "cpu":
            return "cpu", device.id or None
        return OURS.get(device.platform, device.platform), device.id

    def to_device(self, array: Any, kind: str, index: int | None) -> Any:
        if kind not in self.device_types:
            return super().to_device(array, kind, index)
        now, where = self.device_of(array)
        if isinstance(array, Tracer):
            if kind == now:
                return array
            raise UnsupportedOpError(
                f"to: inside plugrad.compile, backend 'jax' stays on {now!r}; move "
                f"tensors to {kind!r} before the call, or after it"
            )
        if now == kind and index in (None, where, where or 0):
            return array
        devices = jax.devices(JAXS.get(kind, kind))
        if (index or 0) >= len(devices):
            raise RuntimeError(
                f"there is no device {kind}:{index}; JAX has {len(devices)} of its type"
            )
        return jax.device_put(array, devices[index or 0])

    # --- memory ---------------------------------------------------------------------

    def copy(self, array: Any) -> Any:
        if isinstance(array, Tracer):
            return jax.lax.optimization_barrier(array)
        if array.is_fully_addressable and len(array.devices()) == 1:
            return array.addressable_data(0)  # another object: 0.2 us, and no memory
        return jnp.array(array, copy=True)

    def owns(self, array: Any) -> bool:
        return True


def told(name: str, kernel: Any) -> Any:
    """A kernel, widened; it says so if it needs values that a tracer does not have."""

    def call(*args: Any) -> Any:
        with wide():
            try:
                return kernel(*args)
            except jax.errors.ConcretizationTypeError as error:
                raise needs_values(name) from error

    return call


def needs_values(name: str) -> UnsupportedOpError:
    """The error of asking a tracer for its values."""
    return UnsupportedOpError(
        f"{name}: the result depends on the values of its arguments, which a function "
        "that is being compiled does not have; call it outside of the function"
    )


@hookimpl
def plugrad_backend(name: str) -> JaxBackend | None:
    """The backend, for plugrad's plugin manager."""
    return JaxBackend() if name == "jax" else None
