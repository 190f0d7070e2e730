"""Devices: what a tensor's memory belongs to, and where new tensors are made.

- A `device` is a type and perhaps an index; there is one object for each pair.
- New tensors are made where `device=` says, else on this thread's `with device(...):`,
  else on the default device, else wherever the default backend makes them.
- `place` turns that into the backend to use and the device to move to, if any.
"""

from __future__ import annotations

from _thread import _local

from .errors import BackendError
from .selection import _loaded, default_backend, get_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .interface import Backend

__all__ = ["device", "get_default_device", "set_default_device"]

# The types that PyTorch knows; a backend may bring others.
TYPES = {
    "cpu",
    "cuda",
    "hpu",
    "ipu",
    "lazy",
    "maia",
    "meta",
    "mps",
    "mtia",
    "xla",
    "xpu",
}
BACKENDS = {"cpu": "numpy", "cuda": "cupy"}  # where the default backend has no such


class device:
    """A device: its type and, where there are several of a type, its index.

    As a context manager it is the device of the tensors made inside.

    >>> import plugrad
    >>> plugrad.device("cuda:1")
    device(type='cuda', index=1)
    >>> plugrad.device("cpu") == plugrad.zeros(2).device
    True
    """

    __slots__ = ("type", "index")
    type: str
    index: int | None

    def __new__(cls, *args: Any, **kwargs: Any) -> device:
        given = dict(zip(("type", "index"), args))
        if "device" in kwargs:  # PyTorch's name of the only argument
            kwargs["type"] = kwargs.pop("device")
        if len(args) > 2 or given.keys() & kwargs.keys():
            raise TypeError("device() takes a type and an index")
        given |= kwargs
        if not given or given.keys() - {"type", "index"}:
            raise TypeError(
                "device() takes a type and an index, not "
                f"{', '.join(given) or 'nothing'}"
            )
        return as_device(given.get("type"), given.get("index"))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{self!r} is constant: cannot set {name!r}")

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __reduce__(self) -> Any:
        return device, (str(self),)

    def __enter__(self) -> device:
        local.stack = (*local.stack, self)
        CHANGED.append(None)
        return self

    def __exit__(self, *exc_info: object) -> None:
        local.stack = local.stack[:-1]
        CHANGED.pop()


DEVICES: dict[Any, device] = {}  # by (type, index), and by how they were written


def as_device(value: Any, index: int | None = None) -> device:
    """The device that `value` means: a device, a string, a type and an index."""
    if value.__class__ is device and index is None:
        return value
    key = value if index is None else (value, index)
    try:
        return DEVICES[key]
    except (KeyError, TypeError):
        pass
    if isinstance(value, int) and not isinstance(value, bool) and index is None:
        kind, index = "cuda", value  # as PyTorch counts accelerators
    elif isinstance(value, str):
        kind, index = _parse(value, index)
    else:
        raise TypeError(
            f"argument 'device' must be plugrad.device or str, not "
            f"{type(value).__name__}"
        )
    if index is not None and index < 0:
        raise RuntimeError(f"Device index must not be negative, but got {index}")
    found = DEVICES[key] = device_of((kind, index))
    return found


def device_of(pair: tuple[str, int | None]) -> device:
    """The one device of that type and index."""
    found = DEVICES.get(pair)
    if found is None:
        made = object.__new__(device)
        object.__setattr__(made, "type", pair[0])
        object.__setattr__(made, "index", pair[1])
        found = DEVICES.setdefault(pair, made)
    return found


def _parse(text: str, index: int | None) -> tuple[str, int | None]:
    kind, colon, number = text.partition(":")
    known = TYPES.union(*(k.device_types for k in _loaded.values()))
    if kind not in known:
        raise RuntimeError(
            f"Expected one of {', '.join(sorted(known))} device type at start of "
            f"device string: {text}"
        )
    if not colon:
        return kind, index
    if not number.isdecimal() or (number != "0" and number.startswith("0")):
        raise RuntimeError(f"Invalid device string: {text!r}")
    if index is not None:
        raise RuntimeError(
            "type (string) must not include an index because index was passed "
            f"explicitly: {text}"
        )
    return kind, int(number)


# --- The default device -------------------------------------------------------------


class _Local(_local):
    stack: tuple[device, ...] = ()


local = _Local()
DEFAULT: list[device | None] = [None]
CHANGED: list[None] = []  # empty while nobody asked for anything but the default


def set_default_device(device: Any) -> None:
    """Make tensors on `device` where none is given; None takes that back.

    >>> import plugrad
    >>> plugrad.set_default_device("cpu")
    >>> plugrad.get_default_device()
    device(type='cpu')
    >>> plugrad.set_default_device(None)
    """
    before = DEFAULT[0]
    after = DEFAULT[0] = None if device is None else as_device(device)
    if before is None and after is not None:
        CHANGED.append(None)
    elif before is not None and after is None:
        CHANGED.pop()


def get_default_device() -> device:
    """The device of new tensors.

    >>> import plugrad
    >>> plugrad.get_default_device()
    device(type='cpu')
    """
    found = local.stack[-1] if local.stack else DEFAULT[0]
    return found or device_of((default_backend().device_types[0], None))


def place(
    device: Any = None, k: Backend | None = None
) -> tuple[Backend, device | None]:
    """The backend for a tensor on `device`, `k` if that serves it, and the device to
    move the array to, or None if it is made there."""
    if device is None:
        if k is not None:
            return k, None
        if not CHANGED:
            return default_backend(), None
        device = local.stack[-1] if local.stack else DEFAULT[0]
        if device is None:
            return default_backend(), None
    found = as_device(device)
    k = serving(k or default_backend(), found)
    if found.type == "cpu" and k.device_types == ("cpu",):
        return k, None
    return k, found


def serving(k: Backend, where: device | None) -> Backend:
    """The backend to take for a device, starting from `k`."""
    if where is None or where.type in k.device_types:
        return k
    usual = BACKENDS.get(where.type)
    if usual is None:
        raise BackendError(
            f"no backend serves the device {str(where)!r}; {k.name!r} serves "
            f"{', '.join(k.device_types)}"
        )
    try:
        return get_backend(usual)
    except BackendError as error:
        raise BackendError(
            f"the device {str(where)!r} needs the backend {usual!r}, which cannot be "
            f"used here: {error}"
        ) from error
