"""A backend for any library that follows the array API standard.

- `find` says which installed library a name means, without importing what is not an
  array library, and `ArrayAPIBackend` makes a backend of it.
- What the library can do is asked, not assumed: dtypes and devices of its own
  inspection functions, writing and sharing memory by one try each on a small array.
- Every op runs in its default body, which uses the standard's functions alone.
- Where the library lends its memory by DLPack, strides, addresses and views are
  answered from there; else arrays count as memory of their own.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from sys import modules
from types import ModuleType
from typing import Any

from plugrad import Backend, BackendError, get_backend, hookimpl

__all__ = ["ArrayAPIBackend", "find", "namespace_of", "plugrad_backend"]

# What libraries call their devices -> what they are called here.
DEVICE_TYPES = {
    "cpu": "cpu",
    "cpu_device": "cpu",
    "cuda": "cuda",
    "gpu": "cuda",
    "xpu": "xpu",
    "mps": "mps",
}
MARKS = ("__array_namespace_info__", "__array_api_version__")
REFUSALS = (AttributeError, BufferError, NotImplementedError, RuntimeError, TypeError)


class ArrayAPIBackend(Backend):
    """Arrays of a library that follows the array API standard.

    >>> from plugrad.backends.array_api import ArrayAPIBackend
    >>> k = ArrayAPIBackend("array_api_strict")
    >>> k.name, k.array_type.__name__, k.device_types, k.writable
    ('array_api_strict', 'Array', ('cpu',), True)

    A subclass that knows its library better overrides what is asked here.
    """

    leaves_out = {
        f"{each}[bool]": "the standard's matmul takes no booleans; cast with .float()"
        for each in ("linear", "matmul")
    }

    def __init__(self, name: str, namespace: Any = None) -> None:
        self.name = name
        self.namespace = namespace_of(name) if namespace is None else namespace
        self.array_type = type(self.namespace.asarray(0))
        self.device_types, self.places = self.find_devices()
        self.writable = self.try_writing()
        super().__init__()
        if self.writable:  # else core does what writes and views do
            self.views = self.try_sharing()

    # --- what the library says and shows --------------------------------------------

    def find_dtype(self, each: Any) -> Any:
        """The dtype that the library's arrays of that name turn out to have."""
        known = getattr(self.namespace, each.name, None)
        if known is None:
            return None
        try:
            return self.namespace.asarray(0, dtype=known).dtype
        except Exception:  # named, and not to be had here: whatever the library raises
            return None

    def find_devices(self) -> tuple[tuple[str, ...], dict[str, list[Any]]]:
        """The types of device, first that of new arrays, and the library's devices of
        each type in order; devices that have no name here are left out."""
        info = getattr(self.namespace, "__array_namespace_info__", None)
        if info is None:
            return ("cpu",), {}
        default, places = info().default_device(), {}
        for each in info().devices():
            if each is not None:
                places.setdefault(device_type(each), []).append(each)
        places.pop(None, None)
        first = device_type(default) or "cpu"
        kinds = (first, *(kind for kind in places if kind != first))
        return kinds, places

    def try_writing(self) -> bool:
        """Whether a small array takes an assignment."""
        try:
            array = self.namespace.zeros(2)
            array[...] = self.namespace.ones(2)
            return bool(array[0] == 1)
        except Exception:  # each library raises its own
            return False

    def try_sharing(self) -> bool:
        """Whether a part of a small array is on its memory, and that can be seen."""
        array = self.namespace.zeros(2)
        return self.aliases(array[1:], array)

    def find_kernel(self, name: str) -> Any:
        if name == "view_as_dtype" and self.writable and self.views:
            return self.read_as
        return super().find_kernel(name)

    def read_as(self, x: Any, dtype: Any) -> Any:
        """The memory of an array as elements of another dtype, through NumPy."""
        seen = self.seen(x)
        if seen is None or not self.places.keys() <= {"cpu"}:
            return self.ops["view_as_dtype"].body(self, x, dtype)
        view = get_backend("numpy").kernel("view_as_dtype")(seen, dtype)
        return self.namespace.from_dlpack(view)

    # --- arrays in and out ------------------------------------------------------------

    def from_data(self, data: Any, dtype: Any, copy: bool | None = None) -> Any:
        if hasattr(data, "dtype") and not isinstance(data, self.array_type):
            return self.from_other(data, dtype, copy)
        return self.namespace.asarray(data, dtype=dtype, copy=copy)

    def from_other(self, data: Any, dtype: Any, copy: bool | None) -> Any:
        """An array from another library's, by the way that this one has for them."""
        try:
            array = self.namespace.asarray(data, copy=copy)
        except (*REFUSALS, ValueError):
            array = self.namespace.from_dlpack(data)
            if copy:
                array = self.copy(array)
        if dtype is None or array.dtype == dtype:
            return array
        return self.namespace.astype(array, dtype)

    def from_array(self, value: Any) -> Any:
        return value if self.writable else self.copy(value)  # an object of our own

    def to_numpy(self, array: Any) -> Any:
        numpy = get_backend("numpy")
        if self.device_of(array)[0] != "cpu":
            array = self.to_device(array, "cpu", None)
        if hasattr(array, "__dlpack__"):
            try:
                return numpy.namespace.from_dlpack(array)
            except REFUSALS:  # a dtype that DLPack or NumPy has no word for
                pass
        return numpy.namespace.asarray(array)

    def device_of(self, array: Any) -> tuple[str, int | None]:
        if len(self.device_types) == 1:
            return (self.device_types[0], None)
        place = array.device
        kind = device_type(place) or self.device_types[0]
        index = self.places[kind].index(place) if kind in self.places else 0
        return (kind, None if kind == "cpu" else index)

    def to_device(self, array: Any, kind: str, index: int | None) -> Any:
        super().to_device(array, kind, index)
        found = self.places.get(kind, [])
        if self.device_of(array) == (kind, index) or not found:
            return array
        if (index or 0) >= len(found):
            raise BackendError(
                f"backend {self.name!r} has {len(found)} devices of type {kind!r}, "
                f"and no number {index}"
            )
        return array.to_device(found[index or 0])

    # --- memory -----------------------------------------------------------------------

    def seen(self, array: Any) -> Any:
        """NumPy's array on the same memory, or None."""
        try:
            return get_backend("numpy").namespace.from_dlpack(array)
        except REFUSALS:
            return None

    def aliases(self, view: Any, array: Any) -> bool:
        if not self.writable:
            return super().aliases(view, array)
        one, other = self.seen(view), self.seen(array)
        if one is None or other is None:
            return False
        return get_backend("numpy").namespace.may_share_memory(one, other)

    def strides(self, array: Any) -> tuple[int, ...]:
        found = self.seen(array) if self.writable and self.views else None
        if found is None:
            return super().strides(array)
        return get_backend("numpy").strides(found)

    def address(self, array: Any) -> int:
        found = self.seen(array) if self.writable and self.views else None
        if found is None:
            return super().address(array)
        return get_backend("numpy").address(found)


def device_type(place: Any) -> str | None:
    """What a library's device is called here, or None if it has no name here."""
    text = str(getattr(place, "type", place)).lower()
    if "device('" in text:  # array-api-strict shows its devices so
        text = text.partition("device('")[2].partition("'")[0]
    return DEVICE_TYPES.get(text.partition(":")[0])


# --- Finding the library -------------------------------------------------------------


def find(name: str) -> str | None:
    """The module that holds the array namespace of the library called `name`, or None
    if there is no such library, or it is not one of arrays.

    >>> from plugrad.backends.array_api import find
    >>> find("array_api_strict"), find("json"), find("nonesuch")
    ('array_api_strict', None, None)
    """
    if not name.isidentifier() or not installed(name):
        return None
    wrapped = f"array_api_compat.{name}"
    if installed(wrapped) and name not in ("common", "tests", "vendor_tests"):
        return wrapped
    return name if follows_standard(name) else None


def installed(module: str) -> bool:
    """Whether a module can be imported; nothing but its parent package is."""
    if module in modules:
        return modules[module] is not None
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def follows_standard(name: str) -> bool:
    """Whether a module has the standard's inspection function. One that is not
    imported yet is read as text first, so that nothing foreign runs for its name."""
    module = modules.get(name)
    if module is None:
        spec = find_spec(name)
        source = spec.loader.get_source(name) if readable(spec) else None
        if source is None or not any(mark in source for mark in MARKS):
            return False
        module = import_module(name)
    return any(hasattr(module, mark) for mark in MARKS)


def readable(spec: Any) -> bool:
    """Whether the text of a module can be read without running it."""
    return spec is not None and hasattr(spec.loader, "get_source")


def namespace_of(name: str) -> ModuleType:
    """The array namespace of a library, or a BackendError that says why there is none.

    >>> from plugrad.backends.array_api import namespace_of
    >>> namespace_of("array_api_strict").__name__
    'array_api_strict'
    """
    found = find(name)
    if found is None:
        raise BackendError(
            f"{name!r} is not the name of an installed library that follows the array "
            "API standard (its module has no __array_namespace_info__)"
        )
    return import_module(found)


@hookimpl(trylast=True)  # a plugin of that name comes first
def plugrad_backend(name: str) -> ArrayAPIBackend | None:
    """The backend, for plugrad's plugin manager: of any array library by its name."""
    return ArrayAPIBackend(name) if find(name) else None
