"""Modules, and objects of classes that the user trusts, in a pickle.

Python's own protocol says what an object consists of: the class, the arguments of its
`__new__`, and its state. They are written only if they can be loaded again, which
takes `weights_only=False` for modules.
"""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, FunctionType

from ..module import Module
from .encoder import Encoder, Global
from .trust import given, own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ADVICE = {
    "numpy": "call .item() on NumPy's scalars, plugrad.from_numpy on its arrays",
    "collections": "make it a dict, list or tuple",
    "torch": "torch saves that; plugrad has tensors of its own",
}


def write_instance(encoder: Encoder, obj: Any) -> None:
    """Write an object that is not of the kinds that every checkpoint may hold."""
    if isinstance(obj, (type, FunctionType, BuiltinFunctionType)):
        encoder.write_global(reference(encoder, obj))
        return
    kind = type(obj)
    if not (issubclass(kind, Module) or trusted(kind)):
        library = kind.__module__.partition(".")[0]
        raise encoder.refusal(
            obj,
            ADVICE.get(library)
            or "checkpoints hold tensors, numbers, text and containers of these; save "
            "a state_dict(), or give the class to "
            "plugrad.serialization.add_safe_globals()",
        )
    reduced: Any = obj.__reduce_ex__(2)
    if isinstance(reduced, str):
        raise encoder.refusal(obj, f"it is pickled as the global name {reduced!r}")
    parts: Any = (*reduced, None, None, None)
    function, args, state, items, entries = parts[:5]
    if getattr(function, "__name__", "") == "__newobj__":
        encoder.write_global(reference(encoder, args[0]))
        encoder.write_items(args[1:])
        encoder.out += b"\x81"
    else:
        encoder.write_global(reference(encoder, function))
        encoder.write_items(args)
        encoder.out += b"R"
    encoder.note(obj)
    if items is not None or entries is not None:
        raise encoder.refusal(obj, "it is a container of a class of its own")
    if state is not None:
        encoder.path.append(".__dict__")
        encoder.write(state)
        encoder.path.pop()
        encoder.out += b"b"


def trusted(kind: type) -> bool:
    """Whether a class is one that loading would accept."""
    return kind in given().values() or kind in own().values()


def reference(encoder: Encoder, obj: Any) -> Global:
    """The name of a class or function, which must lead back to it."""
    for name, each in given().items():
        if each is obj:
            return Global(*name.rsplit(".", 1))
    module, name = obj.__module__, obj.__qualname__
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not obj:
        raise encoder.refusal(
            obj, f"the name {module}.{name} does not lead to it, so it cannot be loaded"
        )
    return Global(module, name)
