"""Which classes and functions of the user's a checkpoint may name.

- `add_safe_globals` is PyTorch's way to give them. A name in a file is looked up among
  those that were given, and nowhere else.
- With `weights_only=False` there are more: the classes that the program itself defines
  (in `__main__`), and plugrad's own layers, once they are imported.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

GIVEN: list[Any] = []


def add_safe_globals(safe_globals: Sequence[Any]) -> None:
    """Let checkpoints name these classes and functions; a pair is one with the name
    that files have for it. Loading then runs their code.

    >>> import plugrad
    >>> class Options:
    ...     pass
    >>> plugrad.serialization.add_safe_globals([Options])
    >>> plugrad.serialization.get_safe_globals()
    [<class '...Options'>]
    >>> plugrad.serialization.clear_safe_globals()
    """
    for each in safe_globals:
        check(each)
        if each not in GIVEN:
            GIVEN.append(each)


def get_safe_globals() -> list[Any]:
    """What was given to `add_safe_globals`.

    >>> import plugrad
    >>> plugrad.serialization.get_safe_globals()
    []
    """
    return list(GIVEN)


def clear_safe_globals() -> None:
    """Take back all that was given to `add_safe_globals`.

    >>> import plugrad
    >>> plugrad.serialization.clear_safe_globals()
    """
    GIVEN.clear()


class safe_globals:
    """`add_safe_globals` for the length of a block.

    >>> import plugrad
    >>> class Options:
    ...     pass
    >>> with plugrad.serialization.safe_globals([Options]):
    ...     len(plugrad.serialization.get_safe_globals())
    1
    >>> plugrad.serialization.get_safe_globals()
    []
    """

    def __init__(self, safe_globals: Sequence[Any]) -> None:
        self.safe_globals = list(safe_globals)
        self.before: list[Any] = []

    def __enter__(self) -> None:
        self.before = list(GIVEN)
        add_safe_globals(self.safe_globals)

    def __exit__(self, *exc_info: object) -> None:
        GIVEN[:] = self.before


def check(each: Any) -> None:
    """Raise unless this is a class or function, or a pair of one and its name."""
    if isinstance(each, tuple):
        if len(each) != 2:
            raise ValueError(
                "Expected tuple of length 2 (global, str of callable full path), but "
                f"got tuple of length: {len(each)}"
            )
        if type(each[1]) is not str:
            raise TypeError(
                "Expected second item in tuple to be str of callable full path, but "
                f"got: {type(each[1])}"
            )
    elif not hasattr(each, "__qualname__"):
        raise TypeError(
            f"add_safe_globals() takes classes and functions, not {each!r}; give "
            "others as (object, 'its.full.name')"
        )


def given() -> dict[str, Any]:
    """The given classes and functions, by the names that files have for them."""
    return {
        each[1] if isinstance(each, tuple) else full_name(each): (
            each[0] if isinstance(each, tuple) else each
        )
        for each in GIVEN
    }


def own() -> dict[str, type]:
    """The classes of the running program, and plugrad's own layers."""
    from ..module import Module

    found = {}
    for each in vars(sys.modules["__main__"]).values():
        if isinstance(each, type) and each.__module__ == "__main__":
            found[full_name(each)] = each
    stack = [Module]
    while stack:
        kind = stack.pop()
        stack += kind.__subclasses__()
        if kind.__module__.startswith("plugrad."):
            found[full_name(kind)] = kind
    return found


def full_name(each: Any) -> str:
    """The module and name of a class or function."""
    return f"{each.__module__}.{each.__qualname__}"
