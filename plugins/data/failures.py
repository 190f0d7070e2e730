"""Errors of workers, as the main process raises them: they name worker, pid and cause.

- An exception in a worker is raised again with its type, if that can be made of a
  message; the message holds the worker's traceback.
- A worker that ended, or did not answer in time, is a RuntimeError that says how.
- `culprit` finds the part of a structure that cannot be pickled.
"""

from __future__ import annotations

import pickle
import signal
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class Text(str):
    """A message that is shown with its lines, where an exception shows its repr."""

    def __repr__(self) -> str:
        return str(self)


def named(worker: int, pid: int | None) -> str:
    return f"DataLoader worker {worker} (pid {pid})"


def told(error: BaseException) -> tuple[Any, str, str]:
    """What a worker sends of an exception: its class, or RuntimeError where that cannot
    be pickled, its name and the traceback."""
    kind: Any = type(error)
    try:
        if pickle.loads(pickle.dumps(kind)) is not kind:
            kind = RuntimeError
    except Exception:
        kind = RuntimeError
    lines = traceback.format_exception(error)
    return kind, type(error).__name__, "".join(lines)


def again(who: str, kind: Any, name: str, trace: str, where: str) -> BaseException:
    """The exception to raise in the main process."""
    text = f"Caught {name} in {who}, {where}.\nIts traceback:\n{trace.rstrip()}"
    if issubclass(kind, (StopIteration, StopAsyncIteration)):
        return RuntimeError(text)  # it would end the loop without a word
    try:
        made = kind(Text(text))
    except Exception:
        return RuntimeError(text)
    return made if isinstance(made, BaseException) else RuntimeError(text)


def ended(who: str, exitcode: int | None) -> RuntimeError:
    """The error of a worker that is no longer there."""
    if exitcode is None:
        how = "closed its connection to the loader"
    elif exitcode < 0:
        how = f"was killed by {signal_name(-exitcode)}"
        if exitcode == -9:
            how += ", which systems also send when memory runs out"
    else:
        how = f"exited unexpectedly, with status {exitcode}"
        if exitcode == 1:
            how += "; what it printed may say why"
    return RuntimeError(f"{who} {how}")


def signal_name(number: int) -> str:
    try:
        return f"signal {signal.Signals(number).name}"
    except ValueError:
        return f"signal {number}"


def late(who: str, pid: int | None, timeout: float) -> RuntimeError:
    """The error of a worker that did not answer in time."""
    state = "is still working on it"
    try:
        after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
        if after.split()[0] in "Tt":
            state = "is stopped, by SIGSTOP or a debugger"
    except (OSError, IndexError):
        pass
    return RuntimeError(
        f"DataLoader timed out after {timeout:g} seconds: {who} has not delivered the "
        f"next batch and {state}"
    )


def culprit(value: Any, pickled: Callable[[Any], Any], path: str = "") -> str:
    """Where in a structure the first part stands that `pickled` fails at, and what."""
    parts: list[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        parts = [(f"{path}[{key!r}]", each) for key, each in value.items()]
    elif isinstance(value, (list, tuple)):
        parts = [(f"{path}[{i}]", each) for i, each in enumerate(value)]
    elif hasattr(value, "__dict__"):
        parts = [(f"{path}.{name}", each) for name, each in vars(value).items()]
    for where, part in parts:
        try:
            pickled(part)
        except Exception:
            return culprit(part, pickled, where)
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    return f"{path or 'it'}, a {kind.removeprefix('builtins.')}"
