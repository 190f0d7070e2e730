"""What a tensor's elements are, and which dtype comes out when several go in.

This module must

- hold the dtypes, one object each: `a.dtype is plugrad.float32` is the test for
  equality, copies and pickles included;
- answer as PyTorch does for promotion (`promote_types`, `result_dtype`), casting
  (`can_cast`) and the default dtype;
- understand how others name a dtype (`as_dtype`), without importing any of them.

There is no complex number of two float16: what is complex32 in PyTorch is complex64
here.

`bool`, `int` and `float` are dtypes to whoever imports them from here, but not in
this module's own globals, where the code needs Python's: `__getattr__` serves them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Never, TypeAlias

    DTypeLike: TypeAlias = "type[bool | int | float | complex] | dtype"
    """Where PyTorch takes a dtype: one of ours, or a Python type."""

__all__ = [
    "as_dtype",
    "bfloat16",
    "bool",  # pyright: ignore[reportUnsupportedDunderAll]
    "can_cast",
    "cdouble",
    "cfloat",
    "complex64",
    "complex128",
    "double",
    "dtype",
    "float",  # pyright: ignore[reportUnsupportedDunderAll]
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "half",
    "int",  # pyright: ignore[reportUnsupportedDunderAll]
    "int8",
    "int16",
    "int32",
    "int64",
    "long",
    "promote_types",
    "result_dtype",
    "scalar_dtype",
    "set_default_dtype",
    "short",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]


class dtype:
    """The type of a tensor's elements. There is one object per type.

    >>> import plugrad
    >>> plugrad.float32.itemsize, plugrad.float32.is_floating_point
    (4, True)
    >>> plugrad.float32.to_complex()
    plugrad.complex64
    """

    # The flags are slots, not properties: ops read them, and a slot takes 6 ns where a
    # property takes 37.
    __slots__ = (
        "is_complex",
        "is_floating_point",
        "is_signed",
        "itemsize",
        "kind",
        "name",
    )

    name: str
    """As NumPy spells it, such as 'float32'."""
    itemsize: int
    """Bytes per element."""
    kind: str
    """'b' bool, 'u' unsigned, 'i' signed, 'f' floating point, 'c' complex."""
    is_floating_point: bool
    """Whether it is a real floating-point type; False for complex ones."""
    is_complex: bool
    """Whether its values are complex numbers."""
    is_signed: bool
    """Whether it has negative values; True for complex types."""

    def __new__(cls, *args: object, **kwargs: object) -> Never:
        raise TypeError(
            "cannot create dtypes; use one that exists, such as plugrad.float32, "
            "or as_dtype('float32')"
        )

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"{self!r} is constant: cannot set {name!r}")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError(f"{self!r} is constant: cannot delete {name!r}")

    def to_real(self) -> dtype:
        """The type of the real part: float32 for complex64, itself if not complex."""
        return _REAL.get(self, self)

    def to_complex(self) -> dtype:
        """The complex type whose parts have this type; itself if complex already.

        float16 and bfloat16 give complex64, the smallest there is.
        """
        try:
            return _COMPLEX[self]
        except KeyError:
            raise RuntimeError(
                f"{self!r} has no complex type; convert to a floating-point type first"
            ) from None

    def __repr__(self) -> str:
        return f"plugrad.{self.name}"

    def __reduce__(self) -> str:
        # A string names a global of this module: pickle and deepcopy then give the
        # one object back instead of making another.
        return self.name


def _define(name: str, itemsize: int, kind: str) -> dtype:
    self = object.__new__(dtype)
    for slot, value in {
        "name": name,
        "itemsize": itemsize,
        "kind": kind,
        "is_floating_point": kind == "f",
        "is_complex": kind == "c",
        "is_signed": kind in "ifc",
    }.items():
        object.__setattr__(self, slot, value)
    return self


bool_ = _define("bool", 1, "b")
uint8 = _define("uint8", 1, "u")
int8 = _define("int8", 1, "i")
int16 = short = _define("int16", 2, "i")
int32 = _define("int32", 4, "i")
int64 = long = _define("int64", 8, "i")
uint16 = _define("uint16", 2, "u")
uint32 = _define("uint32", 4, "u")
uint64 = _define("uint64", 8, "u")
float16 = half = _define("float16", 2, "f")
bfloat16 = _define("bfloat16", 2, "f")
float32 = _define("float32", 4, "f")
float64 = double = _define("float64", 8, "f")
complex64 = cfloat = _define("complex64", 8, "c")
complex128 = cdouble = _define("complex128", 16, "c")

BY_NAME: Final[dict[str, dtype]] = {
    d.name: d
    for d in (
        *(bool_, uint8, int8, int16, int32, int64, uint16, uint32, uint64),
        *(float16, bfloat16, float32, float64, complex64, complex128),
    )
}

ALIASES: Final[dict[str, dtype]] = {
    "half": float16,
    "float": float32,
    "double": float64,
    "short": int16,
    "int": int32,
    "long": int64,
    "cfloat": complex64,
    "cdouble": complex128,
}

_BUILTIN_NAMES = {"bool": bool_, "int": int32, "float": float32}


def __getattr__(name: str) -> dtype:
    try:
        return _BUILTIN_NAMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


_REAL = {complex64: float32, complex128: float64}

_COMPLEX = {
    float16: complex64,
    bfloat16: complex64,
    float32: complex64,
    float64: complex128,
    complex64: complex64,
    complex128: complex128,
}

# What Python's types mean as the argument `dtype=`. The same types as operands follow
# the default dtype instead: SCALAR_DTYPES.
_PYTHON_TYPES: dict[object, dtype] = {
    bool: bool_,
    int: int64,
    float: float64,
    complex: complex128,
}


# ------------------------------------------------------------------- default dtype

# The dtype as which a Python scalar takes part in promotion, by its class. The default
# dtype is the entry of float; it is kept nowhere else.
SCALAR_DTYPES: Final[dict[type, dtype]] = {
    bool: bool_,
    int: int64,
    float: float32,
    complex: complex64,
}


def get_default_dtype() -> dtype:
    """The dtype of tensors made from Python floats; float32 unless it was set.

    >>> import plugrad
    >>> plugrad.get_default_dtype()
    plugrad.float32
    """
    return SCALAR_DTYPES[float]


def set_default_dtype(d: dtype) -> None:
    """Make `d`, a floating-point dtype, the dtype of tensors made from Python floats.

    Python complex numbers follow: complex128 for float64, else complex64.

    >>> import plugrad
    >>> plugrad.set_default_dtype(plugrad.float64)
    >>> plugrad.get_default_dtype()
    plugrad.float64
    >>> plugrad.set_default_dtype(plugrad.float32)
    """
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(
            f"set_default_dtype() takes a floating-point dtype such as "
            f"plugrad.float64, not {d!r}"
        )
    SCALAR_DTYPES[float] = d
    SCALAR_DTYPES[complex] = d.to_complex()


def scalar_dtype(value: complex) -> dtype:
    """The dtype as which a Python number takes part in promotion.

    >>> from plugrad.dtypes import scalar_dtype
    >>> scalar_dtype(True), scalar_dtype(2), scalar_dtype(2.0), scalar_dtype(2j)
    (plugrad.bool, plugrad.int64, plugrad.float32, plugrad.complex64)
    """
    try:
        return SCALAR_DTYPES[value.__class__]
    except KeyError:
        pass
    for base, d in SCALAR_DTYPES.items():  # an IntEnum, numpy.float64, ...
        if isinstance(value, base):
            return d
    raise TypeError(
        f"expected a Python bool, int, float or complex, not {type(value).__name__}"
    )


# ----------------------------------------------------------------------- promotion

_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
_PROMOTED: dict[tuple[DTypeLike, DTypeLike], dtype] = {}


def promote_types(type1: DTypeLike, type2: DTypeLike) -> dtype:
    """The smallest dtype that both convert to, in PyTorch's order of types.

    Raises RuntimeError where uint16, uint32 or uint64 meets another integer type, bool
    or a complex type.

    >>> import plugrad
    >>> plugrad.promote_types(plugrad.int8, plugrad.float16)
    plugrad.float16
    >>> plugrad.promote_types(plugrad.uint8, plugrad.int8)
    plugrad.int16
    >>> plugrad.promote_types(plugrad.float16, plugrad.bfloat16)
    plugrad.float32
    """
    try:
        return _PROMOTED[type1, type2]
    except (KeyError, TypeError):  # TypeError: an argument has no hash
        pass
    a, b = as_argument(type1, "promote_types"), as_argument(type2, "promote_types")
    d = _PROMOTED[a, b] = _promote(a, b)
    return d


def _promote(a: dtype, b: dtype) -> dtype:
    if a is b:
        return a
    if _RANK[a.kind] > _RANK[b.kind]:
        a, b = b, a
    if b.kind != "f" and (_is_wide_unsigned(a) or _is_wide_unsigned(b)):
        raise RuntimeError(
            f"no common dtype for {a.name} and {b.name}: uint16, uint32 and uint64 "
            "combine only with themselves and with floating-point types; convert one "
            "of the two first, for example with x.to(plugrad.int64)"
        )
    if _RANK[a.kind] < _RANK[b.kind]:
        return complex128 if b is complex64 and a is float64 else b
    if a.itemsize == b.itemsize:  # neither holds the other's values
        return int16 if b.kind in "ui" else float32
    return a if a.itemsize > b.itemsize else b


def _is_wide_unsigned(d: dtype) -> bool:
    return d.kind == "u" and d.itemsize > 1


def can_cast(from_: DTypeLike, to: DTypeLike) -> bool:
    """Whether an in-place op may write `from_` results to a `to` tensor.

    The kinds count, not the sizes: complex to real, floating point to integer and
    anything to bool is refused.

    >>> import plugrad
    >>> plugrad.can_cast(plugrad.float64, plugrad.float16)
    True
    >>> plugrad.can_cast(plugrad.float16, plugrad.int64)
    False
    """
    a, b = as_argument(from_, "can_cast"), as_argument(to, "can_cast")
    return _RANK[a.kind] <= _RANK[b.kind]


_RESULTS: dict[tuple[dtype | None, dtype | None, dtype | None], dtype] = {}


def result_dtype(
    dims: dtype | None, zeros: dtype | None, scalars: dtype | None
) -> dtype:
    """The dtype of an op's result, from the promoted dtypes of its operands by group.

    The groups are tensors with dimensions, 0-d tensors and Python scalars (as
    `scalar_dtype` sees them); None is a group without members. A later group changes
    the result only where it is of a higher kind (bool, integer, floating point,
    complex) than those before it.

    >>> import plugrad
    >>> from plugrad.dtypes import result_dtype
    >>> result_dtype(plugrad.float16, plugrad.float64, None)
    plugrad.float16
    >>> result_dtype(plugrad.int8, None, plugrad.float32)
    plugrad.float32
    """
    # The default dtype is not read here, so nothing stored ever goes stale.
    try:
        return _RESULTS[dims, zeros, scalars]
    except KeyError:
        pass
    d = _combine(dims, _combine(zeros, scalars))
    if d is None:
        raise ValueError("result_dtype() needs at least one dtype")
    _RESULTS[dims, zeros, scalars] = d
    return d


def _combine(first: dtype | None, second: dtype | None) -> dtype | None:
    """What `first` becomes in the company of `second`, from a later group."""
    if first is None or second is None:
        return first or second
    if _RANK[second.kind] <= _RANK[first.kind]:
        return first
    if first.is_floating_point:
        return first.to_complex()  # float32 with complex128 stays in single precision
    if second.is_floating_point or second.is_complex:
        return second  # not promote_types, which refuses uint16 with complex64
    return promote_types(first, second)


# ------------------------------------------------------------------- names of others


def as_dtype(x: Any) -> dtype:
    """The dtype that `x` stands for: a dtype, a name, a Python type, NumPy's, torch's.

    Names are full ones: 'float' would be float32 to PyTorch and float64 to NumPy.
    Python's own float is float64, as in both.

    >>> from plugrad.dtypes import as_dtype
    >>> as_dtype("float32"), as_dtype(float)
    (plugrad.float32, plugrad.float64)
    """
    if x.__class__ is dtype:
        return x
    if isinstance(x, type):  # float, numpy.float32, ml_dtypes.bfloat16
        found = _PYTHON_TYPES.get(x) or BY_NAME.get(x.__name__)
    else:
        found = BY_NAME.get(_name_of(x))
    if found is None:
        raise TypeError(
            f"{x!r} is not a dtype that plugrad knows; they are {', '.join(BY_NAME)}"
        )
    return found


def _name_of(x: object) -> str:
    if isinstance(x, str):
        return x.removeprefix("plugrad.")
    name = getattr(x, "name", None)  # numpy.dtype("float32")
    if isinstance(name, str):
        return name
    return str(x).rpartition(".")[2]  # torch.float32, array_api_strict.float32


def as_argument(x: Any, function: str) -> dtype:
    """`x` where PyTorch takes a dtype: one of ours or a Python type, but no name."""
    if x.__class__ is dtype:
        return x
    if isinstance(x, type) and x in _PYTHON_TYPES:
        return _PYTHON_TYPES[x]
    raise TypeError(
        f"{function}() takes a dtype such as plugrad.float32, not {x!r}; "
        "plugrad.dtypes.as_dtype() understands the names of others"
    )
