"""What stands for functions and classes of PyTorch that plugrad cannot do.

They can be imported and passed about, as scripts do that will not use them here; to
call one is an error that says why.
"""

from __future__ import annotations

from typing import Any

import plugrad


class Absent:
    """Something of PyTorch that plugrad cannot do."""

    def __init__(self, name: str, why: str) -> None:
        self.__name__ = self.__qualname__ = name
        self.why = why

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise plugrad.UnsupportedOpError(f"{self.__name__}: {self.why}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            text = f"{self.__name__} has no attribute {name!r}"
            raise AttributeError(text, name=name)
        return Absent(f"{self.__name__}.{name}", self.why)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        raise plugrad.UnsupportedOpError(f"{self.__name__}: {self.why}")

    def __repr__(self) -> str:
        return f"<{self.__name__}, which plugrad cannot do>"


def absent(module: str, names: str, why: str) -> dict[str, Absent]:
    """What stands for some names of a module."""
    return {name: Absent(f"{module}.{name}", why) for name in names.split()}
