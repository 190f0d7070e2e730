"""Show the traceback of a program without the lines of plugrad.

PyTorch's own lines are mostly C++, which tracebacks leave out; so a traceback here ends
in the line of the script (or of a library between) that called plugrad. What plugrad
calls (NumPy, the import system) goes with it; what it calls back (a `forward`, a hook)
stays.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from types import FrameType, ModuleType, TracebackType

import plugrad

LIBRARIES = tuple(
    sysconfig.get_path(each) for each in ("stdlib", "platlib", "purelib")
) + ("<frozen ",)


def show(error: BaseException, whole: bool = False) -> None:
    """Print an uncaught exception, as `sys.excepthook` does."""
    for each in related(error, set()):
        each.__traceback__ = shorten(each.__traceback__, whole)
    if not whole:
        unchain(error)
    if is_lack(error):
        error.add_note(f"torch is plugrad {plugrad.__version__} here, and lacks this.")
    sys.excepthook(type(error), error, error.__traceback__)


def is_lack(error: BaseException) -> bool:
    """Whether something is missing that PyTorch may have, and nothing has said so."""
    if "plugrad " in str(error):
        return False
    if isinstance(error, ImportError):
        return (error.name or "").partition(".")[0] in (
            "torch",
            "torchvision",
            "plugrad",
        )
    if not isinstance(error, AttributeError):
        return False
    owner = error.obj if isinstance(error.obj, (type, ModuleType)) else type(error.obj)
    name = owner.__name__ if isinstance(owner, ModuleType) else owner.__module__
    return name.partition(".")[0] == "plugrad"


def related(error: BaseException, seen: set[int]) -> Iterator[BaseException]:
    """An exception, and those that are shown with it."""
    seen.add(id(error))
    yield error
    inside = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for each in (error.__cause__, error.__context__, *inside):
        if each is not None and id(each) not in seen:
            yield from related(each, seen)


def shorten(trace: TracebackType | None, whole: bool) -> TracebackType | None:
    """A traceback without plugrad's frames; if `whole`, only without this plugin's."""
    ours = __package__ if whole else "plugrad"
    kept, inside = [], False
    while trace is not None:
        frame = trace.tb_frame
        inside = belongs(frame, ours) or (inside and not whole and is_library(frame))
        if not inside:
            kept.append(trace)
        trace = trace.tb_next
    found = None
    for each in reversed(kept):
        found = TracebackType(found, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return found


def belongs(frame: FrameType, package: str) -> bool:
    """Whether a frame runs code of a package."""
    return f"{frame.f_globals.get('__name__', '')}.".startswith(f"{package}.")


def is_library(frame: FrameType) -> bool:
    """Whether a frame runs code of Python's or of an installed library."""
    return frame.f_code.co_filename.startswith(LIBRARIES)


def unchain(error: BaseException) -> None:
    """Leave out causes and contexts that were plugrad's own alone."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        before = error.__cause__ or error.__context__
        if before is None:
            return
        if before.__traceback__ is None:  # the chain goes on behind it
            error.__cause__, error.__context__ = before.__cause__, before.__context__
            seen.discard(id(error))
        else:
            error = before
