"""The libraries to compare with: one adapter module each, all with the same functions.

- `chain(case)` gives a call that does one forward and backward pass over the chain of
  operations that a `Case` describes, and returns the gradient of the start, or of the
  Parameter where there is one; or None where the library cannot say it.
- `numbers(gradient)` turns that into a NumPy array, so that every contestant is
  checked to have computed the same before it is timed.

All start from the same numbers, given here.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np

# adapter -> the name pip knows the library by
PIP_NAMES = {
    "plugrad": "plugrad",
    "torch": "torch",
    "numpy": "numpy",
    "autograd": "autograd",
    "mygrad": "mygrad",
    "jax": "jax",
    "tinygrad": "tinygrad",
}

# Factors near one and an orthogonal matrix: a long chain neither grows out of float32
# nor fades into denormal numbers, which are slow.
VECTOR = np.array([0.5, -1.0, 1.5, 2.0], np.float32)
FACTOR = np.array([1.01, 0.99, 1.002, 0.995], np.float32)
TERM = np.array([0.01, -0.01, 0.02, -0.02], np.float32)
SQUARE = np.outer(VECTOR, FACTOR).astype(np.float32)
ROTATION = np.array(
    [[0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5], [0.5, 0.5, -0.5, -0.5],
     [0.5, -0.5, -0.5, 0.5]],
    np.float32,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A chain of `length` operations of one kind.

    `parameter`: the operand is a Parameter and gets a gradient too.
    `buffer`: halfway through, a tensor outside the graph is multiplied in place
    without gradient, as BatchNorm does with its running statistics.
    """

    op: str
    length: int = 100
    parameter: bool = False
    buffer: bool = False

    def half(self) -> Case:
        return replace(self, length=self.length // 2)

    @property
    def start(self) -> np.ndarray:
        return SQUARE if self.op == "matmul" else VECTOR

    @property
    def operand(self) -> np.ndarray:
        return {"add": TERM, "matmul": ROTATION}.get(self.op, FACTOR)


def load(name: str) -> ModuleType | str:
    """The adapter of that name, or a line that says why there is none."""
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] == name:
            return f"absent: pip install {PIP_NAMES[name]}"
        return f"does not import: {error}"
    except Exception as error:  # a broken peer must not end the comparison
        return f"does not import: {error}"
