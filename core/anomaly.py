"""Looking for anomalies: what is noted beside a node, and checked in backward.

- `plugrad.declare` calls `note` for each recorded call of a thread that is not in its
  default mode.
- The place of the forward call is kept as code objects and line numbers: reading and
  formatting the source waits until there is an error to explain.
- Frames of Plugrad itself are left out: the user looks for a line of their own.
"""

from __future__ import annotations

from sys import _getframe

from . import modes
from .errors import described, written_to
from .graph import ARRAYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, FrameType
    from typing import Any

    from .graph import Node

    Trace = list[tuple[CodeType, int]]


def note(node: Node) -> None:
    """Note beside `node` what this thread's mode asks for."""
    mode = modes.current()
    if mode.anomaly:
        node.metadata["trace"] = frames(_getframe(1))
    if mode.check_saved:
        node.metadata["marks"] = fingerprints(node)


def frames(frame: FrameType | None) -> Trace:
    """The user's frames, from `frame` outwards."""
    found: Trace = []
    while frame is not None:
        code = frame.f_code
        name = frame.f_globals.get("__name__", "")
        inside = name == "plugrad" or name.startswith("plugrad.")
        if not inside and not code.co_filename.startswith("<plugrad"):
            found.append((code, frame.f_lineno))
        frame = frame.f_back
    return found


def formatted(trace: Trace) -> str:
    """The frames as a traceback shows them, the call itself last."""
    from linecache import getline

    lines: list[str] = []
    for code, number in reversed(trace):
        lines.append(f'  File "{code.co_filename}", line {number}, in {code.co_name}')
        text = getline(code.co_filename, number).strip()
        if text:
            lines.append(f"    {text}")
    return "\n".join(lines)


def notes(node: Node) -> dict[str, Any]:
    """What `plugrad.anomaly` noted when the call was recorded."""
    return getattr(node, "extra", None) or {}


def forward_trace(node: Node) -> str:
    """Where the forward call was made, for an error's notes."""
    trace = notes(node).get("trace")
    if trace is None:
        return f"{node.name()}: the forward call ran outside detect_anomaly"
    return f"{node.name()}: the forward call was made here\n{formatted(trace)}"


def check_for_nan(node: Node, gradients: Sequence[Any]) -> None:
    """Raise if a gradient that `node` computed holds a NaN."""
    for i, g in enumerate(gradients):
        g = getattr(g, "_a", g)
        if g is None or isinstance(g, (list, tuple)):
            continue
        if not node.k.isdtype(g.dtype, ("real floating", "complex floating")):
            continue
        if bool(node.k.any(node.k.isnan(g))):
            error = RuntimeError(
                f"Function '{node.name()}' returned nan values in its {i}th output."
            )
            error.add_note(forward_trace(node))
            raise error


def check_fingerprints(node: Node) -> None:
    """Raise if a saved array's bytes are not what they were in the forward call."""
    marks = notes(node).get("marks")
    if marks is None:
        return
    for name, before, now in zip(node.plan.names, marks, fingerprints(node)):
        if before != now:
            raise written_to(node.name(), described(name))


def fingerprints(node: Node) -> list[Any]:
    """A mark of the bytes of each saved array."""
    found: list[Any] = []
    mark = node.k.fingerprint
    for (kind, _), value in zip(node.plan.sources, node.saved):  # type: ignore
        if kind == "many":
            found.append([None if a is None else mark(a) for a in value])
        elif kind in ARRAYS and value is not None:
            found.append(mark(value))
        else:
            found.append(None)
    return found
