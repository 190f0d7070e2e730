"""Every public function and class is documented and typed, and shows an example.

tests/test_docstrings.py runs the examples.
"""

from __future__ import annotations

import inspect
from enum import Enum
from types import ModuleType

import pytest

import plugrad
from tests.house.public_names import declared, is_declared, listed

DECLARED = declared()

# Values, which have no declaration to document.
CONSTANTS = (
    ModuleType,
    plugrad.dtype,
    plugrad.layout,
    plugrad.memory_format,
    plugrad.Generator,
    float,
    dict,
    type(None),
)

# Name to why it is neither a function, a class nor a value of ours.
EXEMPT: dict[str, str] = {}


def signature_of(value: object) -> object | None:
    """The function whose annotations say what `value` takes: an op's declaration, the
    constructor of a class; None for a class that takes what its base does."""
    op = getattr(value, "op", None) or getattr(value, "inplace_of", None)
    if op is not None:
        return op.body
    if inspect.isclass(value) and issubclass(value, Enum):
        return None  # its members are made where it is declared
    if inspect.isclass(value):
        own = vars(value)
        made_by = own.get("__init__") or own.get("__new__")
        return getattr(made_by, "__func__", made_by)
    return inspect.unwrap(value)


def untyped(value: object) -> list[str]:
    """The parameters without annotation, and "return" of a function without one."""
    function = signature_of(value)
    if function is None:
        return []
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS)
    count += bool(code.co_flags & inspect.CO_VARKEYWORDS)
    names = list(code.co_varnames[:count])
    if inspect.isclass(value):
        names = names[1:]  # self
    else:
        names.append("return")
    return [name for name in names if name not in function.__annotations__]


def problems(value: object) -> list[str]:
    """What is missing."""
    doc = value.__dict__.get("__doc__") if inspect.isclass(value) else value.__doc__
    found = [f"no annotation of {name!r}" for name in untyped(value)]
    if not (doc or "").strip():
        found.append("no docstring")
    elif ">>> " not in doc:
        found.append("no example")
    return found


@pytest.mark.parametrize("name", DECLARED)
def test_documented_typed_and_with_an_example(name):
    assert problems(DECLARED[name]) == []


def test_everything_else_is_a_value_or_has_a_reason():
    others = {name for name, value in listed().items() if not is_declared(value)}
    others -= {name for name in others if isinstance(listed()[name], CONSTANTS)}
    assert others == EXEMPT.keys()


def test_the_ops_are_among_them():
    ops = [name for name, value in DECLARED.items() if hasattr(value, "op")]
    assert len(ops) > 150
    assert len(DECLARED) > 350


# ---- The checks can fail.


def bare(x, *rest: int, flag=False, **named: int):
    """Nothing shown."""


class Bare:
    def __init__(self, x) -> None: ...


def test_what_is_missing_is_named():
    assert problems(bare) == [
        "no annotation of 'x'",
        "no annotation of 'flag'",
        "no annotation of 'return'",
        "no example",
    ]
    assert problems(Bare) == ["no annotation of 'x'", "no docstring"]


def test_an_op_answers_for_its_declaration():
    function = plugrad.exp
    assert function.__code__ is not signature_of(function).__code__
    assert untyped(function) == []
    before = function.op.body.__annotations__.pop("x")
    try:
        assert untyped(function) == ["x"]
    finally:
        function.op.body.__annotations__["x"] = before
