"""Give Tensor its methods: the ops, by name and as Python's operators."""

from __future__ import annotations

import sys

from . import convert, declare, sparse_methods
from .creation import filled, sparse
from .interface import OPS
from .ops import aliases
from .random import fills, sampling
from .stubs import make_inplace, make_operator
from .tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .declare import Op

OPERATORS = {
    "add": ("__add__", "__radd__"),
    "sub": ("__sub__",),
    "rsub": ("__rsub__",),
    "mul": ("__mul__", "__rmul__"),
    "div": ("__truediv__",),
    "rdiv": ("__rtruediv__",),
    "matmul": ("__matmul__",),
    "rmatmul": ("__rmatmul__",),
    "pow": ("__pow__",),
    "rpow": ("__rpow__",),
    "remainder": ("__mod__",),
    "rremainder": ("__rmod__",),
    "floor_divide": ("__floordiv__",),
    "rfloor_divide": ("__rfloordiv__",),
    "neg": ("__neg__",),
    "positive": ("__pos__",),
    "abs": ("__abs__",),
    "eq": ("__eq__",),
    "ne": ("__ne__",),
    "lt": ("__lt__",),
    "le": ("__le__",),
    "gt": ("__gt__",),
    "ge": ("__ge__",),
    "bitwise_and": ("__and__", "__rand__"),
    "bitwise_or": ("__or__", "__ror__"),
    "bitwise_xor": ("__xor__", "__rxor__"),
    "bitwise_not": ("__invert__",),
    "bitwise_left_shift": ("__lshift__",),
    "bitwise_right_shift": ("__rshift__",),
    "rlshift": ("__rlshift__",),
    "rrshift": ("__rrshift__",),
}

INPLACE_OPERATORS = {
    "add": "__iadd__",
    "sub": "__isub__",
    "mul": "__imul__",
    "div": "__itruediv__",
    "pow": "__ipow__",
    "remainder": "__imod__",
    "floor_divide": "__ifloordiv__",
    "bitwise_and": "__iand__",
    "bitwise_or": "__ior__",
    "bitwise_xor": "__ixor__",
    "bitwise_left_shift": "__ilshift__",
    "bitwise_right_shift": "__irshift__",
}


def attach(op: Op) -> None:
    """Set the methods and operators that come from an op."""
    own = Tensor.__dict__
    if op.method and op.name not in own:
        setattr(Tensor, op.name, op.function)
    for name in OPERATORS.get(op.name, ()):
        setattr(Tensor, name, make_operator(op))
    if op.inplace and op.name + "_" not in own:
        setattr(Tensor, op.name + "_", make_inplace(op))
    if op.name in INPLACE_OPERATORS:
        setattr(Tensor, INPLACE_OPERATORS[op.name], own[op.name + "_"])


for declared in OPS.values():
    attach(declared)
declare.on_declare.append(attach)

# What is no op, but calls ops: every module that has such functions lists them.
OPS_MODULES = [m for name, m in sys.modules.items() if name.startswith("plugrad.ops.")]
for module in (
    convert,
    filled,
    fills,
    sampling,
    sparse_methods,
    sparse,
    *OPS_MODULES,
):
    for method in getattr(module, "METHODS", ()):
        setattr(Tensor, method.__name__, method)
    for name, getter in getattr(module, "PROPERTIES", {}).items():
        setattr(Tensor, name, property(getter))

for alias in aliases.__all__:
    first = getattr(aliases, alias).__name__
    for end in ("", "_"):
        if hasattr(Tensor, first + end):
            setattr(Tensor, alias + end, getattr(Tensor, first + end))
