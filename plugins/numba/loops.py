"""From a program to a loop: its source, and what Numba makes of that.

- The source has an assignment for each step, so that each result is rounded to the
  dtype; nothing tells the compiler that it may round less often.
- All arrays are read before any is written, and none overlaps another.
- There is one loop for each program, whichever thread asks first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np

Array = Any
Program = Any
Compute = Callable[[Sequence[Array], Sequence[float]], None]

DTYPES = {name: np.dtype(name) for name in ("float32", "float64")}
INDENT = " " * 8

# what a step computes of its operands
STEPS = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "div": "{} / {}",
    "neg": "-{}",
    "abs": "abs({})",
    "sqrt": "sqrt({})",
    "sign": "(one if {0} > zero else zero) - (one if {0} < zero else zero)",
    "maximum": "{0} if {0} >= {1} or {0} != {0} else {1}",
    "minimum": "{0} if {0} <= {1} or {0} != {0} else {1}",
    "eq": "{} == {}",
    "ne": "{} != {}",
    "lt": "{} < {}",
    "le": "{} <= {}",
    "gt": "{} > {}",
    "ge": "{} >= {}",
    "logical_and": "{} and {}",
    "logical_or": "{} or {}",
    "logical_not": "not {}",
    "where": "{1} if {0} else {2}",
}

loops: dict[Program, Compute] = {}
compiling = Lock()


def loop(program: Program) -> Compute:
    """The function that computes a program, compiled if it is new."""
    found = loops.get(program)
    if found is None:
        with compiling:
            found = loops.get(program)
            if found is None:
                found = loops[program] = compiled(program)
    return found


def compiled(program: Program) -> Compute:
    """A function of arrays and numbers that runs the loop of a program."""
    from numba import from_dtype, njit, types, void

    dtype = DTYPES[program.dtype]
    names = {"sqrt": math.sqrt, "zero": dtype.type(0), "one": dtype.type(1)}
    exec(source(program), names)
    run = njit(nogil=True, error_model="numpy")(names["run"])
    each = types.Array(from_dtype(dtype), 1, "C")
    run.compile(void(each, *[each] * program.arrays))
    written = [i for i, _ in program.writes]

    def compute(arrays: Sequence[Array], numbers: Sequence[float]) -> None:
        for i in written:
            if not arrays[i].flags.writeable:
                raise ValueError("output array is read-only")
        run(np.array(numbers, dtype), *arrays)

    return compute


def source(program: Program) -> str:
    """The loop of a program, in Python."""
    arrays = [f"a{i}" for i in range(program.arrays)]
    lines = [f"def run({', '.join(['numbers', *(f'{a}_' for a in arrays)])}):"]
    lines += [f"    n{i} = numbers[{i}]" for i in range(program.numbers)]
    lines += ["    for i in range(a0_.size):"]
    lines += [f"{INDENT}{a} = {a}_[i]" for a in arrays]
    for i, (name, *operands) in enumerate(program.steps):
        lines += [f"{INDENT}v{i} = {STEPS[name].format(*operands)}"]
    lines += [f"{INDENT}a{i}_[i] = {value}" for i, value in program.writes]
    return "\n".join(lines) + "\n"
