"""What the names in a checkpoint stand for.

- The names that every checkpoint may hold are PyTorch's, and a few of Python's. Each
  stands for a function here, which checks what it is given.
- Classes and functions that the user trusts (`plugrad.saving.trust`) stand for
  themselves: a call of them runs their code.
- All other names are refused.
"""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict

from .. import dtypes, layouts
from ..devices import as_device
from ..errors import CheckpointError
from ..module import Module
from ..parameter import Buffer, Parameter
from ..tensor import Size, Tensor
from .instructions import Inside
from .storages import STORAGES
from .trust import given, own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .decoder import Decoder
    from .formats import Asked
    from .placing import Placing

# what Python 2 called it
RENAMED = {"__builtin__": "builtins", "torch.tensor": "torch._tensor"}


class Named(Inside):
    """What a name stands for: `call` is what a call of it gives."""

    __slots__ = ("name", "call", "dtype")

    def __init__(self, name: str, call: Any = None, dtype: Any = None) -> None:
        self.name = name
        self.call = call
        self.dtype = dtype  # of a class of storages, None for bytes


TENSOR = Named("torch.Tensor")


class UserError(Exception):
    """Carries what was raised by the user's own code."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Names:
    """The names of one file; tensors are made by `placing`."""

    def __init__(self, placing: Placing, asked: Asked) -> None:
        self.placing = placing
        self.weights_only = asked.weights_only
        self.table = {**common(), **rebuilding(placing)}
        self.trusted = given()
        if not asked.weights_only:
            self.trusted = {**own(), **self.trusted}
        self.by_id = {id(each): name for name, each in self.trusted.items()}
        self.used = asked.used

    def find(self, module: str, name: str) -> Any:
        """What a name stands for."""
        full = f"{RENAMED.get(module, module)}.{name}"
        found = self.table.get(full)
        if found is not None:
            return found
        if full in self.trusted:
            found = self.trusted[full]
            if self.weights_only and is_module(found):
                raise self.refused(full)
            return found
        raise self.refused(full)

    def refused(self, full: str) -> CheckpointError:
        """The error of a name that is not known."""
        text = f"it names {full!r}, which no checkpoint of tensors needs"
        if full.startswith(("torch.", "numpy.")):
            text = f"it names {full!r}, which plugrad has no safe form of"
        return CheckpointError(
            f"{text}; nothing of it was run. If you trust who wrote the file: give the "
            "class to plugrad.serialization.add_safe_globals([...]), and load whole "
            "modules with weights_only=False"
        )

    # --- what the decoder asks for --------------------------------------------------

    def call(self, d: Decoder, function: Any, args: tuple[Any, ...]) -> Any:
        """What a call gives."""
        if function.__class__ is Named:
            if function.call is None:
                raise CheckpointError(f"its pickle calls {function.name!r}")
            return function.call(d, *args)
        name = self.by_id.get(id(function))
        if name is None:
            raise CheckpointError(
                f"its pickle calls what is a {type(function).__name__}"
            )
        self.used.append(name)
        return users(function, *args)

    def new(
        self, d: Decoder, kind: Any, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        """An instance of a class, made without its `__init__`."""
        if kind.__class__ is Named and not keywords:
            return self.call(d, kind, args)
        name = self.by_id.get(id(kind))
        if name is None or not isinstance(kind, type):
            what = kind.name if kind.__class__ is Named else type(kind).__name__
            raise CheckpointError(f"its pickle makes an instance of {what!r}")
        self.used.append(name)
        return users(kind.__new__, kind, *args, **keywords)

    def build(self, obj: Any, state: Any) -> None:
        """Give an object its state."""
        kind = obj.__class__
        if kind is OrderedDict:
            if state.__class__ is not dict or list(state) != ["_metadata"]:
                raise CheckpointError("its pickle sets attributes of an OrderedDict")
            obj._metadata = state["_metadata"]
        elif id(kind) in self.by_id:
            users(set_state, obj, state)
        else:
            raise CheckpointError(f"its pickle sets the state of a {kind.__name__}")

    def stored(self, said: Any) -> Any:
        """The bytes that a pickle refers to."""
        return self.placing.stored(said)


def is_module(found: Any) -> bool:
    """Whether this is a class of modules."""
    return isinstance(found, type) and issubclass(found, Module)


def users(function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """A call of the user's code; what it raises is passed on as it is."""
    try:
        return function(*args, **keywords)
    except Exception as error:
        raise UserError(error) from error


def set_state(obj: Any, state: Any) -> None:
    """What Python does with the state of an object of a trusted class."""
    own_way = getattr(obj, "__setstate__", None)
    if own_way is not None:
        own_way(state)
        return
    slots: Any = None
    if state.__class__ is tuple and len(state) == 2:
        state, slots = state
    if state:
        obj.__dict__.update({sys.intern(name): value for name, value in state.items()})
    for name, value in (slots or {}).items():
        for kind in type(obj).__mro__:
            slot: Any = kind.__dict__.get(name)
            if type(slot).__name__ == "member_descriptor":
                slot.__set__(obj, value)
                break


# --- Python's names -------------------------------------------------------------------


def make_ordered(d: Decoder, items: Any = ()) -> OrderedDict[Any, Any]:
    d.count(4)
    made: OrderedDict[Any, Any] = OrderedDict()
    for key, value in checked(items, list, tuple):
        d.check_key(key)
        made[key] = value
    return made


def make_counter(d: Decoder, items: Any = None) -> Counter[Any]:
    d.count(4)
    made: Counter[Any] = Counter()
    dict.update(made, checked({} if items is None else items, dict))
    return made


def make_set(d: Decoder, items: Any = ()) -> set[Any]:
    d.count(4)
    for item in checked(items, list, tuple):
        d.check_key(item)
    return set(items)


def make_frozenset(d: Decoder, items: Any = ()) -> frozenset[Any]:
    return frozenset(make_set(d, items))


def make_complex(d: Decoder, real: Any = 0.0, imag: Any = 0.0) -> complex:
    return complex(checked(real, float, int), checked(imag, float, int))


def make_slice(d: Decoder, *ends: Any) -> slice:
    return slice(*(checked(end, int, type(None)) for end in ends))


def make_range(d: Decoder, *ends: Any) -> range:
    return range(*(checked(end, int) for end in ends))


def make_bytes(d: Decoder, data: Any = b"") -> bytes:
    return bytes(checked(data, bytes))


def make_bytearray(d: Decoder, data: Any = b"", encoding: Any = None) -> bytearray:
    if encoding is not None:
        data = encode(d, data, encoding)
    return bytearray(checked(data, bytes))


def encode(d: Decoder, text: Any, encoding: Any = None) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise CheckpointError("its pickle encodes text in another way than bytes are")
    return checked(text, str).encode("latin1")


def checked(value: Any, *kinds: type) -> Any:
    """A value of one of some types."""
    if value.__class__ not in kinds:
        raise CheckpointError(
            f"its pickle has a {type(value).__name__} where a {kinds[0].__name__} "
            "belongs"
        )
    return value


# --- PyTorch's names ------------------------------------------------------------------


def make_size(d: Decoder, sizes: Any = ()) -> Size:
    return Size(checked(size, int) for size in checked(sizes, tuple, list, Size))


def make_device(d: Decoder, kind: Any, index: Any = None) -> Any:
    return as_device(checked(kind, str), checked(index, int, type(None)))


def make_layout(d: Decoder, name: Any) -> Any:
    for each in (layouts.strided, *layouts.LAYOUTS.values()):
        if name == f"torch.{each.name}":
            return each
    raise CheckpointError(f"it names the layout {name!r}, which plugrad has not")


def common() -> dict[str, Any]:
    """Names that stand for the same in every file."""
    calls = {
        "collections.OrderedDict": make_ordered,
        "collections.Counter": make_counter,
        "builtins.set": make_set,
        "builtins.frozenset": make_frozenset,
        "builtins.complex": make_complex,
        "builtins.slice": make_slice,
        "builtins.range": make_range,
        "builtins.bytes": make_bytes,
        "builtins.bytearray": make_bytearray,
        "_codecs.encode": encode,
        "torch.Size": make_size,
        "torch.device": make_device,
        "torch.serialization._get_layout": make_layout,
    }
    found: dict[str, Any] = {name: Named(name, call) for name, call in calls.items()}
    for name, each in dtypes.BY_NAME.items():
        found[f"torch.{name}"] = each
    for dtype_name, name in STORAGES.items():
        each = dtypes.BY_NAME[dtype_name]
        found[f"torch.{name}"] = Named(name, dtype=each)
        found[f"torch.cuda.{name}"] = Named(name, dtype=each)
    for name in ("torch.storage.UntypedStorage", "torch.UntypedStorage"):
        found[name] = Named("UntypedStorage")
    for name in ("torch.Tensor", "torch._tensor.Tensor"):
        found[name] = TENSOR
    return found


def rebuilding(placing: Placing) -> dict[str, Named]:
    """The functions by which files have tensors made."""

    def tensor(
        d: Decoder,
        stored: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any = False,
        hooks: Any = None,
        metadata: Any = None,
    ) -> Tensor:
        return placing.tensor(
            stored, None, offset, size, stride, requires_grad, metadata
        )

    def bytes_tensor(
        d: Decoder,
        stored: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any,
        hooks: Any,
        dtype: Any,
        metadata: Any = None,
    ) -> Tensor:
        each = checked(dtype, dtypes.dtype)
        return placing.tensor(
            stored, each, offset, size, stride, requires_grad, metadata
        )

    def sparse(d: Decoder, layout: Any, data: Any) -> Tensor:
        return placing.sparse(layout, checked(data, tuple))

    def parameter(
        d: Decoder, data: Any, requires_grad: Any = True, hooks: Any = None
    ) -> Tensor:
        return placing.parameter(data, checked(requires_grad, bool))

    def parameter_with_state(
        d: Decoder, data: Any, requires_grad: Any, hooks: Any, state: Any
    ) -> Tensor:
        return attach(parameter(d, data, requires_grad), state)

    def with_state(d: Decoder, function: Any, kind: Any, args: Any, state: Any) -> Any:
        if function not in calls.values() or kind is not TENSOR:
            raise CheckpointError("its pickle makes a tensor of a class of its own")
        made = function.call(d, *checked(args, tuple))
        if state.__class__ is dict and state.get("_is_buffer") is True:
            persistent = checked(state.get("persistent", True), bool)
            made = placing.buffer(made, persistent)
            state = {
                name: each
                for name, each in state.items()
                if name not in ("_is_buffer", "persistent")
            }
        return attach(made, state)

    calls = {
        name: Named(name, call)
        for name, call in {
            "torch._utils._rebuild_tensor": tensor,
            "torch._utils._rebuild_tensor_v2": tensor,
            "torch._utils._rebuild_tensor_v3": bytes_tensor,
            "torch._utils._rebuild_sparse_tensor": sparse,
            "torch._utils._rebuild_parameter": parameter,
            "torch._utils._rebuild_parameter_with_state": parameter_with_state,
        }.items()
    }
    last = "torch._tensor._rebuild_from_type_v2"
    return {**calls, last: Named(last, with_state)}


def attach(x: Tensor, state: Any) -> Tensor:
    """Give a tensor the attributes that were attached to it; nothing that the class
    has, and nothing private."""
    if state.__class__ is tuple and len(state) == 2 and not state[1]:
        state = state[0]
    if not state:
        return x
    taken: set[str] = set()
    for kind in (Tensor, Parameter, Buffer):
        for each in kind.__mro__:
            taken.update(each.__dict__)
    for name, each in checked(state, dict).items():
        if not checked(name, str).isidentifier() or name[0] == "_" or name in taken:
            raise CheckpointError(f"its pickle gives a tensor an attribute {name!r}")
        x.__dict__[name] = each
    return x
