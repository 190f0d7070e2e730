"""Functions that run before and after what an optimizer does."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any

__all__ = [
    "Handle",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
]

Hooks = OrderedDict[int, Any]

# where an optimizer's own hooks stand
PLACES = (
    "step before",
    "step after",
    "state_dict before",
    "state_dict after",
    "load before",
    "load after",
)

BEFORE_ALL: Hooks = OrderedDict()
AFTER_ALL: Hooks = OrderedDict()


class Handle:
    """What registering a hook returns; `remove()` takes the hook away again.

    >>> import plugrad
    >>> optimizer = plugrad.optim.SGD([plugrad.ones(1, requires_grad=True)], lr=0.1)
    >>> handle = optimizer.register_step_post_hook(lambda *_: print("stepped"))
    >>> optimizer.step()
    stepped
    >>> handle.remove()
    >>> optimizer.step()
    """

    def __init__(self, hooks: Hooks, hook: Any, first: bool = False) -> None:
        self.hooks = hooks
        self.id = id(self)
        hooks[self.id] = hook
        if first:
            hooks.move_to_end(self.id, last=False)

    def remove(self) -> None:
        """Take the hook away; doing so twice is harmless."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.remove()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(optimizer, args, kwargs)` before each step of every optimizer.

    >>> import plugrad
    >>> from plugrad.optim.optimizer import register_optimizer_step_pre_hook
    >>> p = plugrad.nn.Parameter(plugrad.ones(1))
    >>> with register_optimizer_step_pre_hook(lambda o, *_: print(type(o).__name__)):
    ...     plugrad.optim.SGD([p], lr=0.1).step()
    SGD
    """
    return Handle(BEFORE_ALL, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(optimizer, args, kwargs)` after each step of every optimizer.

    >>> import plugrad
    >>> from plugrad.optim.optimizer import register_optimizer_step_post_hook
    >>> p = plugrad.nn.Parameter(plugrad.ones(1))
    >>> with register_optimizer_step_post_hook(lambda o, *_: print(type(o).__name__)):
    ...     plugrad.optim.SGD([p], lr=0.1).step()
    SGD
    """
    return Handle(AFTER_ALL, hook)


def new_hooks() -> dict[str, Hooks]:
    """Places for an optimizer's hooks."""
    return {place: OrderedDict() for place in PLACES}


def around_step(step: Callable[..., Any]) -> Callable[..., Any]:
    """A class's `step` with the hooks around it: once, though it may call another
    class's."""

    @wraps(step)
    def with_hooks(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.stepping:
            return step(self, *args, **kwargs)
        self.stepping = self._opt_called = True
        try:
            args = (self, *args)
            for hook in (*BEFORE_ALL.values(), *self.hooks["step before"].values()):
                found = hook(self, args, kwargs)
                if found is not None:
                    args, kwargs = checked(hook, found)
            result = step(*args, **kwargs)
            for hook in (*self.hooks["step after"].values(), *AFTER_ALL.values()):
                hook(self, args, kwargs)
            return result
        finally:
            self.stepping = False

    return with_hooks


def checked(hook: Any, found: Any) -> tuple[Any, Any]:
    """The new arguments that a hook before the step returned."""
    if isinstance(found, tuple) and len(found) == 2:
        return found
    raise RuntimeError(
        f"{hook} must return None or a tuple of (new_args, new_kwargs), but got {found}"
    )
