"""`save` and `load`: which format, which file, and what is said when it fails."""

from __future__ import annotations

import os

from ..errors import BackendError, CheckpointError
from . import formats
from .atomic import replacing, whole_writes
from .names import UserError
from .sources import Opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    *,
    format: str | None = None,
) -> None:
    """Save tensors, and containers of tensors, numbers and text, to a file that
    `plugrad.load` and `torch.load` read.

    `f` is a path or a file object. A path is replaced as a whole once everything is
    on the disk: whatever breaks off, it is the old file or the new one. The `format` is
    PyTorch's, or what the name ends in: `.npz`, `.safetensors`.

    >>> import io, plugrad
    >>> file = io.BytesIO()
    >>> plugrad.save({"weight": plugrad.ones(2), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> plugrad.load(file)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    check_options(pickle_module, pickle_protocol, _use_new_zipfile_serialization)
    saver = formats.saver(formats.chosen(f, format))
    if isinstance(f, (str, os.PathLike)):
        with replacing(os.fspath(f)) as file:
            saver(obj, file.write_all)
        return
    if not hasattr(f, "write"):
        raise AttributeError(
            "expected 'f' to be string, path, or a file-like object with a 'write' "
            "attribute"
        )
    saver(obj, whole_writes(f))
    flush = getattr(f, "flush", None)
    if flush is not None:
        flush()


def check_options(pickle_module: Any, pickle_protocol: int, as_zip: bool) -> None:
    """Raise for options of `torch.save` that have no meaning here."""
    if getattr(pickle_module, "__name__", "pickle") != "pickle":
        raise ValueError(
            f"save(): pickle_module={pickle_module.__name__} is not supported: plugrad "
            "writes what it knows how to load; leave it out"
        )
    if pickle_protocol != 2:
        raise ValueError(
            f"save(): pickle_protocol={pickle_protocol} is not supported: checkpoints "
            "are written by protocol 2, which every PyTorch reads; leave it out"
        )
    if not as_zip:
        raise ValueError(
            "save(): the format of PyTorch before 1.6 is read, but not written; leave "
            "_use_new_zipfile_serialization out"
        )


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    encoding: str = "utf-8",
    format: str | None = None,
) -> Any:
    """Load what `plugrad.save` or `torch.save` has saved, without running any of it.

    `map_location` says where tensors go: a device, a dictionary of devices, or a
    function. With `mmap`, the file is read when the tensors are looked at.
    Whole modules take `weights_only=False`, and run the code of their classes.

    >>> import io, plugrad
    >>> file = io.BytesIO()
    >>> plugrad.save([plugrad.arange(3), "text"], file)
    >>> _ = file.seek(0)
    >>> plugrad.load(file)
    [tensor([0, 1, 2]), 'text']
    """
    if pickle_module is not None:
        raise RuntimeError(
            "load(): a pickle_module would run what the file says; plugrad reads "
            "pickles itself: leave it out"
        )
    if mmap and not isinstance(f, (str, os.PathLike)):
        raise ValueError("f must be a file path in order to use the mmap argument")
    asked = formats.Asked(map_location, weights_only is not False, bool(mmap), encoding)
    name = formats.chosen(f, format)
    with Opened(f) as source:
        try:
            obj = formats.loader(name, source)(source, asked)
        except UserError as error:
            raise error.error from None
        except CheckpointError as error:
            raise CheckpointError(f"{source.name}: {error}") from error.__cause__
        except UNFORESEEN as error:
            if isinstance(error, BackendError):
                raise  # a plugin is missing, or cannot be used
            raise CheckpointError(
                f"{source.name}: the file is damaged ({type(error).__name__}: {error})"
            ) from error
    warn_of(source.name, asked.used)
    return obj


# What reading a file that means harm may raise where no check says so first.
UNFORESEEN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


def warn_of(name: str, used: list[str]) -> None:
    """Say whose code was run."""
    if used:
        from warnings import warn

        which = ", ".join(sorted(set(used)))
        warn(f"loading {name} has run code of {which}", stacklevel=3)
