"""Mark a function as a plugin's hook, without pluggy: importing that takes 13 ms, and
packages such as plugrad.nn are imported long before anybody asks for their hooks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def hookimpl(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Mark a function as a hook of a plugin; the options are pluggy's.

    >>> import plugrad
    >>> @plugrad.hookimpl
    ... def plugrad_backend(name):
    ...     return None
    """
    if function is None:
        return lambda given: hookimpl(given, **options)
    function.plugrad_impl = options  # type: ignore[attr-defined]
    return function
