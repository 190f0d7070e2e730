"""What is said when something cannot be done.

An error names the op, the shapes and dtypes, what was expected, and the way out. The
exception types are PyTorch's.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class UnsupportedOpError(NotImplementedError, RuntimeError):
    """The backend cannot do this; the message names what would work."""


class BackendError(RuntimeError):
    """A backend is unknown, cannot be loaded, or does not fit the tensors given."""


class LinAlgError(RuntimeError):
    """A matrix is singular, not positive definite, or has no such decomposition."""


def released(name: str) -> RuntimeError:
    """The error of a second walk through a graph whose arrays were released."""
    return RuntimeError(
        f"{name}: Trying to backward through the graph a second time, but the "
        "arrays saved in it were released by the first (or directly access saved "
        "tensors after they have already been freed). Call backward() or grad() "
        "with retain_graph=True the first time"
    )


def written_to(name: str, what: str) -> RuntimeError:
    """The error of a saved array that was changed before backward."""
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an "
        f"inplace operation: {name} saved {what} in the forward call, and that memory "
        "was written since. Write to a clone(), or use the form of the operation "
        "without underscore"
    )


def described(name: str) -> str:
    """A saved entry's name, as an error says it."""
    return "its result" if name == "y" else f"its argument '{name}'"


# What old programs call, and PyTorch has removed.
REMOVED = {
    "btrifact": "linalg.solve",
    "btrifact_with_info": "linalg.solve",
    "btrisolve": "linalg.solve",
    "gels": "linalg.pinv",
    "gesv": "linalg.solve",
    "lstsq": "linalg.pinv",
    "matrix_rank": "linalg.matrix_rank",
    "potrf": "linalg.cholesky",
    "potri": "cholesky_inverse",
    "potrs": "cholesky_solve",
    "pstrf": "linalg.cholesky",
    "solve": "linalg.solve",
    "symeig": "linalg.eigh",
    "trtrs": "linalg.solve_triangular",
}


def unknown_name(name: str, module: Any) -> AttributeError:
    """The error of a name that a module of plugrad does not have."""
    text = f"module {module.__name__!r} has no attribute {name!r}"
    if name in REMOVED:
        text += f": PyTorch removed it, too; plugrad.{REMOVED[name]} is what to use"
    # with these two, Python's traceback suggests a similar name
    return AttributeError(text, name=name, obj=module)


def describe(value: Any) -> str:
    """A short description of an argument, for messages."""
    from .tensor import Tensor

    if isinstance(value, Tensor):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(describe(v) for v in value[:4])
        return f"[{inner}{', ...' if len(value) > 4 else ''}]"
    return repr(value)


def mismatch(a: tuple[int, ...], b: tuple[int, ...]) -> str | None:
    """Why two shapes do not broadcast, or None if they do."""
    n = max(len(a), len(b))
    for i in range(1, min(len(a), len(b)) + 1):
        if a[-i] != b[-i] and 1 not in (a[-i], b[-i]):
            return (
                f"The size of tensor a ({a[-i]}) must match the size of tensor b "
                f"({b[-i]}) at non-singleton dimension {n - i}"
            )
    return None


KEPT = (RuntimeError, IndexError, TypeError, NotImplementedError, LinAlgError)


def explain(name: str, values: dict[str, Any], error: Exception) -> Exception:
    """What a kernel's own exception means to the caller of the op."""
    from .tensor import Tensor

    given = ", ".join(f"{key}={describe(value)}" for key, value in values.items())
    shapes = [v.shape for v in values.values() if isinstance(v, Tensor)]
    reason = None
    for i, a in enumerate(shapes):
        for b in shapes[i + 1 :]:
            reason = reason or mismatch(a, b)
    kind = type(error)
    if kind.__name__ == "LinAlgError":
        kind = LinAlgError
    if kind.__name__ == "AxisError":  # a dimension out of range
        kind = IndexError
    if kind is ValueError and str(error) == "slice step cannot be zero":
        return error  # Python's own, which PyTorch lets through too
    if kind is ValueError or kind.__name__ == "_UFuncNoLoopError":
        kind = RuntimeError
    if kind not in KEPT:
        kind = RuntimeError
    text = reason if reason and kind is RuntimeError else str(error)
    return kind(f"{name}: {text} (called as {name}({given}))")
