"""Write an object as the pickle that PyTorch would write for it.

- What can be loaded again is written: tensors, numbers, text, bytes, containers, and
  the small objects of PyTorch (sizes, dtypes, devices, layouts), under PyTorch's names.
- Modules, and objects of classes that were given to `add_safe_globals`, are written as
  Python pickles them; loading them takes `weights_only=False`.
- All else is an error that says where in the object it stands. Nothing is written in a
  way in which it could not come back.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from struct import pack

from ..devices import device
from ..dtypes import dtype
from ..layouts import layout
from ..parameter import Buffer, Parameter
from ..tensor import Size, Tensor, wrap
from .storages import STORAGES, Memories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BATCH = 1000  # entries of a container that are set by one instruction


class Global:
    """A name that the pickle refers to."""

    __slots__ = ("name",)

    def __init__(self, module: str, name: str) -> None:
        self.name = (module, name)


REBUILD = Global("torch._utils", "_rebuild_tensor_v2")
REBUILD_BYTES = Global("torch._utils", "_rebuild_tensor_v3")
REBUILD_SPARSE = Global("torch._utils", "_rebuild_sparse_tensor")
REBUILD_PARAMETER = Global("torch._utils", "_rebuild_parameter")
REBUILD_PARAMETER_WITH_STATE = Global("torch._utils", "_rebuild_parameter_with_state")
REBUILD_WITH_STATE = Global("torch._tensor", "_rebuild_from_type_v2")
TENSOR = Global("torch", "Tensor")
LAYOUT = Global("torch.serialization", "_get_layout")
ENCODE = Global("_codecs", "encode")


class Encoder:
    """One pickle that is being written."""

    def __init__(self) -> None:
        self.out = bytearray(b"\x80\x02")
        self.memo: dict[Any, int] = {}
        self.kept: list[Any] = []  # what has a number must not be freed meanwhile
        self.path: list[str] = []
        self.memories = Memories()
        self.open: set[int] = set()  # tuples being written

    def encode(self, obj: Any) -> bytes:
        """The whole pickle."""
        self.write(obj)
        self.out += b"."
        return bytes(self.out)

    def write(self, obj: Any) -> None:
        """Write one object, or refer to it if it was written before."""
        kind = obj.__class__
        simple = SIMPLE.get(kind)
        if simple is not None:
            simple(self, obj)
            return
        number = self.memo.get(id(obj))
        if number is not None:
            self.refer(number)
            return
        known = KNOWN.get(kind)
        if known is not None:
            known(self, obj)
        elif isinstance(obj, Tensor):
            raise self.refusal(
                obj, "a tensor of a class of its own: save it as a Tensor"
            )
        else:
            from .instances import write_instance

            write_instance(self, obj)

    # --- the machine that reads this ------------------------------------------------

    def note(self, obj: Any) -> None:
        """Give the object on top of the stack a number, to refer to it."""
        self.number(id(obj))
        self.kept.append(obj)

    def number(self, key: Any) -> None:
        """Give what is on top of the stack a number."""
        n = self.memo[key] = len(self.memo)
        self.out += b"q%c" % n if n < 256 else pack("<cI", b"r", n)

    def refer(self, n: int) -> None:
        """Put what has a number on the stack."""
        self.out += b"h%c" % n if n < 256 else pack("<cI", b"j", n)

    def write_global(self, found: Global) -> None:
        """Write a name."""
        n = self.memo.get(found.name)
        if n is not None:
            self.refer(n)
            return
        module, name = found.name
        self.out += f"c{module}\n{name}\n".encode()
        self.number(found.name)

    def reduce(self, function: Global, *args: Any) -> None:
        """Write a call."""
        self.write_global(function)
        self.write_items(args)
        self.out += b"R"

    def write_items(self, items: Any) -> None:
        """Write a tuple that nothing else refers to."""
        if len(items) > 3:
            self.out += b"("
        for item in items:
            if item.__class__ is Global:
                self.write_global(item)
            elif item.__class__ is Plain:
                self.write_items(item.items)
            elif item.__class__ is Stored:
                self.write_stored(item)
            else:
                self.write(item)
        self.out += TUPLES[min(len(items), 4)]

    def write_stored(self, stored: Stored) -> None:
        """Write a reference to a record of bytes."""
        self.write_items(stored.items)
        self.out += b"Q"

    def refusal(self, obj: Any, why: str) -> TypeError:
        """The error of what is not written."""
        where = "".join(self.path)
        at = f" at obj{where}" if where else ""
        kind = type(obj)
        name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        return TypeError(f"cannot save {name}{at}: {why}")


class Plain:
    """A tuple inside the arguments of a call."""

    __slots__ = ("items",)

    def __init__(self, *items: Any) -> None:
        self.items = items


class Stored(Plain):
    """What the pickle says of a memory."""

    __slots__ = ()


TUPLES = (b")", b"\x85", b"\x86", b"\x87", b"t")


# --- Python's own objects -------------------------------------------------------------


def write_none(encoder: Encoder, obj: None) -> None:
    encoder.out += b"N"


def write_bool(encoder: Encoder, obj: bool) -> None:
    encoder.out += b"\x88" if obj else b"\x89"


def write_int(encoder: Encoder, obj: int) -> None:
    if 0 <= obj < 256:
        encoder.out += b"K%c" % obj
    elif 0 <= obj < 65536:
        encoder.out += pack("<cH", b"M", obj)
    elif -(1 << 31) <= obj < 1 << 31:
        encoder.out += pack("<ci", b"J", obj)
    else:
        data = obj.to_bytes(obj.bit_length() // 8 + 1, "little", signed=True)
        if len(data) > 255:
            raise encoder.refusal(obj, "an integer of more than 2,000 bits")
        encoder.out += b"\x8a%c" % len(data) + data


def write_float(encoder: Encoder, obj: float) -> None:
    encoder.out += pack(">cd", b"G", obj)


def write_str(encoder: Encoder, obj: str) -> None:
    n = encoder.memo.get(obj)
    if n is not None:
        encoder.refer(n)
        return
    data = obj.encode("utf-8", "surrogatepass")
    encoder.out += pack("<cI", b"X", len(data)) + data
    encoder.number(obj)


def write_complex(encoder: Encoder, obj: complex) -> None:
    encoder.reduce(Global("__builtin__", "complex"), obj.real, obj.imag)


SIMPLE: dict[type, Callable[[Encoder, Any], None]] = {
    type(None): write_none,
    bool: write_bool,
    int: write_int,
    float: write_float,
    str: write_str,
    complex: write_complex,
}


def write_bytes(encoder: Encoder, obj: bytes) -> None:
    encoder.reduce(ENCODE, obj.decode("latin1"), "latin1")
    encoder.note(obj)


def write_bytearray(encoder: Encoder, obj: bytearray) -> None:
    encoder.reduce(Global("__builtin__", "bytearray"), bytes(obj))
    encoder.note(obj)


def write_list(encoder: Encoder, obj: list[Any]) -> None:
    encoder.out += b"]"
    encoder.note(obj)
    for begin in range(0, len(obj), BATCH):
        encoder.out += b"("
        for i, item in enumerate(obj[begin : begin + BATCH], begin):
            encoder.path.append(f"[{i}]")
            encoder.write(item)
            encoder.path.pop()
        encoder.out += b"e"


def write_tuple(encoder: Encoder, obj: tuple[Any, ...]) -> None:
    if not obj:
        encoder.out += b")"
        return
    if id(obj) in encoder.open:
        raise encoder.refusal(obj, "a tuple that contains itself")
    encoder.open.add(id(obj))
    if len(obj) > 3:
        encoder.out += b"("
    for i, item in enumerate(obj):
        encoder.path.append(f"[{i}]")
        encoder.write(item)
        encoder.path.pop()
    encoder.out += TUPLES[min(len(obj), 4)]
    encoder.open.discard(id(obj))
    encoder.note(obj)


def write_dict(encoder: Encoder, obj: dict[Any, Any]) -> None:
    encoder.out += b"}"
    encoder.note(obj)
    write_entries(encoder, obj)


def write_entries(encoder: Encoder, obj: dict[Any, Any]) -> None:
    """Write keys and values for the dictionary on top of the stack."""
    entries = list(obj.items())
    for begin in range(0, len(entries), BATCH):
        encoder.out += b"("
        for key, value in entries[begin : begin + BATCH]:
            encoder.path.append(f"[{key!r:.80}]")
            encoder.write(key)
            encoder.write(value)
            encoder.path.pop()
        encoder.out += b"u"


def write_ordered(encoder: Encoder, obj: OrderedDict[Any, Any]) -> None:
    encoder.reduce(Global("collections", "OrderedDict"))
    encoder.note(obj)
    write_entries(encoder, obj)
    more = dict(vars(obj))
    metadata = more.pop("_metadata", None)
    if more:
        raise encoder.refusal(obj, f"it has attributes of its own: {', '.join(more)}")
    if metadata is not None:  # of a state_dict
        encoder.path.append("._metadata")
        encoder.write({"_metadata": metadata})
        encoder.path.pop()
        encoder.out += b"b"


def write_counter(encoder: Encoder, obj: Counter[Any]) -> None:
    encoder.reduce(Global("collections", "Counter"), dict(obj))
    encoder.note(obj)


def write_set(encoder: Encoder, obj: set[Any]) -> None:
    encoder.reduce(Global("__builtin__", "set"), sorted_items(obj))
    encoder.note(obj)


def write_frozenset(encoder: Encoder, obj: frozenset[Any]) -> None:
    encoder.reduce(Global("__builtin__", "frozenset"), sorted_items(obj))
    encoder.note(obj)


def sorted_items(items: Any) -> list[Any]:
    """The items of a set, in an order that does not change, if they have one."""
    try:
        return sorted(items)
    except TypeError:
        return list(items)


def write_slice(encoder: Encoder, obj: slice) -> None:
    encoder.reduce(Global("__builtin__", "slice"), obj.start, obj.stop, obj.step)
    encoder.note(obj)


# --- plugrad's objects, by PyTorch's names --------------------------------------------


def write_size(encoder: Encoder, obj: Size) -> None:
    encoder.reduce(Global("torch", "Size"), tuple(obj))
    encoder.note(obj)


def write_dtype(encoder: Encoder, obj: dtype) -> None:
    encoder.write_global(Global("torch", obj.name))


def write_device(encoder: Encoder, obj: device) -> None:
    where = (obj.type,) if obj.index is None else (obj.type, obj.index)
    encoder.reduce(Global("torch", "device"), *where)
    encoder.note(obj)


def write_layout(encoder: Encoder, obj: layout) -> None:
    encoder.reduce(LAYOUT, f"torch.{obj.name}")
    encoder.note(obj)


def no_hooks() -> OrderedDict[Any, Any]:
    """The hooks of a tensor, which are never saved."""
    return OrderedDict()


def write_tensor(encoder: Encoder, obj: Tensor) -> None:
    state = kept_attributes(encoder, obj)
    if state:
        function, args = described(encoder, obj)
        encoder.reduce(REBUILD_WITH_STATE, function, TENSOR, Plain(*args), state)
    else:
        function, args = described(encoder, obj)
        encoder.reduce(function, *args)
    encoder.note(obj)


def kept_attributes(encoder: Encoder, obj: Tensor) -> dict[str, Any]:
    """What the user has attached to a tensor."""
    return {
        name: value
        for name, value in obj.__dict__.items()
        if not name.startswith("_") and not callable(value)
    }


def described(encoder: Encoder, x: Tensor) -> tuple[Global, tuple[Any, ...]]:
    """The call that makes a tensor, without what is attached to it."""
    if x._k.is_sparse:
        return REBUILD_SPARSE, (x.layout, Plain(*sparse_parts(x)))
    memory, offset, steps = encoder.memories.place(x)
    where = (offset, Plain(*x._a.shape), Plain(*steps), x.requires_grad, no_hooks())
    if memory.typed is x.dtype:
        kind = Global("torch", STORAGES[x.dtype.name])
        n = memory.nbytes // x.itemsize
        stored = Stored("storage", kind, memory.key, memory.location, n)
        return REBUILD, (stored, *where)
    kind = Global("torch.storage", "UntypedStorage")
    stored = Stored("storage", kind, memory.key, memory.location, memory.nbytes)
    return REBUILD_BYTES, (stored, *where, x.dtype)


def sparse_parts(x: Any) -> tuple[Any, ...]:
    """What a sparse tensor is made of."""
    size = Size(x.shape)
    x = x.detach()
    if x.layout.name == "sparse_coo":
        return x._indices(), x._values(), size, x.is_coalesced()
    if x.layout.name == "sparse_csr":
        return x.crow_indices(), x.col_indices(), x.values(), size
    return x.ccol_indices(), x.row_indices(), x.values(), size


def write_parameter(encoder: Encoder, obj: Parameter) -> None:
    state = kept_attributes(encoder, obj)
    args = (data_of(obj), obj.requires_grad, no_hooks())
    if state:
        encoder.reduce(REBUILD_PARAMETER_WITH_STATE, *args, state)
    else:
        encoder.reduce(REBUILD_PARAMETER, *args)
    encoder.note(obj)


def data_of(x: Tensor) -> Tensor:
    """The values of a tensor, as a plain one."""
    return x.detach() if x._k.is_sparse else wrap(x._k, x._a)


def write_buffer(encoder: Encoder, obj: Buffer) -> None:
    state = {"persistent": obj.persistent, "_is_buffer": True}
    state.update(kept_attributes(encoder, obj))
    function, args = described(encoder, obj)
    encoder.reduce(REBUILD_WITH_STATE, function, TENSOR, Plain(*args), state)
    encoder.note(obj)


KNOWN: dict[type, Callable[[Encoder, Any], None]] = {
    bytes: write_bytes,
    bytearray: write_bytearray,
    list: write_list,
    tuple: write_tuple,
    dict: write_dict,
    OrderedDict: write_ordered,
    Counter: write_counter,
    set: write_set,
    frozenset: write_frozenset,
    slice: write_slice,
    Size: write_size,
    dtype: write_dtype,
    device: write_device,
    layout: write_layout,
    Tensor: write_tensor,
    Parameter: write_parameter,
    Buffer: write_buffer,
}
