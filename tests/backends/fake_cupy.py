"""A module that stands in for CuPy where there is no GPU.

Fake are: the devices (two), streams and events (objects that note what was asked of
them), the memory pool (it counts), and the arrays, which are NumPy's inside. What keeps
the tests honest:

- an array of NumPy among the arguments is an error, as it is in CuPy, and only `get`
  and `asnumpy` lead out;
- names of NumPy that CuPy does not have are missing (NOT_IN_CUPY; a test compares them
  with the real CuPy where that is installed);
- results without dimensions are arrays, views know their memory, an index out of bounds
  wraps around, as in CuPy, and an array of another device than the current one is
  an error;
- the C++ of ElementwiseKernel, ReductionKernel and RawKernel is compiled for the CPU
  and run.

What it cannot show: CUDA's compiler, speed, rounding of CUDA's functions, and races.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import types
import weakref

import numpy as np

from tests.backends.fake_kernels import ElementwiseKernel, RawKernel, ReductionKernel

NOT_IN_CUPY = set(
    """False_ ScalarType True_ asmatrix block bmat busday_count busday_offset char
    busdaycalendar bytes_ character clongdouble complex256 core ctypeslib datetime64
    datetime_as_string datetime_data dtypes einsum_path emath errstate f2py flexible
    float128 frompyfunc fromregex geomspace get_include getbufsize geterr geterrcall
    histogram_bin_edges info insert is_busday isnat little_endian longdouble ma matrix
    matvec memmap nanpercentile nanquantile ndenumerate nditer nested_iters object_
    polyder polydiv polyint rec recarray record sctypeDict setbufsize seterr seterrcall
    show_runtime spacing str_ strings test timedelta64 typecodes unstack vecdot vecmat
    void""".split()
)
DEVICES = 2
LOG: list[tuple] = []  # what was asked of devices, streams and events


class CUDARuntimeError(RuntimeError):
    """CuPy's error of the same name."""


# --- Memory ---------------------------------------------------------------------------

MEMORIES: dict[int, weakref.ref] = {}  # by the address of the buffer


class Memory:
    """A block of bytes of a device, in units of 512 bytes."""

    def __init__(self, size):
        self.size = max(-(-size // 512), 1) * 512
        self.buffer = np.zeros(self.size, np.uint8)
        self.ptr = address(self.buffer)
        self.device_id = current()
        MEMORIES[self.ptr] = weakref.ref(self)
        POOL.change(self.device_id, self.size)

    def __del__(self):
        POOL.change(self.device_id, -self.size)


class MemoryPointer:
    def __init__(self, mem, offset):
        self.mem, self.ptr, self.device_id = mem, mem.ptr + offset, mem.device_id


class MemoryPool:
    def __init__(self):
        self.used, self.total = [0] * DEVICES, [0] * DEVICES

    def change(self, device, size):
        self.used[device] += size
        self.total[device] = max(self.used[device], self.total[device])

    def malloc(self, size):
        return MemoryPointer(Memory(size), 0)

    def used_bytes(self):
        return self.used[current()]

    def total_bytes(self):
        return self.total[current()]

    def free_all_blocks(self):
        self.total = list(self.used)

    def set_limit(self, size=None, fraction=None):
        LOG.append(("set_limit", current(), fraction))


POOL = MemoryPool()
ALLOCATOR = [POOL.malloc]


class PinnedMemoryPointer(ctypes.Structure):
    """Memory that NumPy arrays can lie in: a buffer, as CuPy's class is."""


def empty_pinned(shape, dtype=float, order="C"):
    dtype = np.dtype(dtype)
    size = max(int(np.prod(shape)) * dtype.itemsize, 1)
    fields = {"_fields_": [("bytes", ctypes.c_ubyte * size)]}
    memory = type("PinnedMemoryPointer", (PinnedMemoryPointer,), fields)()
    return np.ndarray(shape, dtype, memory, order=order)


# --- Devices, streams, events ---------------------------------------------------------

STATE = {"device": 0, "streams": [None] * DEVICES}


def current():
    return STATE["device"]


class Device:
    def __init__(self, device=None):
        self.id = current() if device is None else int(device)
        if not 0 <= self.id < DEVICES:
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        self.before = []

    def __enter__(self):
        self.before.append(current())
        STATE["device"] = self.id
        return self

    def __exit__(self, *exc_info):
        STATE["device"] = self.before.pop()

    def __eq__(self, other):
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self):
        return self.id

    def use(self):
        STATE["device"] = self.id

    def synchronize(self):
        LOG.append(("synchronize device", self.id))


class Event:
    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self.options = block, disable_timing, interprocess
        self.ptr, self.done, self.device = id(self), False, current()
        self.at = None

    def record(self, stream=None):
        stream = get_current_stream() if stream is None else stream
        self.at = len(LOG)
        stream.waiting.append(self)
        LOG.append(("record", self, stream))

    def synchronize(self):
        self.done = True
        LOG.append(("synchronize event", self))


class Stream:
    null = None

    def __init__(self, null=False, non_blocking=False, ptds=False, priority=None):
        self.ptr = 0 if null else id(self)
        self.device_id = -1 if null else current()
        self.priority, self.is_non_blocking = priority or 0, non_blocking
        self.waiting, self.before = [], []

    @classmethod
    def from_external(cls, other):
        made = cls()
        _, made.ptr = other.__cuda_stream__()
        return made

    @property
    def done(self):
        return all(each.done for each in self.waiting)

    def __eq__(self, other):
        return isinstance(other, Stream) and self.ptr == other.ptr

    def __hash__(self):
        return self.ptr

    def __enter__(self):
        self.before.append(STATE["streams"][current()])
        return self.use()

    def __exit__(self, *exc_info):
        STATE["streams"][current()] = self.before.pop()

    def use(self):
        if self.device_id not in (-1, current()):
            raise RuntimeError("the stream's device is not the current device")
        STATE["streams"][current()] = self
        return self

    def record(self, event=None):
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event):
        LOG.append(("wait", self, event))

    def synchronize(self):
        for each in self.waiting:
            if isinstance(each, Event):
                each.done = True
            else:
                each()
        self.waiting.clear()
        LOG.append(("synchronize stream", self))


Stream.null = Stream(null=True)


def get_current_stream(device_id=-1):
    found = STATE["streams"][current() if device_id == -1 else device_id]
    return Stream.null if found is None else found


# --- Arrays ---------------------------------------------------------------------------


def address(x):
    return x.__array_interface__["data"][0]


def as_memory(pointer, shape, dtype, strides=None):
    offset = pointer.ptr - pointer.mem.ptr
    return np.ndarray(shape, dtype, pointer.mem.buffer, offset, strides)


class Flags:
    def __init__(self, x):
        self.c_contiguous = x.flags.c_contiguous
        self.f_contiguous = x.flags.f_contiguous


class ndarray:
    """An array of a fake device; `host` is what it is inside."""

    __array_priority__ = 100

    def __init__(self, shape, dtype=float, memptr=None, strides=None, order="C"):
        dtype = np.dtype(dtype)
        count = int(np.prod(shape))
        if memptr is None:
            memptr = ALLOCATOR[0](count * dtype.itemsize)
        self.set_up(as_memory(memptr, shape, dtype, strides), memptr.mem, None)

    def set_up(self, host, mem, base):
        self.host, self.base = host, base
        self.data = MemoryPointer(mem, (address(host) - mem.ptr) if host.size else 0)

    def get(self, stream=None, order="C", out=None, blocking=True):
        if out is None:
            return np.array(self.host, order="C")
        assert out.shape == self.shape and out.dtype == self.dtype
        if blocking:
            out[...] = self.host
        else:
            get_current_stream().waiting.append(lambda: np.copyto(out, self.host))
        return out

    def set(self, arr, stream=None):
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if self.dtype != arr.dtype or self.shape != arr.shape:
            raise TypeError("dtype or shape differs")
        self.host[...] = arr
        LOG.append(("set", self.data.device_id))

    def __array__(self, *args, **kwargs):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()`."
        )

    @property
    def device(self):
        return Device(self.data.device_id)

    @property
    def flags(self):
        return Flags(self.host)

    def copy(self, order="C"):
        return fresh(self.host, order)

    def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
        if not copy and self.dtype == dtype:
            return self
        with np.errstate(all="ignore"):
            return fresh(self.host.astype(dtype, order=order))

    def item(self):
        return self.host.item()

    def tolist(self):
        return self.host.tolist()

    def __bool__(self):
        return bool(self.host)

    def __int__(self):
        return int(self.host)

    def __float__(self):
        return float(self.host)

    def __complex__(self):
        return complex(self.host)

    def __index__(self):
        return self.host.__index__()

    def __len__(self):
        return len(self.host)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"fake {self.host!r}"

    def __getitem__(self, index):
        return again(self.host[wrapped(self, index)], self)

    def __setitem__(self, index, value):
        with np.errstate(all="ignore"):
            self.host[wrapped(self, index)] = inside(value)

    def take(self, indices, axis=None, out=None):
        if not self.size and indices.size:
            raise IndexError("cannot do a non-empty take from an empty axes.")
        return fresh(np.take(self.host, inside(indices), axis, mode="wrap"))

    def sort(self, axis=-1, kind=None):
        if not self.flags.c_contiguous:
            raise NotImplementedError("Sorting non-contiguous array is not supported.")
        self.host.sort(axis, kind="stable")


def wrapped(x, index):
    """An index with its arrays taken around, as CuPy does."""
    items = index if type(index) is tuple else (index,)
    if not any(isinstance(each, ndarray) for each in items):
        return index
    found, dim = [], 0
    for each in items:
        if isinstance(each, ndarray):
            each = each.host
            if each.dtype.kind != "b":
                each, dim = each % x.shape[dim], dim + 1
            else:
                dim += each.ndim
        elif each is not None and each is not Ellipsis:
            dim += 1
        found.append(each)
    return tuple(found)


def inside(value):
    """What an argument is inside; arrays of NumPy and of other devices are refused."""
    if isinstance(value, ndarray):
        if value.data.device_id != current():
            raise ValueError(
                f"The device where the array resides ({value.data.device_id}) is "
                f"different from the current device ({current()})."
            )
        return value.host
    if isinstance(value, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if type(value) in (list, tuple):
        return type(value)(inside(each) for each in value)
    return value


def fresh(host, order="C"):
    """A new array of the values."""
    host = np.asarray(host)
    order = "C" if order == "K" else order
    made = ndarray(host.shape, host.dtype)
    made.host[...] = host
    return made


def again(value, *sources):
    """A result as an array: a view where NumPy made one."""
    if type(value) in (list, tuple) or hasattr(value, "_fields"):
        items = [again(each, *sources) for each in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if not isinstance(value, np.ndarray | np.generic):
        return value
    value = np.asarray(value)
    under = value
    while isinstance(under.base, np.ndarray):
        under = under.base
    link = MEMORIES.get(address(under))
    mem = None if link is None else link()
    if mem is None or mem.buffer is not under:
        return fresh(value)
    for each in sources:
        if isinstance(each, ndarray) and each.data.mem is mem:
            if each.host is value:
                return each
            made = object.__new__(ndarray)
            if not value.flags.writeable and value.size <= each.size:
                value.flags.writeable = True  # a diagonal: CuPy has no such flag
            made.set_up(value, mem, each if each.base is None else each.base)
            return made
    return fresh(value)


def called(function):
    """A function of NumPy's as CuPy's."""

    def call(*args, **kwargs):
        out = kwargs.get("out")
        kwargs = {key: inside(value) for key, value in kwargs.items()}
        with np.errstate(all="ignore"):
            found = function(*inside(args), **kwargs)
        return out if isinstance(out, ndarray) else again(found, *flat(args))

    call.__name__ = getattr(function, "__name__", "call")
    return call


def flat(args):
    for each in args:
        if type(each) in (list, tuple):
            yield from flat(each)
        else:
            yield each


def method(name):
    def call(self, *args, **kwargs):
        if name in ("argmax", "argmin", "argsort"):
            kwargs.pop("dtype", None)
        return called(lambda x, *a, **k: getattr(x, name)(*a, **k))(
            self, *args, **kwargs
        )

    return call


for (
    name
) in """all any argmax argmin argsort clip conj cumprod cumsum diagonal dot flatten
max mean min nonzero prod ravel repeat reshape round searchsorted squeeze std sum
swapaxes trace transpose var view __neg__ __pos__ __abs__ __invert__""".split():
    setattr(ndarray, name, method(name))
for (
    name
) in """add sub mul truediv floordiv mod pow matmul and or xor lshift rshift eq ne lt
le gt ge""".split():
    for form in (f"__{name}__", f"__r{name}__", f"__i{name}__"):
        if hasattr(np.ndarray, form):
            setattr(ndarray, form, method(form))
for name in "T mT real imag".split():
    setattr(ndarray, name, property(method("__getattribute__").__get__))
for name in "shape dtype ndim size itemsize nbytes strides".split():
    setattr(ndarray, name, property(lambda self, name=name: getattr(self.host, name)))
for name in "T mT real imag".split():
    setattr(
        ndarray,
        name,
        property(lambda self, name=name: again(getattr(self.host, name), self)),
    )


# --- The modules ----------------------------------------------------------------------


def array(
    obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False
):
    if isinstance(obj, ndarray):
        if not copy and obj.dtype == (dtype or obj.dtype):
            return obj
        return fresh(obj.host.astype(dtype or obj.dtype))
    return fresh(np.array(obj, dtype=dtype))


def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    return array(a, dtype, copy)


def argsort(a, axis=-1, kind=None):
    return fresh(np.argsort(inside(a), axis, kind="stable"))


def sort(a, axis=-1, kind=None):
    return fresh(np.sort(inside(a), axis, kind="stable"))


def scatter(ufunc, allowed):
    def at(a, slices, value):
        if a.dtype.name not in allowed.split():
            raise TypeError(f"{ufunc.__name__}.at does not support {a.dtype}")
        value = inside(value)
        ufunc.at(a.host, wrapped(a, slices), np.asarray(value).astype(a.dtype))

    return at


class Module(types.ModuleType):
    """A module whose missing names are functions of a module of NumPy's."""

    def __init__(self, name, source=None, **names):
        super().__init__(name)
        self.__spec__ = types.SimpleNamespace(name=name, parent=name)
        self.__path__ = []
        self.source = source
        self.__dict__.update(names)
        offered = [n for n in dir(source) if n[0] != "_"] if source else []
        self.__all__ = [n for n in offered if n not in NOT_IN_CUPY] + list(names)

    def __getattr__(self, name):
        if name.startswith("__") or name in NOT_IN_CUPY or self.source is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = getattr(self.source, name)
        made = found
        if callable(found) and not isinstance(found, type):
            made = called(found)
        setattr(self, name, made)
        return made


PROPERTIES = {
    "name": b"Fake GPU",
    "major": 9,
    "minor": 0,
    "totalGlobalMem": 1 << 34,
    "multiProcessorCount": 2,
    "maxThreadsPerMultiProcessor": 2048,
    "warpSize": 32,
    "l2CacheSize": 1 << 20,
}


def modules():
    """What stands in sys.modules for CuPy: by name."""
    runtime = Module(
        "cupy.cuda.runtime",
        getDevice=current,
        setDevice=lambda i: Device(i).use(),
        getDeviceCount=lambda: DEVICES,
        getDeviceProperties=lambda i: PROPERTIES,
        memGetInfo=lambda: (1 << 33, 1 << 34),
        deviceCanAccessPeer=lambda a, b: int(a != b),
    )
    nvtx = Module(
        "cupy.cuda.nvtx",
        RangePush=lambda text: LOG.append(("push", text)),
        RangePop=lambda: LOG.append(("pop",)),
        Mark=lambda text: LOG.append(("mark", text)),
    )
    cuda = Module(
        "cupy.cuda",
        runtime=runtime,
        nvtx=nvtx,
        Device=Device,
        Stream=Stream,
        Event=Event,
        MemoryPointer=MemoryPointer,
        PinnedMemoryPointer=PinnedMemoryPointer,
        get_current_stream=get_current_stream,
        get_elapsed_time=lambda a, b: float(b.at - a.at),
        get_allocator=lambda: ALLOCATOR[0],
        set_allocator=lambda f: ALLOCATOR.__setitem__(0, f or POOL.malloc),
    )
    cuda.device = Module("cupy.cuda.device", Device=Device)
    tricks = Module(
        "cupy.lib.stride_tricks",
        as_strided=lambda x, shape=None, strides=None: ndarray(
            shape, x.dtype, x.data, strides
        ),
    )
    cupy = Module(
        "cupy",
        np,
        ndarray=ndarray,
        cuda=cuda,
        lib=Module("cupy.lib", stride_tricks=tricks),
        linalg=Module("cupy.linalg", np.linalg),
        fft=Module("cupy.fft", np.fft),
        array=array,
        asarray=asarray,
        empty=lambda shape, dtype=float: ndarray(shape, dtype),
        argsort=argsort,
        sort=sort,
        take=lambda a, indices, axis=None, out=None: a.take(indices, axis),
        ElementwiseKernel=ElementwiseKernel,
        ReductionKernel=ReductionKernel,
        RawKernel=RawKernel,
        get_default_memory_pool=lambda: POOL,
        get_default_pinned_memory_pool=lambda: MemoryPool(),
        is_available=lambda: True,
    )
    cupy.__version__ = "14.0.0"
    atomic = "int32 uint32 uint64 float32 float64"
    cupyx = Module(
        "cupyx",
        scatter_add=scatter(np.add, atomic + " float16"),
        scatter_max=scatter(np.fmax, atomic + " int64"),
        scatter_min=scatter(np.fmin, atomic + " int64"),
        empty_pinned=empty_pinned,
        errstate=lambda linalg=None: contextlib.nullcontext(),
    )
    found = [cupy, cupyx, cuda, cuda.device, runtime, cupy.linalg, cupy.fft, cupy.lib]
    return {each.__name__: each for each in found}


@contextlib.contextmanager
def installed():
    """`with installed() as cupy:` CuPy is this module."""
    given = modules()
    kept = {
        name: sys.modules.pop(name)
        for name in list(sys.modules)
        if name in given
        or name.partition(".")[0] in ("cupy", "cupyx")
        or name.startswith("array_api_compat.cupy")
    }
    sys.modules.update(given)
    try:
        yield given["cupy"]
    finally:
        for name in list(sys.modules):
            if name in given or name.startswith("array_api_compat.cupy"):
                del sys.modules[name]
        sys.modules.update(kept)
        ALLOCATOR[:] = [POOL.malloc]
        STATE.update(device=0, streams=[None] * DEVICES)
        LOG.clear()
