"""What a thread is doing: recording a graph or not, and how carefully.

- Recording is on unless a thread switched it off (`no_grad`, `inference_mode`).
- The rarely used modes (anomaly detection, checking saved arrays) live here too, so
  that an operator call asks one question for all of them.

`OFF` is empty while no thread has left the default; an operator then pays one truth
test and never reads the thread-local `local.mode` (30 ns).
"""

from __future__ import annotations

from _thread import _local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])


class Mode:
    """The settings of one thread; the default is represented by None instead."""

    __slots__ = ("grad", "enabled", "inference", "anomaly", "check_nan", "check_saved")

    def __init__(
        self,
        grad: bool = True,
        inference: bool = False,
        anomaly: bool = False,
        check_nan: bool = True,
        check_saved: bool = False,
    ) -> None:
        self.grad = grad and not inference  # whether calls are recorded
        self.enabled = grad  # whether they would be, outside inference mode
        self.inference = inference
        self.anomaly = anomaly
        self.check_nan = check_nan
        self.check_saved = check_saved

    def but(self, **changes: bool) -> Mode | None:
        """This mode with some settings changed, as None where that is the default."""
        settings = {
            "grad": self.enabled,
            "inference": self.inference,
            "anomaly": self.anomaly,
            "check_nan": self.check_nan,
            "check_saved": self.check_saved,
        } | changes
        quiet = settings["grad"] and not settings["inference"]
        if quiet and not settings["anomaly"] and not settings["check_saved"]:
            return None
        return Mode(**settings)


OFF: list[None] = []


class _Away:
    """An entry of OFF, for as long as a thread has left the default, or lives."""

    __slots__ = ()

    def __init__(self) -> None:
        OFF.append(None)

    def __del__(self, off: list[None] = OFF) -> None:  # globals may be gone by then
        off.pop()


class _Local(_local):
    mode: Mode | None = None
    away: _Away | None = None


local = _Local()
DEFAULT = Mode()
NO_GRAD = Mode(grad=False)


def current() -> Mode:
    """This thread's mode."""
    return local.mode or DEFAULT


def install(mode: Mode | None) -> Mode | None:
    """Make `mode` this thread's mode and return the one it replaces."""
    before = local.mode
    if before is None and mode is not None:
        local.away = _Away()
    elif before is not None and mode is None:
        local.away = None
    local.mode = mode
    return before


def recording(grad: bool) -> Mode | None:
    """This thread's mode with recording on or off, for `install`."""
    mode = local.mode
    if mode is None:
        return None if grad else NO_GRAD
    return mode.but(grad=grad)


class Setting:
    """A change of mode, as a context manager, and as a decorator."""

    _changes: dict[str, bool]

    def __init__(self, **changes: bool) -> None:
        self._changes = changes
        self._before: list[Mode | None] = []

    def __enter__(self) -> None:
        self._before.append(install(current().but(**self._changes)))

    def __exit__(self, *exc_info: object) -> None:
        install(self._before.pop())

    def __call__(self, function: F) -> F:
        from functools import wraps

        changes = self._changes

        code = getattr(function, "__code__", None)
        if code is not None and code.co_flags & 0x20:
            # a generator: between its steps the caller's own mode holds

            @wraps(function)
            def steps(*args: Any, **kwargs: Any) -> Any:
                generator = function(*args, **kwargs)
                value: Any = None
                throw: BaseException | None = None
                while True:
                    try:
                        with Setting(**changes):
                            if throw is not None:
                                item = generator.throw(throw)
                            else:
                                item = generator.send(value)
                    except StopIteration as stop:
                        return stop.value
                    throw = None
                    try:
                        value = yield item
                    except GeneratorExit:
                        with Setting(**changes):
                            generator.close()
                        raise
                    except BaseException as error:
                        throw = error

            return steps  # type: ignore[return-value]

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with Setting(**changes):
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]


class no_grad(Setting):
    """Compute without recording a graph; a context manager and a decorator.

    >>> import plugrad
    >>> x = plugrad.ones(2, requires_grad=True)
    >>> with plugrad.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __new__(cls, function: Any = None) -> Any:
        self = object.__new__(cls)
        if function is None:
            return self
        self.__init__()
        return self(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(grad=False)

    def __enter__(self) -> None:
        self._before.append(install(recording(False)))


class enable_grad(Setting):
    """Record a graph again inside `no_grad`; a context manager and a decorator.

    >>> import plugrad
    >>> x = plugrad.ones(2, requires_grad=True)
    >>> with plugrad.no_grad(), plugrad.enable_grad():
    ...     (x * 2).requires_grad
    True
    """

    def __new__(cls, function: Any = None) -> Any:
        self = object.__new__(cls)
        if function is None:
            return self
        self.__init__()
        return self(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(grad=True)


class SettingAtOnce(Setting):
    """A change of mode that its constructor makes, and the end of a `with` undoes."""

    def __init__(self, **changes: bool) -> None:
        super().__init__(**changes)
        self._before.append(install(current().but(**changes)))
        self._entered = True

    def __enter__(self) -> None:
        if self._entered:  # the change was made by the constructor
            self._entered = False
        else:
            super().__enter__()

    def __call__(self, function: F) -> F:
        install(self._before.pop())  # a decorator changes nothing outside its calls
        return super().__call__(function)


class set_grad_enabled(SettingAtOnce):
    """Turn recording on or off, at once, and back again at the end of a `with`.

    >>> import plugrad
    >>> with plugrad.set_grad_enabled(False):
    ...     plugrad.is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        if mode.__class__ is not bool:
            raise TypeError(
                "set_grad_enabled(): argument 'mode' must be bool, not "
                f"{type(mode).__name__}"
            )
        super().__init__(grad=mode)


class inference_mode(Setting):
    """`no_grad` for code that will never need gradients of what it computes.

    >>> import plugrad
    >>> x = plugrad.ones(2, requires_grad=True)
    >>> with plugrad.inference_mode():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __new__(cls, mode: Any = True) -> Any:
        self = object.__new__(cls)
        if isinstance(mode, bool):
            return self
        self.__init__(True)
        return self(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(grad=not mode, inference=mode)


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded for gradients.

    >>> import plugrad
    >>> with plugrad.no_grad():
    ...     plugrad.is_grad_enabled()
    False
    """
    return current().enabled


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`.

    >>> import plugrad
    >>> with plugrad.inference_mode():
    ...     plugrad.is_inference_mode_enabled()
    True
    """
    return current().inference
