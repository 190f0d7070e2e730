"""The forward passes: Python that reads the same in every library with operators.

Each builder gives a function of the start; `c` and `d` are operands in the library's
own type. The loops are written out, one per operation: a call in between would cost
every contestant the same 40 ns, and bring the ratios nearer to one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import Case

Forward = Callable[[Any], Any]


def build(
    case: Case, c: Any, d: Any, tanh: Forward, axis_word: str = "keepdims"
) -> Forward:
    """The chain of a case; `axis_word` is what the library calls keeping an axis."""
    n = case.length
    add_up = {"keepdim": _sum_keepdim, "keepdims": _sum_keepdims}[axis_word]
    builders: dict[str, Callable[[], Forward]] = {
        "add": lambda: _add(n, c),
        "mul": lambda: _mul(n, c),
        "scalar add": lambda: _add(n, 1.0),
        "scalar mul": lambda: _mul(n, 1.01),
        "mul and add": lambda: _mul_and_add(n, c, d),
        "matmul": lambda: _matmul(n, c),
        "tanh": lambda: _tanh(n, tanh),
        "sum": lambda: add_up(n),
        "index": lambda: _index(n),
        "reshape": lambda: _reshape(n),
    }
    return builders[case.op]()


def _add(n: int, c: Any) -> Forward:
    def forward(y: Any) -> Any:
        for _ in range(n):
            y = y + c
        return y

    return forward


def _mul(n: int, c: Any) -> Forward:
    def forward(y: Any) -> Any:
        for _ in range(n):
            y = y * c
        return y

    return forward


def _mul_and_add(n: int, c: Any, d: Any) -> Forward:
    def forward(y: Any) -> Any:
        for _ in range(n // 2):
            y = y * c
            y = y + d
        return y

    return forward


def _matmul(n: int, c: Any) -> Forward:
    def forward(y: Any) -> Any:
        for _ in range(n):
            y = y @ c
        return y

    return forward


def _tanh(n: int, tanh: Forward) -> Forward:
    def forward(y: Any) -> Any:
        for _ in range(n):
            y = tanh(y)
        return y

    return forward


def _sum_keepdim(n: int) -> Forward:
    def forward(y: Any) -> Any:
        for _ in range(n):
            y = y.sum(0, keepdim=True)
        return y

    return forward


def _sum_keepdims(n: int) -> Forward:
    def forward(y: Any) -> Any:
        for _ in range(n):
            y = y.sum(0, keepdims=True)
        return y

    return forward


def _index(n: int) -> Forward:
    def forward(y: Any) -> Any:
        for _ in range(n):
            y = y[0:4]
        return y

    return forward


def _reshape(n: int) -> Forward:
    def forward(y: Any) -> Any:
        for _ in range(n // 2):
            y = y.reshape(2, 2)
            y = y.reshape(4)
        return y

    return forward
