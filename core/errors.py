"""What is said when something cannot be done.

An error names the op, the shapes and dtypes, what was expected, and the way out. The
exception types are PyTorch's.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class UnsupportedOpError(NotImplementedError, RuntimeError):
    """The backend cannot do this; the message names what would work.

    >>> import plugrad
    >>> issubclass(plugrad.UnsupportedOpError, NotImplementedError)
    True
    """


class BackendError(RuntimeError):
    """A backend is unknown, cannot be loaded, or does not fit the tensors given.

    >>> import plugrad
    >>> plugrad.get_backend("nunpy")
    Traceback (most recent call last):
        ...
    plugrad.errors.BackendError: unknown backend 'nunpy'; installed: ...
    """


class CheckpointError(RuntimeError):
    """A file is no checkpoint, is damaged, or holds what must not be loaded from it.

    The message names the file and the reason. (That a file is not there, or cannot be
    written, is an OSError as anywhere in Python.)

    >>> import io, plugrad
    >>> plugrad.load(io.BytesIO(b"no checkpoint"))
    Traceback (most recent call last):
        ...
    plugrad.errors.CheckpointError: <BytesIO>: ...
    """


class LinAlgError(RuntimeError):
    """A matrix is singular, not positive definite, or has no such decomposition.

    >>> import plugrad
    >>> try:
    ...     plugrad.linalg.inv(plugrad.zeros(2, 2))
    ... except plugrad.linalg.LinAlgError:
    ...     print("singular")
    singular
    """


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


def unaligned(a: tuple[int, ...], b: tuple[int, ...]) -> str | None:
    """Why two shapes have no matrix product, or None if they have."""
    if not a or not b:
        return None
    columns, rows = a[-1], b[-2:][0]
    if columns != rows:
        return (
            f"shapes {list(a)} and {list(b)} cannot be multiplied: the first has "
            f"{columns} columns, the second {rows} rows"
        )
    return mismatch(a[:-2], b[:-2])


def explain(name: str, values: dict[str, Any], error: Exception) -> Exception:
    """What a kernel's own exception means to the caller of the op."""
    from .interface import OPS
    from .tensor import Tensor

    if type(error) is ValueError and str(error) == "slice step cannot be zero":
        return error  # Python's own, which PyTorch lets through too
    op = OPS.get(name)
    ours = told(error)
    if op is not None and not ours:
        found = checked(op, values)
        ours, error = found is not None, found or error
    kind = meaning(error)
    text = str(error)
    if type(error).__name__ == "AxisError" and getattr(error, "ndim", None) is not None:
        from .attributes import out_of_range

        text = str(out_of_range(error.axis, error.ndim))  # type: ignore[attr-defined]
    if kind in (RuntimeError, TypeError) and not ours:  # JAX: shapes are types
        shapes = [v.shape for v in values.values() if isinstance(v, Tensor)]
        why = unaligned if name == "matmul" else mismatch
        pairs = ((a, b) for i, a in enumerate(shapes) for b in shapes[i + 1 :])
        reason = next(filter(None, (why(a, b) for a, b in pairs)), None)
        if reason is not None:
            kind, text = RuntimeError, reason
    if not text.startswith((f"{name} ", f"{name}()")):
        text = f"{name}: {text.removeprefix(f'{name}: ')}"
    return kind(f"{text} (called as {name}({arguments(op, values)}))")


def told(error: Exception) -> bool:
    """Whether it was a `raise` of ours that made an exception, so that it says what is
    wrong in our words. What C code raises ends in a frame of ours, too."""
    from opcode import opmap

    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    if at is None or not at.tb_frame.f_globals["__name__"].startswith("plugrad."):
        return False
    return at.tb_frame.f_code.co_code[at.tb_lasti] == opmap["RAISE_VARARGS"]


def checked(op: Any, values: dict[str, Any]) -> Exception | None:
    """What the op's default body has to say of a call that a backend's kernel could not
    serve: kernels leave the checks of shapes to their library, the body makes them."""
    from .tensor import Tensor

    given: list[Any] = []
    for value in values.values():
        given += value if isinstance(value, (list, tuple)) else [value]
    k = next((each._k for each in given if isinstance(each, Tensor)), None)
    if k is None:
        return None
    keywords = {p.name: values[p.name] for p in op.params if p.keyword}
    try:
        raw = [op.raw(k, p, values) for p in op.params if not p.keyword]
        op.call_body(k, raw, keywords)
    except Exception as error:
        # its traceback would hold the frames that hold it
        return error.with_traceback(None) if told(error) else None
    return None


def meaning(error: Exception) -> type[Exception]:
    """The type by which PyTorch would raise an exception of an array library."""
    kind = type(error)
    if kind.__name__ == "LinAlgError":
        return LinAlgError
    if kind.__name__ == "AxisError":  # a dimension out of range
        return IndexError
    kept = (RuntimeError, IndexError, TypeError, NotImplementedError)
    ours = (BackendError, UnsupportedOpError)
    return kind if kind in kept + ours else RuntimeError


def arguments(op: Any, values: dict[str, Any]) -> str:
    """The arguments of a call, but for the defaults."""
    defaults = {} if op is None else {p.name: p.default for p in op.params}
    return ", ".join(
        f"{key}={describe(value)}"
        for key, value in values.items()
        if key not in defaults or value is not defaults[key]
    )
