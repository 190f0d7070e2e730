"""What an array library has to say to become a backend.

A backend gives:

- its name, the class of its arrays, and its array namespace (functions named as in
  the array API standard);
- how arrays come in and go out, and how its dtypes are called here;
- what its arrays can do: be written in place, be views of each other, wait with
  their computation; and which ops they cannot do, with the reason;
- the kernels it does better than the default bodies of the ops.

One object plays all these parts, and a tensor carries it: `k.NAME` is the namespace's
function of that name (or, where it has none, the op of that name), and `k._NAME` the
kernel that the op NAME calls. Either is looked up once and kept.
"""

from __future__ import annotations

from .dtypes import BY_NAME
from .errors import BackendError, UnsupportedOpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from .declare import Op
    from .devices import device
    from .dtypes import dtype
    from .fusing import Compute, Program
    from .memories import Memories
    from .namespace import TensorNamespace
    from .overrides import Overrides

    Array = Any
    Kernel = Callable[..., Any]

OPS: dict[str, Op] = {}  # every declared op by name; ops enter themselves


class Kinds(dict):  # of str: frozenset
    """The library's dtypes of some kinds: `k.kinds["fc"]` are the floating ones."""

    def __init__(self, by_native: dict[Any, dtype]) -> None:
        self.by_native = by_native

    def __missing__(self, kinds: str) -> frozenset[Any]:
        found = (n for n, each in self.by_native.items() if each.kind in kinds)
        self[kinds] = made = frozenset(found)
        return made


class Backend:
    """The base class of backends, and of the object `k` that ops and rules use.

    >>> import plugrad
    >>> k = plugrad.get_backend("numpy")
    >>> isinstance(k, plugrad.Backend), k.array_type.__name__, k.device_types
    (True, 'ndarray', ('cpu',))
    """

    name: str = ""
    array_type: type = object  # the class of the arrays
    namespace: Any = None  # functions named as in the array API standard
    kernels: Any = None  # a module or object with kernels named as the ops
    device_types: tuple[str, ...] = ("cpu",)
    writable: bool = True  # arrays can be written in place
    views: bool = True  # indexing and reshaping can share memory
    basic_views: bool = False  # an index of numbers and slices always gives a view
    around: Callable[[], Any] | None = None  # makes a context that all computing needs
    lazy: bool = False  # arrays are computed once their values are asked for
    host_memory: bool = True  # `to_host` may give the memory of the array itself
    leaves_out: Mapping[str, str] = {}  # "op" or "op[dtype]" -> why it cannot be done
    reads_values: Mapping[str, str] = {}  # op -> why it needs values on the host
    is_sparse: bool = False  # arrays keep some elements: ops are composed of values
    sparse: str | None = None  # the backend of sparse tensors on these arrays
    partners: tuple[str, ...] = ()  # backends whose arrays its kernels take, too
    tolerances: Mapping[str, tuple[float, float]] = {}  # dtype -> (rtol, atol)
    dtype_hints: Mapping[str, str] = {}  # what to install for a dtype that is missing
    ops: dict[str, Op] = OPS
    replaceable: tuple[str, ...] = ("fuse",)  # methods that kernel plugins may replace
    overrides: Sequence[Overrides] = ()  # kernel plugins in use, latest last

    def __init__(self) -> None:
        self.by_native: dict[Any, dtype] = {}
        self.by_dtype: dict[dtype, Any] = {}
        for each in BY_NAME.values():
            native = self.find_dtype(each)
            if native is not None:
                self.by_dtype[each] = native
                self.by_native[native] = each
        self.kinds = Kinds(self.by_native)
        self.scalars: dict[Any, dict[Any, Array]] = {}
        self.memories: Memories | None = None
        if not self.writable:
            from .memories import Memories

            self.memories = Memories(self)
        if self.around is not None:
            from .graph import AROUND

            AROUND.append(self.around)

    def __repr__(self) -> str:
        return f"<plugrad backend {self.name!r}>"

    def __reduce__(self) -> Any:
        from .selection import get_backend

        return get_backend, (self.name,)

    def __getattr__(self, name: str) -> Any:
        """Find a function or a kernel on its first use, and keep it."""
        before = self.overrides
        if name.startswith("_") and name[1:].rstrip("_") in OPS:
            found = self.kernel(name[1:], slot=True)
        elif not name.startswith("_") and hasattr(self.namespace, name):
            found = getattr(self.namespace, name)
        elif name in OPS:
            found = self.kernel(name)
        else:
            raise AttributeError(f"backend {self.name!r} has no function {name!r}")
        setattr(self, name, found)
        if self.overrides is not before:  # another thread switched them meanwhile
            self.__dict__.pop(name, None)
        return found

    def kernel(self, name: str, slot: bool = False) -> Kernel | None:
        """What is called for an op: a kernel plugin's, this backend's own or the op's
        default body; or a function that raises, if the backend leaves the op out. In a
        `slot`, which ops' functions call, pairs of kernels know of the graph."""
        found = self.find_kernel(name)
        if self.leaves_out and found is not None:
            found = limited(self, name.rstrip("_"), found)
        if self.memories is not None and found is not None:
            found = self.memories.watched(name.rstrip("_"), found)
        if self.overrides:
            from .overrides import overridden

            found = overridden(self, name, found, slot)
        return found

    def find_kernel(self, name: str) -> Kernel | None:
        """The backend's own kernel for an op, else the op's default body.

        A name with an underscore at its end asks for a kernel that writes its first
        argument; there is no default for those, so the answer may be None.
        """
        own = getattr(self.kernels, name, None)
        if own is not None or name.endswith("_"):
            return own
        op = OPS[name]

        def kernel(*args: Any) -> Any:
            return op.call_body(self, args, {})

        return kernel

    def notes(self) -> Sequence[str]:
        """What `plugrad doctor` should say of this installation, a line each: libraries
        that were found, settings that would help."""
        return ()

    def rest(self, resting: bool) -> None:
        """Kernels with threads of their own are in use, or no longer: threads that the
        library has for the same work should rest meanwhile. Both kinds wait by
        spinning, and would take each other's processors."""

    def compute(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function of raw arrays in the context that this library needs."""
        if self.around is None:
            return function(*args)
        with self.around():
            return function(*args)

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function from a list of arrays to a list of arrays, as one program; it is
        run on arrays of which `is_traced` is true."""
        raise UnsupportedOpError(
            f"compile: backend {self.name!r} cannot compile functions; move the "
            "tensors to one that can, such as .to(backend='jax'), or pass disable=True"
        )

    def fuse(self, program: Program) -> Compute | None:
        """A function that computes an elementwise program in one pass over arrays, or
        None where there is none. It gets the arrays, contiguous and of one dimension,
        and the program's numbers; several threads may call it. It is for backends that
        know their arrays' `address`."""
        return None

    def is_traced(self, array: Array) -> bool:
        """Whether `array` has no values yet, and belongs to a function that is being
        compiled."""
        return False

    # --- dtypes -----------------------------------------------------------------

    def find_dtype(self, each: dtype) -> Any:
        """The library's own dtype for ours, or None if it has none."""
        return getattr(self.namespace, each.name, None)

    def native(self, each: dtype) -> Any:
        """The library's own dtype for ours."""
        try:
            found = self.by_dtype[each]
        except KeyError:
            hint = self.dtype_hints.get(each.name)
            raise UnsupportedOpError(
                f"backend {self.name!r} has no dtype {each}"
                f"{f' ({hint})' if hint else ''}; it has "
                f"{', '.join(str(d) for d in self.by_dtype)}"
            ) from None
        if each.kind == "c":
            from .graph import COMPLEX

            COMPLEX[0] = True
        return found

    def dtype_of(self, array: Array) -> dtype:
        """Our dtype of one of the library's arrays."""
        try:
            return self.by_native[array.dtype]
        except KeyError:
            raise TypeError(
                f"backend {self.name!r} cannot take arrays of dtype {array.dtype}; "
                f"it takes {', '.join(d.name for d in self.by_dtype)}"
            ) from None

    def holds(self, condition: Array) -> bool:
        """Whether a condition holds everywhere; taken for granted where there are no
        values to look at yet."""
        return bool(self.all(condition))

    # --- arrays in and out --------------------------------------------------------

    def wrap(self, value: Any) -> Array:
        """An array from what a kernel returned, where that is not one (a scalar)."""
        return self.namespace.asarray(value)

    def home(self, value: Any) -> tuple[Backend, Array]:
        """Whose array it is that a kernel returned, where it is not one of
        `array_type`: this backend's own, once wrapped, or a partner's."""
        return self, self.wrap(value)

    def from_data(self, data: Any, dtype: Any, copy: bool | None = None) -> Array:
        """An array from nested sequences or scalars, in the given native dtype."""
        return self.namespace.asarray(data, dtype=dtype, copy=copy)

    def accepts(self, value: Any) -> bool:
        """Whether `value` is an array of this backend or can be read as one."""
        return isinstance(value, self.array_type)

    def from_array(self, value: Any) -> Array:
        """What `accepts` accepts as an array, on the same memory if that can be."""
        return value if type(value) is self.array_type else self.wrap(value)

    def from_buffer(self, data: memoryview, dtype: Any) -> Array:
        """A flat array of the elements that lie in some bytes, shared if can be."""
        code: Any = BUFFER_CODES[self.by_native[dtype].name]
        return self.from_data(data.cast(code).tolist(), dtype)

    def to_numpy(self, array: Array) -> Any:
        """A NumPy array of the same values, on the same memory if that can be."""
        return array.__array__()

    def to_list(self, array: Array) -> Any:
        """Nested lists of Python numbers; a number for an array without dimensions."""
        return self.to_numpy(array).tolist()

    def item(self, array: Array) -> Any:
        """The only element of `array`, as a Python number."""
        return self.to_numpy(array).item()

    def to_host(self, array: Array, non_blocking: bool = False) -> Any:
        """`to_numpy` for a move to another backend; `non_blocking` may return before
        the values are there."""
        return self.to_numpy(array)

    def from_host(
        self,
        values: Any,
        dtype: Any,
        copy: bool | None = None,
        device: device | None = None,
        non_blocking: bool = False,
    ) -> Array:
        """An array of the values of a NumPy array, on a device; `non_blocking` may
        return before they are there."""
        array = self.from_data(values, dtype, copy=copy)
        if device is None:
            return array
        return self.to_device(array, device.type, device.index)

    def pin(self, values: Any) -> Any:
        """A copy of a NumPy array in memory that devices read without a detour."""
        raise UnsupportedOpError(
            f"pin_memory: backend {self.name!r} has no pinned memory; leave pin_memory "
            "out, transfers work without it"
        )

    def is_pinned(self, values: Any) -> bool:
        """Whether a NumPy array lies in such memory."""
        return False

    def device_of(self, array: Array) -> tuple[str, int | None]:
        """The type and index of the device that holds `array`."""
        return ("cpu", None)

    def to_device(self, array: Array, kind: str, index: int | None) -> Array:
        """`array` on a device; the same array if it is there already."""
        if kind not in self.device_types:
            raise BackendError(
                f"backend {self.name!r} serves {', '.join(self.device_types)}, "
                f"not {kind!r}"
            )
        return array

    # --- memory -------------------------------------------------------------------

    def copy(self, array: Array) -> Array:
        """A contiguous copy."""
        return self.namespace.asarray(array, copy=True)

    def write(self, array: Array, values: Array) -> Array:
        """Write `values` into `array`; returns the array that now holds them."""
        if self.memories is not None:
            return self.memories.written(array, values)
        array[...] = values
        return array

    def write_view(self, array: Array, view: Array, values: Array) -> Array:
        """Write `values` into a view of `array`; returns what `array` is then."""
        if self.memories is not None:
            return self.memories.through(array, view, self.write(view, values))
        self.write(view, values)
        return array

    def owns(self, array: Array) -> bool:
        """Whether `array` alone refers to its memory."""
        return False

    def aliases(self, view: Array, array: Array) -> bool:
        """Whether `view`, made from `array`, shares its memory."""
        return self.memories is not None and self.memories.same(view, array)

    def strides(self, array: Array) -> tuple[int, ...]:
        """The steps between elements, in elements; row-major unless known better."""
        if self.memories is not None and id(array) in self.memories.layouts:
            return self.memories.reference.strides(self.memories.ghost(array))
        steps: list[int] = []
        step = 1
        for n in reversed(array.shape):
            steps.append(step)
            step *= max(n, 1)
        return tuple(reversed(steps))

    def dense_order(self, array: Array) -> tuple[int, ...] | None:
        """The dimensions from outermost to innermost, or None if that is their order
        already, or they have none because elements are repeated."""
        steps, shape = self.strides(array), array.shape
        dims = range(len(steps))
        if any(steps[i] == 0 and shape[i] > 1 for i in dims):
            return None
        order = tuple(sorted(dims, key=lambda i: -steps[i] if shape[i] > 1 else 0))
        return None if order == tuple(dims) else order

    def is_dense(self, array: Array) -> bool:
        """Whether the elements follow each other in order, without gaps."""
        expected = 1
        for size, step in zip(reversed(array.shape), reversed(self.strides(array))):
            if size != 1 and step != expected:
                return 0 in array.shape
            expected *= size
        return True

    def address(self, array: Array) -> int:
        """The address of the first element, or something as good as one."""
        if self.memories is not None:
            return self.memories.reference.address(self.memories.ghost(array))
        return id(array)

    def extent(self, array: Array) -> tuple[int, int]:
        """The address and the number of bytes of all the memory that `array` is a
        part of."""
        if self.memories is not None:
            return self.memories.reference.extent(self.memories.ghost(array))
        n = self.dtype_of(array).itemsize
        for size in array.shape:
            n *= size
        return self.address(array), n

    def whole(self, array: Array) -> Array:
        """All the memory that `array` is a part of, as one dimension."""
        return self.namespace.reshape(array, (-1,))

    def fingerprint(self, array: Array) -> Any:
        """Something that differs when the elements differ."""
        return hash(self.to_numpy(array).tobytes())

    # --- scalars and the tensors' namespace -----------------------------------------

    def scalar(self, value: Any, native: Any) -> Array:
        """A Python number as a 0-d array of a native dtype of at least its kind; a
        TypeError otherwise.

        Recent ones are kept for the floating dtypes: an operand that is a 0-d array
        costs NumPy half of what a Python number does (190 ns against 420).
        """
        kept = self.scalars.get(native)
        if kept is not None:
            found = kept.get(value)
            if found is not None:
                return found
        ours = self.by_native[native]
        if RANK[type(value)] > RANK[ours.kind]:
            raise TypeError(f"{value!r} does not fit {ours}")
        found = self.make_scalar(value, ours)
        # 0.0 == -0.0, so zeros are not kept; each NaN would be kept anew
        if value and value == value and ours.kind == "f":
            kept = self.scalars.setdefault(native, {})
            if len(kept) < 1000:
                kept[value] = found
        return found

    def make_scalar(self, value: Any, each: dtype) -> Array:
        """A 0-d array; integers wrap around as PyTorch's do."""
        if each.kind in "iu":
            bits = 8 * each.itemsize
            value = int(value) & ((1 << bits) - 1)
            if each.kind == "i" and value >> (bits - 1):
                value -= 1 << bits
        return self.from_data(value, self.native(each))

    @property
    def tensors(self) -> TensorNamespace:
        """The same names as this object's, as functions of Tensors."""
        from .namespace import TensorNamespace

        found = self.__dict__["tensors"] = TensorNamespace(self)
        return found


def limited(k: Backend, name: str, kernel: Kernel) -> Kernel:
    """`kernel`, but for what its backend leaves out of the op."""
    why = k.leaves_out.get(name)
    if why is not None:

        def refuse(*args: Any) -> Any:
            raise UnsupportedOpError(f"{name}: backend {k.name!r} leaves it out: {why}")

        return refuse
    start = name + "["
    dtypes = {
        key[len(start) : -1]: why
        for key, why in k.leaves_out.items()
        if key.startswith(start)
    }
    if not dtypes:
        return kernel

    natives = {native for native, d in k.by_native.items() if d.name in dtypes}

    def check(*args: Any) -> Any:
        for x in args:
            if getattr(x, "dtype", None) in natives:
                each = k.by_native[x.dtype].name
                raise UnsupportedOpError(
                    f"{name}: backend {k.name!r} leaves it out for {each}: "
                    f"{dtypes[each]}"
                )
        return kernel(*args)

    return check


# what Python calls the dtypes of a buffer
BUFFER_CODES = {
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint8": "B",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
RANK = {bool: 0, int: 1, float: 2, complex: 3, "b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
