"""Which backends there are, and which one new tensors are made in.

- A backend is loaded when its name is first asked for, and kept.
- New tensors are made in the backend of the innermost `with plugrad.backend(NAME):`,
  else in the one that `set_default_backend` chose, else in that of the environment
  variable PLUGRAD_BACKEND, else in "numpy".
"""

from __future__ import annotations

from _contextvars import ContextVar
from _thread import RLock

from .errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .interface import Backend

_loading = RLock()
_loaded: dict[str, Backend] = {}
_factories: dict[str, Callable[[], Backend]] = {}
_default: list[Backend | None] = [None]


def get_backend(name: str) -> Backend:
    """The backend of that name, loaded now if it was not.

    >>> import plugrad
    >>> plugrad.get_backend("numpy")
    <plugrad backend 'numpy'>
    """
    found = _loaded.get(name)
    if found is None:
        with _loading:  # threads that make their first tensors at the same time
            found = _loaded.get(name)
            if found is None:
                found = _loaded[name] = make_backend(name)
                try:
                    use_chosen_kernels(name)
                except Exception:  # the next who asks hears of it, too
                    del _loaded[name]
                    raise
    return found


def make_backend(name: str) -> Backend:
    """A new backend, from what was registered or else from a plugin."""
    factory = _factories.get(name)
    if factory is not None:
        return factory()
    from .plugging.discovery import find_backend

    return find_backend(name)


def use_chosen_kernels(name: str) -> None:
    """Use the kernels that PLUGRAD_KERNELS names for a backend."""
    from os import environ

    chosen = environ.get("PLUGRAD_KERNELS", "")
    for each in filter(None, map(str.strip, chosen.split(","))):
        backend, _, kernels = each.partition(":")
        try:
            if not (backend and kernels):
                raise BackendError(f"expected BACKEND:KERNELS, not {each!r}")
            if backend == name:
                from .overrides import use_kernels

                use_kernels(name, kernels)
        except BackendError as error:
            raise BackendError(f"PLUGRAD_KERNELS={chosen}: {error}") from error


def register_backend(name: str, factory: Callable[[], Backend]) -> None:
    """Make a backend known under `name` in this process, without a plugin; `factory`
    is called when the backend is first asked for.

    >>> import numpy, plugrad
    >>> class Plain(plugrad.Backend):
    ...     "NumPy's arrays with no kernels but the default ones."
    ...     name = "plain"
    ...     array_type = numpy.ndarray
    ...     namespace = numpy
    >>> plugrad.register_backend("plain", Plain)
    >>> plugrad.get_backend("plain")
    <plugrad backend 'plain'>
    """
    from .plugging.installed import reserved

    why = reserved(name)
    if why is not None:  # or whoever comes first would replace the NumPy backend
        raise BackendError(f"{why}; register the backend under another name")
    if name in _loaded or name in _factories:
        raise BackendError(
            f"there is a backend {name!r} already; register yours under another name"
        )
    _factories[name] = factory


def default_backend() -> Backend:
    """The backend of new tensors.

    >>> import plugrad
    >>> plugrad.default_backend()
    <plugrad backend 'numpy'>
    """
    if INSIDE:
        chosen = _chosen.get()
        if chosen:
            return chosen[-1]
    found = _default[0]
    if found is None:
        from os import environ

        name = environ.get("PLUGRAD_BACKEND", "numpy")
        try:
            found = get_backend(name)
        except BackendError as error:
            if "PLUGRAD_BACKEND" not in environ:
                raise
            raise BackendError(f"PLUGRAD_BACKEND={name}: {error}") from error
        _default[0] = found
    return found


def set_default_backend(name: str) -> None:
    """Choose the backend of new tensors for this process.

    >>> import plugrad
    >>> plugrad.set_default_backend("numpy")
    >>> plugrad.default_backend()
    <plugrad backend 'numpy'>
    """
    _default[0] = get_backend(name)


class backend:
    """Make new tensors in a backend, inside `with plugrad.backend(NAME):`.

    The choice holds in this thread and in the asyncio tasks that it starts.

    >>> import plugrad
    >>> with plugrad.backend("numpy") as k:
    ...     x = plugrad.zeros(2)
    >>> x.backend, k
    ('numpy', <plugrad backend 'numpy'>)
    """

    def __init__(self, name: str) -> None:
        self._backend = get_backend(name)
        self._before: list[Any] = []

    def __enter__(self) -> Backend:
        INSIDE.append(None)
        self._before.append(_chosen.set((*_chosen.get(), self._backend)))
        return self._backend

    def __exit__(self, *exc_info: object) -> None:
        _chosen.reset(self._before.pop())
        INSIDE.pop()

    def __repr__(self) -> str:
        return f"plugrad.backend({self._backend.name!r})"


INSIDE: list[None] = []  # empty while no thread is inside `with backend(...)`
_chosen: ContextVar[tuple[Backend, ...]] = ContextVar("plugrad.backend", default=())


def owner(k: Backend, array: Any) -> Backend:
    """The backend of an array that a rule of `k` made: `k` itself, or the one of its
    sparse tensors or among its partners that keeps such arrays."""
    kind = type(array)
    if kind is not k.array_type:
        for name in (k.sparse, *k.partners):
            other = _loaded.get(name)  # type: ignore[arg-type]
            if other is not None and kind is other.array_type:
                return other
    return k


def backend_of(value: Any) -> Backend | None:
    """The loaded backend whose array `value` is, or None."""
    candidates: Iterable[Backend] = (default_backend(), *_loaded.values())
    return next((k for k in candidates if k.accepts(value)), None)
