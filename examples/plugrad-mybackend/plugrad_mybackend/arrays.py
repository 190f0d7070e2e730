"""An array library of its own: it stands for yours. Delete this file, import that.

- An `Array` holds its elements in memory that it got from NumPy, but it is no NumPy
  array, and no function takes the one for the other: they never mix by accident.
- An Array can be written, in place and by parts. Every result has memory of its own:
  there are no views.
- `functions` has the functions of the array API standard under their names there.
"""

from types import SimpleNamespace

import numpy as np
from array_api_compat import numpy as standard


class Array:
    """Elements of one dtype in some shape. The functions make them, you do not."""

    __slots__ = ("_memory",)
    __array_ufunc__ = None  # so that ndarray + Array is an error, too

    def __init__(self, memory):
        self._memory = memory

    dtype = property(lambda self: self._memory.dtype)
    shape = property(lambda self: self._memory.shape)
    ndim = property(lambda self: self._memory.ndim)
    mT = property(lambda self: lift(self._memory.mT))

    def __repr__(self):
        return f"Array({self._memory.tolist()}, dtype={self.dtype})"

    def __setitem__(self, key, value):
        self._memory[lower(key)] = lower(value)

    def __array__(self, dtype=None, copy=None):
        return np.array(self._memory, dtype=dtype, copy=copy)

    def __iadd__(self, other):
        with np.errstate(all="ignore"):
            self._memory += lower(other)
        return self


def lower(value):
    """NumPy's array for an Array, wherever in the arguments it stands."""
    if isinstance(value, np.ndarray):
        raise TypeError("this is NumPy's array; asarray() makes an Array of it")
    if isinstance(value, list | tuple):
        return type(value)(map(lower, value))
    return getattr(value, "_memory", value)


def lift(value):
    """An Array with memory of its own for each array of NumPy among the results."""
    if isinstance(value, np.ndarray | np.generic):
        return Array(np.array(value))
    if isinstance(value, list | tuple):
        return tuple(map(lift, value))
    return value


def lifted(function):
    """A function of NumPy as one of Arrays."""

    def call(*args, **kwargs):
        kwargs = {name: lower(value) for name, value in kwargs.items()}
        with np.errstate(all="ignore"):
            return lift(function(*map(lower, args), **kwargs))

    return call


def operator(name):
    """A method of NumPy's arrays as one of Arrays."""
    found = lifted(getattr(np.ndarray, name))

    def method(self, *others, **options):
        if any(isinstance(other, np.ndarray) for other in others):
            return NotImplemented
        return found(self, *others, **options)

    return method


# Between two arrays, either of which may be a number; and of one, or in one order.
TWO = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
ONE = "neg pos abs invert getitem lt le gt ge eq ne bool int float complex index "
ONE += "dlpack dlpack_device"
for each in [*TWO, *("r" + name for name in TWO), *ONE.split()]:
    setattr(Array, f"__{each}__", operator(f"__{each}__"))


def asarray(data, dtype=None, copy=None):
    """An Array from an Array, a NumPy array, or nested lists of numbers."""
    return Array(np.array(getattr(data, "_memory", data), dtype=dtype, copy=copy))


FUNCTIONS = """
abs acos acosh add all any arange argmax argmin argsort asin asinh astype atan atan2
atanh bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift
bitwise_xor broadcast_arrays broadcast_to can_cast ceil clip concat conj copysign cos
cosh count_nonzero cumulative_prod cumulative_sum diff divide empty empty_like equal
exp expand_dims expm1 eye finfo flip floor floor_divide full full_like greater
greater_equal hypot iinfo imag isdtype isfinite isin isinf isnan less less_equal
linspace log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor
matmul matrix_transpose max maximum mean meshgrid min minimum moveaxis multiply
negative nextafter nonzero not_equal ones ones_like permute_dims positive pow prod
real reciprocal remainder repeat reshape result_type roll round searchsorted sign
signbit sin sinh sort sqrt square squeeze stack std subtract sum take take_along_axis
tan tanh tensordot tile tril triu trunc unique_all unique_counts unique_inverse
unique_values unstack var vecdot where zeros zeros_like
"""
LINALG = """
cholesky cross det diagonal eigh eigvalsh inv matrix_norm matrix_power matrix_rank
outer pinv qr slogdet solve svd svdvals trace vector_norm
"""
DTYPES = """
bool int8 int16 int32 int64 uint8 uint16 uint32 uint64
float16 float32 float64 complex64 complex128
"""
functions = SimpleNamespace(
    **{name: lifted(getattr(standard, name)) for name in FUNCTIONS.split()},
    **{name: np.dtype(name) for name in DTYPES.split()},
    linalg=SimpleNamespace(
        **{name: lifted(getattr(standard.linalg, name)) for name in LINALG.split()}
    ),
    asarray=asarray,
    from_dlpack=lambda x: Array(np.from_dlpack(x)),
)
