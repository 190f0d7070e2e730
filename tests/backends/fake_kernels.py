"""CuPy's kernels, compiled for the CPU by g++ and run on arrays of `fake_cupy`."""

from __future__ import annotations

import ctypes
import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

COMPILER = shutil.which("g++")
NAMES = {
    "float32": "float",
    "float64": "double",
    "float16": "_Float16",
    "bool": "bool",
    "int8": "signed char",
    "uint8": "unsigned char",
    "int16": "short",
    "uint16": "unsigned short",
    "int32": "int",
    "uint32": "unsigned int",
    "int64": "long long",
    "uint64": "unsigned long long",
    "complex64": "std::complex<float>",
    "complex128": "std::complex<double>",
}
HEAD = """
#include <cmath>
#include <complex>
using namespace std;
#define __device__
#define __global__
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b)
{ return (unsigned long long)(((unsigned __int128)a * b) >> 64); }
static struct { unsigned x; } blockIdx, blockDim, gridDim, threadIdx;
"""
FOLDER = tempfile.TemporaryDirectory()


@functools.cache
def compiled(source: str) -> ctypes.CDLL:
    """A library of C++ functions."""
    stem = Path(FOLDER.name) / f"kernel{abs(hash(source))}"
    stem.with_suffix(".cpp").write_text(HEAD + source)
    run = [COMPILER, "-std=c++17", "-O0", "-fpermissive", "-w", "-shared", "-fPIC"]
    run += ["-ffp-contract=off", "-o", f"{stem}.so", f"{stem}.cpp"]
    done = subprocess.run(run, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return ctypes.CDLL(f"{stem}.so")


def parameters(text):
    """[(type, name)] of a list such as "T x, float64 y"."""
    return [tuple(each.split()) for each in text.split(",")]


def typed(params, values):
    """The dtype of each type name, found from the arrays."""
    found = {}
    for (kind, _), value in zip(params, values):
        if kind in NAMES or value is None:
            continue
        dtype = value.dtype
        assert found.setdefault(kind, dtype) == dtype, f"{kind} is two types"
    return found


def pointer(x):
    return x.ctypes.data_as(ctypes.c_void_p)


class ElementwiseKernel:
    def __init__(self, in_params, out_params, operation, name="kernel", preamble=""):
        self.ins, self.outs = parameters(in_params), parameters(out_params)
        self.operation, self.name, self.preamble = operation, name, preamble
        taken = {"i", "n"} & {name for _, name in [*self.ins, *self.outs]}
        assert not taken, f"CuPy's own names: {taken}"

    def __call__(self, *args):
        from tests.backends.fake_cupy import fresh, inside

        given = [inside(each) for each in args[: len(self.ins)]]
        outs = list(args[len(self.ins) :])
        hosts = [each.host for each in outs] or [None] * len(self.outs)
        kinds = typed([*self.ins, *self.outs], [*given, *hosts])
        kinds |= {name: np.dtype(name) for name in NAMES}
        arrays = [np.asarray(v, kinds[kind]) for v, (kind, _) in zip(given, self.ins)]
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        if outs:
            shape = np.broadcast_shapes(shape, outs[0].shape)
            assert shape == outs[0].shape, "the output does not have the shape"
        arrays = [np.ascontiguousarray(np.broadcast_to(a, shape)) for a in arrays]
        written = [
            np.empty(shape, kinds[kind]) if host is None else np.array(host, order="C")
            for host, (kind, _) in zip(hosts, self.outs)
        ]
        everything = [*self.ins, *self.outs]
        n = int(np.prod(shape))
        run = compiled(self.source(everything, kinds)).run
        run(ctypes.c_longlong(n), *map(pointer, [*arrays, *written]))
        if outs:
            for out, values in zip(outs, written):
                out.host[...] = values
        else:
            outs = [fresh(values) for values in written]
        return outs[0] if len(outs) == 1 else tuple(outs)

    def source(self, everything, kinds):
        used = {kind: NAMES[kinds[kind].name] for kind, _ in everything}
        types = [f"typedef {c} {k};" for k, c in used.items() if k not in NAMES]
        arguments = [f"{used[kind]} *p_{name}" for kind, name in everything]
        inner = [
            f"const {used[kind]} &{name} = p_{name}[i];" for kind, name in self.ins
        ]
        inner += [f"{used[kind]} &{name} = p_{name}[i];" for kind, name in self.outs]
        return "\n".join(
            [
                *types,
                self.preamble,
                f'extern "C" void run(long long n, {", ".join(arguments)}) {{',
                "for (long long i = 0; i < n; ++i) {",
                *inner,
                f"{self.operation};",
                "} }",
            ]
        )


class ReductionKernel:
    """The same for a reduction of everything."""

    def __init__(self, ins, outs, map_expr, reduce_expr, post_map_expr, identity, name):
        ((self.kind, self.out),) = parameters(outs)
        code = f"""
        sum_type a = {self.out}, b = {map_expr};
        {self.out} = {reduce_expr};
        """
        types = f"typedef {NAMES[self.kind]} sum_type;"
        self.each = ElementwiseKernel(ins, outs, code, name, types)
        self.identity = identity
        taken = {"a", "b"} & {name for _, name in self.each.ins}
        assert not taken, f"CuPy's own names: {taken}"
        assert post_map_expr == f"{self.out} = a"

    def __call__(self, x, *args):
        from tests.backends.fake_cupy import fresh, inside

        host = inside(x)
        total = np.array(eval(self.identity), self.kind)
        each = self.each
        kinds = {name: np.dtype(name) for name in NAMES}
        kinds |= typed(each.ins, [host])
        everything = [*each.ins, *each.outs]
        source = each.source(everything, kinds)
        source = re.sub(r"= p_(\w+)\[i\];", r"= p_\1[AT_\1];", source)
        first = each.ins[0][1]
        for _, name in everything:
            source = source.replace(f"AT_{name}", "i" if name == first else "0")
        arrays = [np.ascontiguousarray(host)]
        arrays += [np.array(v, kinds[k]) for v, (k, _) in zip(args, each.ins[1:])]
        run = compiled(source).run
        run(ctypes.c_longlong(host.size), *map(pointer, [*arrays, total]))
        return fresh(total)


class RawKernel:
    def __init__(self, code, name):
        self.code, self.name = code, name

    def __call__(self, grid, block, args):
        from tests.backends.fake_cupy import ndarray

        signature = re.search(self.name + r"\s*\((.*?)\)", self.code, re.S).group(1)
        names = ", ".join(re.findall(r"(\w+)\s*(?:,|$)", signature))
        launch = f"""
        extern "C" void launch(unsigned grid, unsigned block, {signature}) {{
            gridDim.x = grid; blockDim.x = block;
            for (unsigned b = 0; b < grid; ++b) for (unsigned t = 0; t < block; ++t) {{
                blockIdx.x = b; threadIdx.x = t; {self.name}({names});
            }}
        }}"""
        given = []
        for each in args:
            if isinstance(each, ndarray):
                assert each.flags.c_contiguous
                given.append(ctypes.c_void_p(each.data.ptr))
            else:  # a NumPy scalar, since CuPy takes its type for the kernel's
                given.append(np.ctypeslib.as_ctypes_type(each.dtype)(each.item()))
        ((grid,), (block,)) = grid, block
        run = compiled(self.code + launch).launch
        run(ctypes.c_uint(grid), ctypes.c_uint(block), *given)
