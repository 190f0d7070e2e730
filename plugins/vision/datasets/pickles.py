"""Plain data out of a pickle: numbers, strings, lists, dicts and arrays of numbers.

This is a reader of its own, not Python's unpickler with something forbidden: it knows
the few instructions that such data need and has no way to call anything. A name in the
file, such as `numpy.ndarray`, is never looked up; four of them stand for what is done
here for an array. Any other instruction or name is an error.
"""

from __future__ import annotations

import pickletools
from math import prod
from typing import Any

import numpy as np

from .idx import DataError

MARK = object()
NUMBERS = "?biuf"  # the kinds of numbers an array may hold


class Name:
    """A name in the file, which is never looked up."""

    def __init__(self, text: str) -> None:
        self.text = text


class Blank:
    """An array or a dtype that BUILD completes."""

    def __init__(self, kind: str, value: Any = None) -> None:
        self.kind = kind
        self.value = value


ARRAY, BUFFER, DTYPE, ENCODE = "array", "buffer", "dtype", "encode"
NAMES = {
    "numpy.core.multiarray _reconstruct": ARRAY,
    "numpy._core.multiarray _reconstruct": ARRAY,
    "numpy.core.numeric _frombuffer": BUFFER,
    "numpy._core.numeric _frombuffer": BUFFER,
    "numpy dtype": DTYPE,
    "_codecs encode": ENCODE,
    "numpy ndarray": "",
}
VALUES = set(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING "
    "SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES "
    "SHORT_BINBYTES BINBYTES8 BYTEARRAY8".split()
)
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY: dict[str, Any] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
PUTS = ("PUT", "BINPUT", "LONG_BINPUT")
GETS = ("GET", "BINGET", "LONG_BINGET")
IGNORED = ("PROTO", "FRAME", "READONLY_BUFFER")


def read_pickle(data: bytes, name: str) -> Any:
    """The data in a pickle; strings of bytes are read as Latin-1. `name` is for errors.

    >>> import pickle
    >>> from plugrad.plugins.vision.datasets.pickles import read_pickle
    >>> read_pickle(pickle.dumps({"labels": [3, 1]}), "labels.pkl")
    {'labels': [3, 1]}
    """
    try:
        return Reader().run(data)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise DataError(f"{name}: not a whole pickle: {error}") from error


class Reader:
    """A stack and a memo, and what each instruction does to them."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        """The value on the stack at the end."""
        stack = self.stack
        for opcode, argument, _ in pickletools.genops(data):
            code = opcode.name
            if code in VALUES:
                stack.append(argument)
            elif code in PUTS:
                self.memo[argument] = stack[-1]
            elif code in GETS:
                stack.append(self.memo[argument])
            elif code == "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            elif code == "MARK":
                stack.append(MARK)
            elif code == "STOP":
                break
            elif code not in IGNORED:
                self.other(code, argument)
        [value] = stack
        return value

    def other(self, code: str, argument: Any) -> None:
        """The less frequent instructions."""
        stack = self.stack
        if code in CONSTANTS:
            stack.append(CONSTANTS[code])
        elif code in EMPTY:
            stack.append(EMPTY[code]())
        elif code in ("APPENDS", "SETITEMS", "TUPLE", "LIST", "DICT"):
            self.collect(code)
        elif code in ("TUPLE1", "TUPLE2", "TUPLE3"):
            stack.append(tuple(self.pop(int(code[-1]))))
        elif code == "APPEND":
            expect(stack[-2], list).append(stack.pop())
        elif code == "SETITEM":
            key, value = self.pop(2)
            put(expect(stack[-1], dict), key, value)
        elif code == "GLOBAL":
            stack.append(named(argument))
        elif code == "STACK_GLOBAL":
            stack.append(named(" ".join(self.pop(2))))
        elif code == "REDUCE":
            stack.append(reduced(*self.pop(2)))
        elif code == "BUILD":
            blank, state = self.pop(2)
            stack.append(built(blank, state))
            self.replace(blank, stack[-1])
        else:
            raise DataError(
                f"the pickle has the instruction {code}, which plain data do not need; "
                "nothing of it was executed"
            )

    def pop(self, count: int) -> list[Any]:
        """The uppermost values, the lowest of them first."""
        if len(self.stack) < count:
            raise IndexError("the stack is empty")
        values = self.stack[-count:]
        del self.stack[-count:]
        return values

    def collect(self, code: str) -> None:
        """Put the values above the last mark into what is below it, or into one."""
        values: list[Any] = []
        while (value := self.stack.pop()) is not MARK:
            values.append(value)
        values.reverse()
        if code == "TUPLE":
            self.stack.append(tuple(values))
        elif code == "LIST":
            self.stack.append(values)
        elif code == "APPENDS":
            expect(self.stack[-1], list).extend(values)
        else:
            if code == "DICT":
                self.stack.append({})
            target = expect(self.stack[-1], dict)
            for key, value in zip(values[::2], values[1::2], strict=True):
                put(target, key, value)

    def replace(self, blank: Any, value: Any) -> None:
        """What the memo had before it was complete is now the whole."""
        for key, each in self.memo.items():
            if each is blank:
                self.memo[key] = value


def expect(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"a {kind.__name__} is expected, not a {type(value).__name__}")
    return value


def put(target: dict[Any, Any], key: Any, value: Any) -> None:
    """Only simple keys: Python's hash of a deeply nested tuple overflows its stack."""
    if type(key) not in (str, bytes, int):
        raise TypeError(f"a key is a {type(key).__name__}")
    target[key] = value


def named(text: str) -> Name:
    if text not in NAMES:
        raise DataError(
            f"the pickle names {text.replace(' ', '.', 1)!r}, which data of numbers do "
            "not need; nothing of it was imported or executed"
        )
    return Name(text)


def reduced(name: Any, arguments: Any) -> Any:
    """What a name of the file makes of its arguments."""
    does = NAMES[expect(name, Name).text]
    if does == ARRAY:
        return Blank(ARRAY)
    if does == DTYPE:
        return Blank(DTYPE, number_type(arguments[0]))
    if does == ENCODE:
        text, encoding = arguments
        if encoding not in ("latin1", "latin-1"):
            raise TypeError(f"an encoding {encoding!r}")
        return expect(text, str).encode("latin-1")
    if does == BUFFER:
        content, dtype, shape, order = arguments
        return array_of(content, dtype, shape, order == "F")
    raise TypeError(f"{name.text} cannot be called")


def number_type(text: Any) -> np.dtype:
    dtype = np.dtype(expect(text, str))
    if dtype.kind not in NUMBERS:
        raise TypeError(f"an array of {text!r}")
    return dtype


def built(blank: Any, state: Any) -> Any:
    """A dtype with its byte order, or an array with its content."""
    expect(blank, Blank)
    if blank.kind == DTYPE:
        order = state[1]
        if order in ("<", ">"):
            return Blank(DTYPE, blank.value.newbyteorder(order))
        return blank
    _, shape, dtype, fortran, content = state
    return array_of(content, dtype, shape, fortran)


def array_of(content: Any, dtype: Any, shape: Any, fortran: Any) -> np.ndarray:
    """An array on the bytes that the file has for it."""
    if isinstance(content, str):
        content = content.encode("latin-1")
    if (
        not isinstance(content, (bytes, bytearray))
        or expect(dtype, Blank).value is None
    ):
        raise TypeError("an array without numbers")
    if any(type(size) is not int or size < 0 for size in expect(shape, tuple)):
        raise ValueError(f"an array of shape {shape}")
    if prod(shape) * dtype.value.itemsize != len(content):
        raise ValueError(f"an array of shape {shape} with {len(content)} bytes")
    array = np.frombuffer(content, dtype.value)
    return array.reshape(shape, order="F" if fortran else "C")
