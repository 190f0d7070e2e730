"""The printed form of a tensor, letter for letter the one PyTorch prints.

What a tensor's text must do:

- choose one notation for all its numbers: integers with a bare point, decimals, or
  scientific, the last where magnitudes lie far apart or are very large or small;
- line the numbers up, wrap long rows, and part the matrices of a stack by blank lines;
- name after the numbers only what they do not tell: device, size, dtype, graph;
- stay short for a large tensor, and fetch none of the items that it leaves out.

`tensor_repr` does so in three steps: take the items to show, as nested lists with `...`
where items are left out; fix how one number is written; lay the lists out.
A caller on a tensor that records gradients switches recording off around it, since
taking the items of a large tensor indexes it.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Writer = Callable[[Any], str]

_PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
_options: dict[str, Any] = {**_PROFILES["default"], "sci_mode": None}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed, in the whole process.

    `precision` is the number of digits after the point; a tensor of more than
    `threshold` elements shows only `edgeitems` at each end of every dimension; rows
    wrap at `linewidth` columns; `sci_mode` forces scientific notation on or off.
    `profile` ("default", "short" or "full") sets the first four at once, before the
    others apply. What is None stays as it is, but for `sci_mode`: None makes its choice
    automatic again.

    >>> import plugrad
    >>> plugrad.set_printoptions(precision=2)
    >>> plugrad.tensor(plugrad.pi)
    tensor(3.14)
    >>> plugrad.set_printoptions(profile="default")
    """
    if profile in _PROFILES:
        _options.update(_PROFILES[profile])
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    _options.update((name, value) for name, value in given.items() if value is not None)
    _options["sci_mode"] = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The current print options, as keywords that `set_printoptions` takes.

    >>> import plugrad
    >>> plugrad.get_printoptions()["precision"]
    4
    """
    return dict(_options)


def tensor_repr(t: Any, prefix: str = "tensor(") -> str:
    """The text of `t`; `prefix` opens it and may hold a line of its own."""
    indent = len(prefix) - (prefix.rfind("\n") + 1)
    return _with_notes(prefix + _contents(t, indent), _notes(t), indent)


def format_scalar(t: Any, spec: str) -> str:
    """What `format(t, spec)` gives: a 0-d tensor formats as its Python scalar.

    Other tensors take no format specification, as any object without one of its own.
    """
    return format(t.tolist(), spec) if t.ndim == 0 else object.__format__(t, spec)


# The items to show


def _contents(t: Any, indent: int) -> str:
    count = math.prod(t.shape)
    if count == 0:
        return "[]"
    if count > _options["threshold"]:
        items = _edges(t, _options["edgeitems"])
    else:
        items = t.tolist()
    write, width = _writer(list(_leaves(items)), t.dtype)
    return _layout(items, t.ndim, indent, write, width)


def _edges(t: Any, edge: int) -> Any:
    """`t.tolist()`, with `...` for all but `edge` items at the ends of a dimension."""
    if t.ndim == 0:
        return t.tolist()
    size = t.shape[0]
    if t.ndim == 1:
        if size <= 2 * edge:
            return t.tolist()
        return [*t[:edge].tolist(), ..., *t[size - edge :].tolist()]
    if size <= 2 * edge:
        return [_edges(t[i], edge) for i in range(size)]
    head = [_edges(t[i], edge) for i in range(edge)]
    tail = [_edges(t[i], edge) for i in range(size - edge, size)]
    return [*head, ..., *tail]


def _leaves(items: Any) -> Iterator[Any]:
    if isinstance(items, list):
        for item in items:
            yield from _leaves(item)
    elif items is not ...:
        yield items


# How one number is written


def _writer(values: list[Any], dtype: Any) -> tuple[Writer, int]:
    """A function from a value to its text, and the columns to reserve for it."""
    if dtype.is_complex:
        return _complex_writer(values)
    if dtype.is_floating_point:
        return _float_writer(values)
    width = max((len(str(value)) for value in values), default=1)
    return lambda value: str(value).rjust(width), width


def _float_writer(values: list[float]) -> tuple[Writer, int]:
    # Zeros, infinities and NaN have no say in notation and width, so beside short
    # numbers they stick out: "[1., nan]".
    telling = [value for value in values if value and math.isfinite(value)]
    precision = _options["precision"]
    if telling and _is_scientific(telling):
        write: Writer = f"{{:.{precision}e}}".format
    elif all(value.is_integer() for value in telling):
        write = _whole
    else:
        write = f"{{:.{precision}f}}".format
    width = max((len(write(value)) for value in telling), default=1)
    return lambda value: write(value).rjust(width), width


def _is_scientific(values: list[float]) -> bool:
    if _options["sci_mode"] is not None:
        return _options["sci_mode"]
    sizes = [abs(value) for value in values]
    smallest, largest = min(sizes), max(sizes)
    return largest / smallest > 1e3 or largest > 1e8 or smallest < 1e-4


def _whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else str(value)


def _complex_writer(values: list[complex]) -> tuple[Writer, int]:
    write_real, real_width = _float_writer([value.real for value in values])
    write_imag, imag_width = _float_writer([value.imag for value in values])

    def write(value: complex) -> str:
        imag = write_imag(value.imag).lstrip()
        sign = "" if imag.startswith("-") else "+"
        return f"{write_real(value.real)}{sign}{imag}j"

    return write, real_width + imag_width + 1  # the 1 is for the j


# How the numbers stand on the page


def _layout(items: Any, ndim: int, indent: int, write: Writer, width: int) -> str:
    if ndim == 0:
        return write(items)
    if ndim == 1:
        return _row(items, indent, write, width)
    blocks = [
        "..." if item is ... else _layout(item, ndim - 1, indent + 1, write, width)
        for item in items
    ]
    return "[" + ("," + "\n" * (ndim - 1) + " " * (indent + 1)).join(blocks) + "]"


def _row(items: list[Any], indent: int, write: Writer, width: int) -> str:
    dots = " ..." if len(items) > 1 else "..."
    words = [dots if item is ... else write(item) for item in items]
    per_line = max(1, math.floor((_options["linewidth"] - indent) / (width + 2)))
    lines = [
        ", ".join(words[start : start + per_line])
        for start in range(0, len(words), per_line)
    ]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


# What is said after the numbers


def _notes(t: Any) -> list[str]:
    notes = []
    device = str(t.device)
    if device.partition(":")[0] != "cpu":
        notes.append(f"device='{device}'")
    empty = math.prod(t.shape) == 0
    if (empty and t.ndim != 1) or (not empty and not _options["edgeitems"]):
        notes.append(f"size={tuple(t.shape)}")
    if not _is_told_by_items(t.dtype.name, empty):
        notes.append(f"dtype={t.dtype}")
    if t.grad_fn is not None:
        notes.append(f"grad_fn=<{t.grad_fn.name()}>")
    elif t.requires_grad:
        notes.append("requires_grad=True")
    return notes


def _is_told_by_items(dtype: str, empty: bool) -> bool:
    """Whether making a tensor from the printed items would choose this dtype."""
    from .dtypes import get_default_dtype

    default = get_default_dtype()
    if empty:
        return dtype == default.name
    return dtype in (default.name, default.to_complex().name, "int64", "bool")


def _with_notes(text: str, notes: list[str], indent: int) -> str:
    # Lines break where PyTorch's do: it spells dtypes two letters shorter, and counts
    # two columns too many on the line that the numbers end.
    column = len(text) - text.rfind("\n") + 1
    for note in notes:
        length = len(note.replace("plugrad.", "torch."))
        if column + length + 2 > _options["linewidth"]:
            text += ",\n" + " " * indent + note
            column = indent + length
        else:
            text += ", " + note
            column += length + 2
    return text + ")"


# A sparse tensor: the text of each of its parts, in a column


def sparse_repr(t: Any, prefix: str = "tensor(") -> str:
    """The text of a sparse tensor."""
    indent = len(prefix) - (prefix.rfind("\n") + 1)
    parts = [t._indices()] if t.is_sparse else [t._compressed(), t._plain()]
    text = prefix
    for name, part in zip(_PARTS[t.layout.name], parts):
        head = f"{name}=tensor("
        body = _contents(part, indent + len(head))
        notes = _notes_of_part(part)
        text += _with_notes(head + body, notes, indent + len(head))
        text += ",\n" + " " * indent
    head = "values=tensor("
    values = t.detach()._values()
    empty = _notes_of_part(values, False)
    body = head + _contents(values, indent + len(head))
    text += _with_notes(body, empty, indent + len(head))
    notes = [f"size={tuple(t.shape)}", f"nnz={t._nnz()}"]
    rest = [n for n in _notes(t) if not n.startswith("size")]
    graph = [i for i, n in enumerate(rest) if n.startswith(("grad", "requires"))]
    at = graph[0] if graph else len(rest)
    notes += [*rest[:at], f"layout={t.layout}", *rest[at:]]
    if t.is_sparse:
        first, *notes = notes
        text += ",\n" + " " * indent + first
    return _with_notes(text, notes, indent)


def _notes_of_part(part: Any, with_dtype: bool = True) -> list[str]:
    notes = [] if part.numel() else [f"size={tuple(part.shape)}"]
    if with_dtype and part.dtype.name != "int64":
        notes.append(f"dtype={part.dtype}")
    return notes


_PARTS = {
    "sparse_coo": ("indices",),
    "sparse_csr": ("crow_indices", "col_indices"),
    "sparse_csc": ("ccol_indices", "row_indices"),
}
