"""oneDNN's C library: where it lies, how it is loaded, and the calls in use.

- The library is libdnnl of version 3, of a distribution from PyPI or of the system.
  Nothing is compiled: its functions are called through ctypes, which gives other
  Python threads their turn meanwhile.
- Numbers below are those of dnnl_types.h; versions 3.2 to 3.12 have the same.
- Its threads are OpenMP's, which remembers their number for each calling thread; so
  each thread asks for it anew when it was changed (`Here.ready`).
- OpenMP's threads do not live on in a forked process, and GNU's waits for them for
  ever. There, the thread that forked computes alone.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from ctypes import (
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_float,
    c_int,
    c_int64,
    c_uint,
    c_void_p,
)
from ctypes.util import find_library
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from threading import local
from typing import Any

import numpy as np

from plugrad import BackendError

FLOAT32 = 3
CPU = 1
FREE, BY_SIXTEEN = 1, 56  # layouts: the primitive's choice, channels in sixteens
FORWARD_TRAINING, FORWARD_INFERENCE = 64, 96
BY_ARGUMENT, SCRATCH, INPUTS, IMPLEMENTATION = 255, 136, 3, 8  # of dnnl_query_t
SOURCE, SOURCE_1, TARGET, WEIGHTS, BIAS = 1, 2, 17, 33, 41
MEAN, VARIANCE, SCALE, SHIFT, WORKSPACE, SCRATCHPAD = 49, 50, 51, 52, 64, 80
DIFF_SOURCE, DIFF_TARGET, DIFF_WEIGHTS, DIFF_BIAS = 129, 145, 161, 169
DIFF_SCALE, DIFF_SHIFT = 255, 256
REORDER_FROM, REORDER_TO = 1, 17
FUSED = 32768  # times the number of what is fused, from 1: its operand is SOURCE_1
TANH, LOGISTIC = 33, 41
ADD, MULTIPLY = 0x1FFF0, 0x1FFF1
SUM = 0  # what was there before: of another kind than the numbers of functions
MOST_DIMS = 12
STATUS = (
    "success", "out of memory", "invalid arguments", "unimplemented",
    "last implementation reached", "runtime error", "not required",
    "invalid graph", "invalid graph op", "invalid shape", "invalid data type",
)  # fmt: skip
SPINS = "10000"
KEPT = 1 << 28  # bytes of scratch memory that a thread keeps

Dims = c_int64 * MOST_DIMS
Address = int
Handle = c_void_p


class Version(Structure):
    """dnnl_version_t."""

    _fields_ = [
        ("major", c_int), ("minor", c_int), ("patch", c_int), ("hash", c_char_p),
        ("cpu_runtime", c_uint), ("gpu_runtime", c_uint),
    ]  # fmt: skip


class Argument(Structure):
    """dnnl_exec_arg_t: which argument of a primitive, and its memory."""

    _fields_ = [("arg", c_int), ("memory", c_void_p)]


class Unsupported(Exception):
    """The library has no implementation of a computation."""


def places() -> Iterator[str]:
    """Where the library may be, best first."""
    for name in ("onednn-cpu-gomp", "onednn-cpu-iomp", "onednn"):
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            continue
        for each in files:
            if each.name.startswith(("libdnnl.so.3", "libdnnl.3.dylib", "dnnl.dll")):
                yield str(Path(str(each.locate())).resolve())
                break
    folder = Path(sys.prefix, "Library", "bin") if os.name == "nt" else None
    for path in sorted((folder or Path(sys.prefix, "lib")).glob("*dnnl.*")):
        if path.suffix != ".lib":
            yield str(path)
    found = find_library("dnnl")
    if found:
        yield found


def opened(path: str) -> Any:
    """The library, with GNU's OpenMP told to be brief about waiting.

    Its threads wait by spinning, for 300,000 turns unless told otherwise. On processors
    that others use too, or that a container has a quota of, that took 90 % of a
    training step. It reads the environment once, when it is loaded.
    """
    if any(name in os.environ for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")):
        return ctypes.CDLL(path)
    os.environ["GOMP_SPINCOUNT"] = SPINS
    try:
        return ctypes.CDLL(path)
    finally:
        del os.environ["GOMP_SPINCOUNT"]


def load(threads: int) -> Library:
    """The library, or an error that says what to install."""
    tried = []
    for path in places():
        try:
            return Library(path, threads)
        except (OSError, AttributeError, BackendError) as error:
            tried.append(str(error))
    why = f" ({'; '.join(tried)})" if tried else ""
    raise BackendError(
        f"the kernels 'onednn' need oneDNN's library libdnnl, version 3, which was not "
        f"found{why}; pip install 'plugrad[onednn]'"
    )


class Here(local):
    """What belongs to one thread: its stream, its scratch memory, the number of threads
    that it last asked OpenMP for, and the one that it asks for if not for all."""

    def __init__(self) -> None:
        self.stream: Any = None
        self.owned: Any = None  # destroys the stream when the thread ends
        self.memory: Any = None
        self.base = 0
        self.size = 0
        self.asked = 0
        self.limit = 0

    def scratch(self, size: int) -> tuple[Address, Any]:
        """Memory of at least so many bytes, and what keeps it alive."""
        if size <= self.size:
            return self.base, self.memory
        memory = np.empty(size + 64, np.uint8)
        base = -(-memory.ctypes.data // 64) * 64
        if size <= KEPT:
            self.memory, self.base, self.size = memory, base, size
        return base, memory


class Library:
    """The library with an engine for this machine's processors."""

    def __init__(self, path: str, threads: int) -> None:
        self.path = path
        self.threads = threads
        self.forked = False  # loaded by a process that this one was forked from
        self.c = c = opened(path)
        version = c.dnnl_version
        version.restype = POINTER(Version)
        found = version().contents
        self.version = f"{found.major}.{found.minor}.{found.patch}"
        if found.major != 3:
            raise BackendError(f"{path} is version {self.version}, not 3")
        self.execute = c.dnnl_primitive_execute
        self.execute.argtypes = [c_void_p, c_void_p, c_int, c_void_p]
        # It does nothing worth giving others their turn for.
        self.set_handle = ctypes.PyDLL(path).dnnl_memory_set_data_handle
        self.set_handle.argtypes = [c_void_p, c_void_p]
        self.equal = c.dnnl_memory_desc_equal
        self.equal.argtypes = [c_void_p, c_void_p]
        self.size_of = c.dnnl_memory_desc_get_size
        self.size_of.argtypes, self.size_of.restype = [c_void_p], ctypes.c_size_t
        self.query_desc = c.dnnl_primitive_desc_query_md
        self.query_desc.argtypes = [c_void_p, c_int, c_int]
        self.query_desc.restype = c_void_p
        for kind in (
            "memory_desc", "primitive_desc", "primitive", "memory", "stream",
            "primitive_attr", "post_ops",
        ):  # fmt: skip
            destroy = getattr(c, f"dnnl_{kind}_destroy")
            destroy.argtypes = [c_void_p]
        self.engine = self.make("engine_create", CPU, ctypes.c_size_t(0))
        self.attributes = Attributes(self)
        self.here = Here()
        # Without OpenMP the library has threads of its own, which nobody can number.
        self.set_number = getattr(c, "omp_set_num_threads", None)

    def __repr__(self) -> str:
        return f"<oneDNN {self.version}, {self.isa()}, {self.path}>"

    def isa(self) -> str:
        """The instructions that it uses on this processor, such as "AVX512"."""
        name = self.c.dnnl_cpu_isa2str
        name.restype = c_char_p
        text = name(self.c.dnnl_get_effective_cpu_isa()) or b""
        return text.decode().removeprefix("cpu_isa_").upper()

    # --- threads ------------------------------------------------------------------

    def ready(self) -> Here:
        """The calling thread's own things, with the number of threads asked for."""
        here = self.here
        threads = here.limit or self.threads
        if here.asked != threads:
            here.asked = threads
            if self.set_number is not None:
                self.set_number(c_int(threads))
        if here.stream is None:
            here.owned = Stream(
                self, self.make("stream_create", self.engine, c_uint(1))
            )
            here.stream = here.owned.handle
        return here

    def alone(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function, and have the calling thread ask for no others meanwhile."""
        here = self.here
        before, here.limit = here.limit, 1
        try:
            return function(*args)
        finally:
            here.limit = before

    # --- objects of the library -----------------------------------------------------

    def check(self, status: int) -> None:
        """Raise unless a call succeeded."""
        if status in (2, 3):
            raise Unsupported(STATUS[status])
        if status:
            why = STATUS[status] if status < len(STATUS) else f"status {status}"
            raise RuntimeError(f"oneDNN: {why}")

    def make(self, name: str, *args: Any) -> Handle:
        """What a function that makes an object writes into its first argument."""
        made = c_void_p()
        self.check(getattr(self.c, f"dnnl_{name}")(byref(made), *args))
        return made

    def layout(self, shape: Sequence[int], order: Sequence[int] | int) -> Layout:
        """The description of float32 elements at some steps (in elements), or in an
        order that the library has a number for."""
        n = len(shape)
        if isinstance(order, int):
            name, last = "memory_desc_create_with_tag", c_int(order)
        else:
            name, last = "memory_desc_create_with_strides", Dims(*order)
        made = self.make(name, c_int(n), Dims(*shape), c_int(FLOAT32), last)
        return Layout(self, made)

    def computation(self, name: str, *args: Any, fused: Fused = ()) -> Computation:
        """A primitive_desc: what to compute, with the implementation chosen for the
        number of threads."""
        self.ready()
        attributes = Attributes(self, fused) if fused else self.attributes
        args = (self.engine, *args, attributes)
        return Computation(self, self.make(f"{name}_primitive_desc_create", *args))


class Owned:
    """An object of the library that is destroyed with this one."""

    destroyer = ""
    library: Any = None  # where making it failed

    def __init__(self, library: Library, handle: Handle) -> None:
        self._as_parameter_ = self.handle = handle
        self.library = library

    def __del__(self) -> None:
        if self.library is not None:
            getattr(self.library.c, self.destroyer)(self.handle)


class Stream(Owned):
    """The queue that a thread's primitives go through."""

    destroyer = "dnnl_stream_destroy"


class Layout(Owned):
    """A memory_desc."""

    destroyer = "dnnl_memory_desc_destroy"


# What a primitive does to its results before it writes them: a function (None), or a
# sum or product with an operand of this layout.
Fused = Sequence[tuple[int, "Layout | None"]]


class PostOps(Owned):
    """What is fused into a primitive."""

    destroyer = "dnnl_post_ops_destroy"


class Attributes(Owned):
    """A primitive_attr: scratch memory is the caller's; and what is fused."""

    destroyer = "dnnl_primitive_attr_destroy"

    def __init__(self, library: Library, fused: Fused = ()) -> None:
        super().__init__(library, library.make("primitive_attr_create"))
        c, check = library.c, library.check
        check(c.dnnl_primitive_attr_set_scratchpad_mode(self, c_int(1)))
        if not fused:
            return
        found = PostOps(library, library.make("post_ops_create"))
        for kind, operand in fused:
            if kind == SUM:
                status = c.dnnl_post_ops_append_sum(
                    found, c_float(1), c_int(0), c_int(FLOAT32)
                )
            elif operand is not None:
                status = c.dnnl_post_ops_append_binary(found, c_int(kind), operand)
            else:
                none = c_float(0)
                status = c.dnnl_post_ops_append_eltwise(found, c_int(kind), none, none)
            check(status)
        check(c.dnnl_primitive_attr_set_post_ops(self, found))


class Computation(Owned):
    """A primitive_desc."""

    destroyer = "dnnl_primitive_desc_destroy"

    def layout(self, argument: int) -> Handle:
        """The layout that it wants an argument in; it lives as long as this."""
        return c_void_p(self.library.query_desc(self, BY_ARGUMENT, argument))

    def scratch(self) -> Handle:
        """The layout of the scratch memory that it needs."""
        return c_void_p(self.library.query_desc(self, SCRATCH, 0))

    def implementation(self) -> str:
        """The name of the implementation, for people."""
        found = self.said(IMPLEMENTATION, c_char_p())
        return (found or b"").decode()

    def inputs(self) -> int:
        """How many arguments it reads."""
        return self.said(INPUTS, c_int())

    def said(self, what: int, found: Any) -> Any:
        """The answer to a question about it."""
        query = self.library.c.dnnl_primitive_desc_query
        query(self, c_int(what), c_int(0), byref(found))
        return found.value


class Primitive(Owned):
    """A primitive: the code that computes."""

    destroyer = "dnnl_primitive_destroy"

    def __init__(self, library: Library, what: Computation) -> None:
        super().__init__(library, library.make("primitive_create", what))


class Memory(Owned):
    """A layout with the address of its elements, set before each execution."""

    destroyer = "dnnl_memory_destroy"

    def __init__(self, library: Library, layout: Any) -> None:
        made = library.make("memory_create", layout, library.engine, c_void_p())
        super().__init__(library, made)
