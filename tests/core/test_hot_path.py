"""What a small op costs in the interpreter, counted: bytecodes, and calls of C.

Times differ from run to run; these counts do not, so that a few per cent more on the
hot path show. Programs on 4 floats run forward and backward in a fresh interpreter,
warmed up, and what plugrad's own frames do is counted and compared with
test_hot_path.json, which holds the counts by version of Python. A count may differ by
TOLERANCE. Where the hot path has become cheaper, or dearer for a good reason, write the
new counts:

    python -m tests.core.test_hot_path --write

So it is with a new version of Python, run by that version.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import plugrad

PINS = Path(__file__).with_suffix(".json")
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
TOLERANCE = 0.03
ROW = [0.5, -1.0, 2.0, 0.25]

Counts = dict[str, int]
Program = Callable[[], Any]


def leaf(values: Any = ROW) -> plugrad.Tensor:
    return plugrad.tensor(values, requires_grad=True)


# --- The programs: each makes its inputs, and gives what is to be counted ------------


def through(forward: Callable[[plugrad.Tensor], plugrad.Tensor], values: Any = ROW):
    """One op, and the gradient that comes back through it."""

    def make() -> dict[str, Program]:
        x = leaf(values)
        g = plugrad.ones_like(forward(x)).detach()
        made: list[plugrad.Tensor] = []

        def run() -> None:
            made[:] = [forward(x)]

        def back() -> None:
            x.grad = None
            made.pop().backward(g)

        return {"forward": run, "backward": back}

    return make


def with_parameter() -> dict[str, Program]:
    weight = plugrad.Parameter(plugrad.tensor(ROW))
    return through(lambda x: x * weight)()


def with_constant(name: str):
    def make() -> dict[str, Program]:
        other = plugrad.tensor(ROW)
        return through(lambda x: getattr(plugrad, name)(x, other))()

    return make


def in_place() -> dict[str, Program]:
    x, y = plugrad.tensor(ROW), plugrad.tensor(ROW)
    return {"forward": lambda: x.add_(y)}


def unrecorded() -> dict[str, Program]:
    x, y = plugrad.tensor(ROW), plugrad.tensor(ROW)
    return {"forward": lambda: x * y}


def in_no_grad() -> dict[str, Program]:
    x, y = leaf(), leaf()

    def run() -> None:
        with plugrad.no_grad():
            x * y

    return {"forward": run}


def step() -> dict[str, Program]:
    """A whole step of gradient descent on one layer."""
    x, y = plugrad.tensor([ROW]), plugrad.tensor([[1.0, 0.0]])
    w, b = leaf([[0.1, 0.2]] * 4), leaf([0.0, 0.0])

    def run() -> None:
        loss = (((x @ w + b).tanh() - y) ** 2).sum()
        loss.backward()
        with plugrad.no_grad():
            for p in (w, b):
                p.add_(p.grad, alpha=-0.1)
                p.grad = None

    return {"step": run}


PROGRAMS: dict[str, Callable[[], dict[str, Program]]] = {
    "add": with_constant("add"),
    "add, both wanted": through(lambda x: x + x),
    "add a number": through(lambda x: x + 2.0),
    "mul": with_constant("mul"),
    "mul a number": through(lambda x: x * 2.0),
    "mul a Parameter": with_parameter,
    "mul without a graph": unrecorded,
    "mul in no_grad": in_no_grad,
    "tanh": through(lambda x: x.tanh()),
    "matmul": through(lambda x: x @ x, [[0.5, -1.0], [2.0, 0.25]]),
    "sum": through(lambda x: x.sum()),
    "index": through(lambda x: x[1:3]),
    "reshape": through(lambda x: x.reshape(2, 2)),
    "add_ without a graph": in_place,
    "step": step,
}


# --- Counting ------------------------------------------------------------------------


def own(frame: Any) -> bool:
    """Whether a frame is plugrad's: those of other libraries may change with them."""
    name = frame.f_globals.get("__name__", "")
    return name == "plugrad" or name.startswith("plugrad.")


def opcodes(program: Program) -> int:
    """How many bytecodes of plugrad a call of `program` runs."""
    found = 0

    def trace(frame: Any, event: str, arg: Any) -> Any:
        nonlocal found
        if not own(frame):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        found += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        program()
    finally:
        sys.settrace(None)
    return found


def c_calls(program: Program) -> int:
    """How many functions written in C plugrad calls, operators not among them."""
    found = 0

    def profile(frame: Any, event: str, arg: Any) -> None:
        nonlocal found
        found += event == "c_call" and own(frame)

    sys.setprofile(profile)
    try:
        program()
    finally:
        sys.setprofile(None)
    return found


COUNTERS = {"bytecodes": opcodes, "C calls": c_calls}


def measure(name: str) -> dict[str, Counts]:
    """The counts of one program, by its parts."""
    parts = PROGRAMS[name]()
    for _ in range(20):  # functions are written, and kernels looked up, on first calls
        for part in parts.values():
            part()
    found: dict[str, Counts] = {part: {} for part in parts}
    gc.collect()
    gc.disable()
    try:
        for title, counter in COUNTERS.items():
            for part, program in parts.items():
                found[part][title] = counter(program)
    finally:
        gc.enable()
    return found


def measured() -> dict[str, dict[str, Counts]]:
    """All counts, by an interpreter that has run nothing else: complex tensors, say,
    would have changed the way that backward takes."""
    command = [sys.executable, "-m", "tests.core.test_hot_path", "--print"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=PINS.parents[2], timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def differences(found: Any, pinned: Any) -> list[str]:
    """The ops of which a count differs by more than TOLERANCE, both ways together."""
    wrong = []
    for name, parts in found.items():
        for title in COUNTERS:
            now, before = (
                {part: counts[title] for part, counts in each.items()}
                for each in (parts, pinned[name])
            )
            limit = TOLERANCE * sum(before.values())
            if abs(sum(now.values()) - sum(before.values())) > limit:
                wrong.append(f"{name}: {title} were {before} and are {now}")
    return wrong


# --- The tests -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def counts() -> Any:
    return measured()


def test_no_op_has_become_dearer_or_cheaper(counts: Any) -> None:
    pinned = json.loads(PINS.read_text())
    if VERSION not in pinned:
        pytest.skip(
            f"no counts are written for Python {VERSION}; this version writes its own: "
            "python -m tests.core.test_hot_path --write"
        )
    assert counts.keys() == pinned[VERSION].keys(), "programs came or went: write anew"
    wrong = differences(counts, pinned[VERSION])
    assert not wrong, "\n".join([*wrong, "if that is meant to be, write them anew"])


def test_counts_are_the_same_in_every_run(counts: Any) -> None:
    assert measured() == counts


def test_a_little_more_work_is_seen(counts: Any) -> None:
    """Four per cent are; and counting counts what is there."""
    other = json.loads(json.dumps(counts))
    forward = other["step"]["step"]
    forward["bytecodes"] = round(forward["bytecodes"] / 1.04)
    assert len(differences(counts, other)) == 1
    assert len(differences(other, counts)) == 1
    x = plugrad.tensor(ROW)
    x * x
    once, thrice = (opcodes(lambda n=n: [x * x for _ in range(n)]) for n in (1, 3))
    assert 0 < once and thrice == 3 * once
    assert c_calls(lambda: [len(ROW)]) == 0  # which is not plugrad's


def main() -> None:
    if sys.argv[1:] == ["--print"]:
        print(json.dumps({name: measure(name) for name in PROGRAMS}))
    elif sys.argv[1:] == ["--write"]:
        pinned = json.loads(PINS.read_text()) if PINS.exists() else {}
        pinned[VERSION] = measured()
        PINS.write_text(json.dumps(pinned, indent=1, sort_keys=True) + "\n")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
