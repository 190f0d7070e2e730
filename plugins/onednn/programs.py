"""Primitives of oneDNN on NumPy's arrays, prepared once for each kind of call.

- A `Program` has a few primitives that belong together, such as a convolution's two
  gradients. A primitive chooses the layout in which it is fastest; what arrives in
  another is reordered once for all that want it so, and results are reordered back.
- All objects are made beforehand. A run sets the addresses and executes.
- A program is kept for calls of the same kind, the most recent `MOST` kinds. Threads
  that want the same one at a time have copies of their own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from threading import RLock
from typing import Any

import numpy as np

from plugrad import get_num_threads, register_threads

from .library import (
    FREE,
    REORDER_FROM,
    REORDER_TO,
    SCRATCHPAD,
    Address,
    Argument,
    Computation,
    Layout,
    Library,
    Memory,
    Primitive,
    load,
)

FLOAT32 = np.dtype("float32")
MOST = 512  # kinds of calls whose programs are kept
# Numbers in a pass that is shared among threads: waking them takes 20 us, on a machine
# that others use 200 and more, and a pass over as many 50.
FEW = 1 << 19

Array = Any
Node = tuple[Computation, dict[int, str]]


class Program:
    """Some computations on named arrays.

    `arrays` gives the callers' layouts in the order in which `run` takes the addresses,
    `nodes` each computation with the arrays that are its arguments; the names of
    results begin with a capital letter.
    """

    def __init__(self, arrays: dict[str, Layout], nodes: Sequence[Node]) -> None:
        self.library = library()
        self.library.ready()  # primitives are made for a number of threads
        self.own = {name: Memory(self.library, arrays[name]) for name in arrays}
        self.memories = list(self.own.values())
        self.arrays = arrays
        self.buffers: list[tuple[Memory, int]] = []
        self.size = 0
        self.base = -1
        self.kept: list[Any] = list(arrays.values())
        self.reordered: list[tuple[str, Any, Memory]] = []
        self.steps: list[tuple[Any, int, Any]] = []
        scratch = []
        for what, arguments in nodes:
            scratch.append(self.node(what, arguments))
        shared = self.size  # the scratchpads of one after the other
        for memory, size in scratch:
            self.buffers.append((memory, shared))
            self.size = max(self.size, shared + size)

    def node(self, what: Computation, arguments: dict[int, str]) -> tuple[Memory, int]:
        """Add a computation; returns its scratch memory, and how large that is."""
        after, memories = [], {}
        for argument, name in arguments.items():
            layout = what.layout(argument)
            if self.library.equal(layout, self.arrays[name]):
                memories[argument] = self.own[name]
            elif name[0].isupper():
                memories[argument] = memory = self.buffer(layout)
                after.append((layout, memory, name))
            else:
                memories[argument] = self.wanted(name, layout)
        scratch = Memory(self.library, what.scratch())
        memories[SCRATCHPAD] = scratch
        self.step(what, memories)
        for layout, memory, name in after:
            self.reorder(layout, memory, self.arrays[name], self.own[name])
        return scratch, self.library.size_of(what.scratch())

    def wanted(self, name: str, layout: Any) -> Memory:
        """An array that arrives, in another layout."""
        for other, known, memory in self.reordered:
            if other == name and self.library.equal(known, layout):
                return memory
        memory = self.buffer(layout)
        self.reorder(self.arrays[name], self.own[name], layout, memory)
        self.reordered.append((name, layout, memory))
        return memory

    def buffer(self, layout: Any) -> Memory:
        """Memory of this program's own, a part of the thread's scratch memory."""
        memory = Memory(self.library, layout)
        self.buffers.append((memory, self.size))
        self.size += -(-self.library.size_of(layout) // 64) * 64
        return memory

    def reorder(self, a: Any, source: Memory, b: Any, target: Memory) -> None:
        """Add a copy from one layout to another."""
        engine = self.library.engine
        what = Computation(
            self.library,
            self.library.make(
                "reorder_primitive_desc_create", a, engine, b, engine,
                self.library.attributes,
            ),
        )  # fmt: skip
        memories = {REORDER_FROM: source, REORDER_TO: target}
        scratch = Memory(self.library, what.scratch())
        size = self.library.size_of(what.scratch())
        if size:
            self.buffers.append((scratch, self.size))
            self.size += -(-size // 64) * 64
        self.step(what, {**memories, SCRATCHPAD: scratch})

    def step(self, what: Computation, memories: dict[int, Memory]) -> None:
        """Add a primitive with its arguments."""
        primitive = Primitive(self.library, what)
        pairs = [Argument(argument, each.handle) for argument, each in memories.items()]
        given = (Argument * len(pairs))(*pairs)
        self.steps.append((primitive.handle, len(pairs), given))
        self.kept += what, primitive, given, memories

    def run(self, addresses: Sequence[Address]) -> None:
        """Compute on the arrays at these addresses."""
        library = self.library
        here = library.ready()
        set_handle, execute, stream = library.set_handle, library.execute, here.stream
        for memory, address in zip(self.memories, addresses):
            set_handle(memory, address)
        base, keep = here.scratch(self.size)
        if base != self.base:
            for memory, offset in self.buffers:
                set_handle(memory, base + offset)
            self.base = base if keep is here.memory else -1
        for primitive, count, given in self.steps:
            status = execute(primitive, stream, count, given)
            if status:
                library.check(status)


class Kept:
    """A program that is made when it is first run, and a copy for each of the threads
    that run it at a time. Where it passes over so many `numbers` only, the calling
    thread computes alone."""

    def __init__(self, make: Callable[[], Program], numbers: int = FEW) -> None:
        self.make = make
        self.alone = numbers < FEW
        self.free: list[Program] = []

    def prepare(self) -> None:
        """Make the program now; Unsupported if the library cannot."""
        if self.alone:
            library().alone(self.added)
        else:
            self.added()

    def added(self) -> None:
        """Make another program."""
        with making:
            self.free.append(self.make())

    def run(self, *arrays: Array) -> None:
        """Compute on arrays of the layouts that the program knows."""
        if self.alone:
            library().alone(self.run_here, *arrays)
        else:
            self.run_here(*arrays)

    def run_here(self, *arrays: Array) -> None:
        """Compute on as many threads as the calling one asks for."""
        program = self.take()
        program.run([address(a) for a in arrays])
        self.free.append(program)

    def take(self) -> Any:
        """A program that no other thread runs, to be put back into `free`."""
        try:
            return self.free.pop()
        except IndexError:
            with making:
                return self.make()


def kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """Remember what a function of sizes returned, the most recent `MOST` times."""
    found = lru_cache(MOST)(function)
    caches.append(found)
    return found


making = RLock()
caches: list[Any] = []
found: list[Library] = []  # once it is loaded


def library() -> Library:
    """The library, loaded now if it was not."""
    if not found:
        with making:
            if not found:
                found.append(load(get_num_threads()))
    return found[0]


@register_threads
def set_threads(count: int) -> None:
    """Let the library compute on so many threads; programs are made for a number."""
    with making:
        if found and found[0].threads != count and not found[0].forked:
            forget()
            found[0].threads = count


def forget() -> None:
    """Forget all programs."""
    for each in caches:
        each.cache_clear()


def in_child() -> None:
    """After a fork: the threads that the programs count on are gone."""
    forget()
    if found:
        found[0].threads, found[0].forked = 1, True
    making.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=making.acquire,
        after_in_parent=making.release,
        after_in_child=in_child,
    )


# --- arrays ---------------------------------------------------------------------------


def address(array: Array) -> Address:
    """Where the first element is."""
    return array.__array_interface__["data"][0]


def plain(array: Array) -> Array:
    """The same elements, contiguous."""
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def row_major(shape: Sequence[int]) -> list[int]:
    """The steps between elements that follow each other in order."""
    steps, step = [], 1
    for size in reversed(shape):
        steps.append(step)
        step *= size
    return steps[::-1]


def dense(shape: Sequence[int]) -> Layout:
    """The layout of a contiguous array."""
    return library().layout(shape, row_major(shape))


def free(shape: Sequence[int]) -> Layout:
    """The layout that is left to the primitive."""
    return library().layout(shape, FREE)
