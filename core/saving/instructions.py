"""The instructions of a pickle that a Decoder follows.

Each takes from the Decoder's stack and puts there; what names stand for, what calls
give and what is stored, the Decoder's `names` are asked. Instructions that are not
here are refused, those of PROTOCOLS 0 and 1 among them.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from struct import Struct

from ..errors import CheckpointError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .decoder import Decoder

UINT16, INT32 = Struct("<H"), Struct("<i")
UINT32, UINT64, FLOAT64 = Struct("<I"), Struct("<Q"), Struct(">d")
PROTOCOLS = range(2, 6)
UNSET: Any = object()
STEPS: list[Callable[[Decoder], None] | None] = [None] * 256


class Inside:
    """What a pickle refers to on the way to a value, and is none: a name, a storage."""

    __slots__ = ()


class CutOff(CheckpointError):
    """The bytes end before the pickle does."""


def step(code: int) -> Callable[[Callable[[Decoder], None]], Callable[[Decoder], None]]:
    """Enter the function of an instruction."""

    def enter(function: Callable[[Decoder], None]) -> Callable[[Decoder], None]:
        STEPS[code] = function
        return function

    return enter


def constant(code: int, value: Any) -> None:
    """Enter an instruction that gives always the same."""
    STEPS[code] = lambda d: d.stack.append(value)


constant(ord("N"), None)
constant(0x88, True)
constant(0x89, False)
constant(ord(")"), ())


# --- Numbers, text, bytes -------------------------------------------------------------


@step(0x80)
def proto(d: Decoder) -> None:
    found = d.take(1)[0]
    if found not in PROTOCOLS:
        raise CheckpointError(f"its pickle is of protocol {found}; 2 to 5 are read")


@step(0x95)
def frame(d: Decoder) -> None:
    d.take(8)


@step(ord("J"))
def binint(d: Decoder) -> None:
    d.stack.append(d.number(INT32))


@step(ord("K"))
def binint1(d: Decoder) -> None:
    d.stack.append(d.data[d.at])
    d.at += 1


@step(ord("M"))
def binint2(d: Decoder) -> None:
    d.stack.append(d.number(UINT16))


@step(0x8A)
def long1(d: Decoder) -> None:
    d.stack.append(int.from_bytes(d.take(d.take(1)[0]), "little", signed=True))


@step(0x8B)
def long4(d: Decoder) -> None:
    n = d.number(INT32)
    if not 0 <= n <= 1 << 16:
        raise CheckpointError(f"its pickle has an integer of {n} bytes")
    d.stack.append(int.from_bytes(d.take(n), "little", signed=True))


@step(ord("G"))
def binfloat(d: Decoder) -> None:
    d.stack.append(d.number(FLOAT64))


@step(ord("X"))
def binunicode(d: Decoder) -> None:
    d.stack.append(str(d.take(d.number(UINT32)), "utf-8", "surrogatepass"))


@step(0x8C)
def short_binunicode(d: Decoder) -> None:
    d.stack.append(str(d.take(d.take(1)[0]), "utf-8", "surrogatepass"))


@step(0x8D)
def binunicode8(d: Decoder) -> None:
    d.stack.append(str(d.take(d.number(UINT64)), "utf-8", "surrogatepass"))


@step(ord("T"))
def binstring(d: Decoder) -> None:
    n = d.number(INT32)
    if n < 0:
        raise CheckpointError("its pickle has text of a negative length")
    d.stack.append(d.text(d.take(n)))


@step(ord("U"))
def short_binstring(d: Decoder) -> None:
    d.stack.append(d.text(d.take(d.take(1)[0])))


@step(ord("B"))
def binbytes(d: Decoder) -> None:
    d.stack.append(d.take(d.number(UINT32)))


@step(ord("C"))
def short_binbytes(d: Decoder) -> None:
    d.stack.append(d.take(d.take(1)[0]))


@step(0x8E)
def binbytes8(d: Decoder) -> None:
    d.stack.append(d.take(d.number(UINT64)))


@step(0x96)
def bytearray8(d: Decoder) -> None:
    d.stack.append(bytearray(d.take(d.number(UINT64))))


# --- Containers -----------------------------------------------------------------------


@step(ord("]"))
def empty_list(d: Decoder) -> None:
    d.count()
    d.stack.append([])


@step(ord("}"))
def empty_dict(d: Decoder) -> None:
    d.count()
    d.stack.append({})


@step(0x8F)
def empty_set(d: Decoder) -> None:
    d.count(4)
    d.stack.append(set())


@step(ord("("))
def mark(d: Decoder) -> None:
    d.count()
    d.marks.append(d.stack)
    d.stack = []


@step(ord("0"))
def pop(d: Decoder) -> None:
    if d.stack:
        d.stack.pop()
    else:
        d.pop_mark()


@step(ord("1"))
def pop_to_mark(d: Decoder) -> None:
    d.pop_mark()


@step(ord("t"))
def make_tuple(d: Decoder) -> None:
    items = d.pop_mark()
    d.stack.append(tuple(items))


def make_short_tuple(n: int) -> Callable[[Decoder], None]:
    def short_tuple(d: Decoder) -> None:
        d.count()
        stack = d.stack
        if len(stack) < n:
            raise IndexError(n)
        stack[-n:] = [tuple(stack[-n:])]

    return short_tuple


STEPS[0x85], STEPS[0x86], STEPS[0x87] = map(make_short_tuple, (1, 2, 3))


@step(ord("l"))
def make_list(d: Decoder) -> None:
    items = d.pop_mark()
    d.stack.append(items)


@step(ord("d"))
def make_dict(d: Decoder) -> None:
    items = d.pop_mark()
    made: dict[Any, Any] = {}
    fill(d, made, items)
    d.stack.append(made)


@step(0x91)
def make_frozenset(d: Decoder) -> None:
    items = d.pop_mark()
    d.count(4)
    for item in items:
        d.check_key(item)
    d.stack.append(frozenset(items))


@step(ord("a"))
def append(d: Decoder) -> None:
    item = d.stack.pop()
    check_values((item,))
    a_list(d).append(item)


@step(ord("e"))
def appends(d: Decoder) -> None:
    items = d.pop_mark()
    check_values(items)
    a_list(d).extend(items)


def a_list(d: Decoder) -> list[Any]:
    """The list on top of the stack."""
    found = d.stack[-1]
    if found.__class__ is not list:
        raise CheckpointError(f"its pickle appends to {kind_of(found)}")
    return found


@step(ord("s"))
def setitem(d: Decoder) -> None:
    value = d.stack.pop()
    key = d.stack.pop()
    fill(d, d.stack[-1], [key, value])


@step(ord("u"))
def setitems(d: Decoder) -> None:
    items = d.pop_mark()
    fill(d, d.stack[-1], items)


def fill(d: Decoder, target: Any, items: list[Any]) -> None:
    """Set keys and values, which follow each other in `items`."""
    if target.__class__ not in (dict, OrderedDict, Counter):
        raise CheckpointError(f"its pickle sets items of {kind_of(target)}")
    if len(items) % 2:
        raise CheckpointError("its pickle has a key without a value")
    check_values(items)
    for i in range(0, len(items), 2):
        d.check_key(items[i])
        target[items[i]] = items[i + 1]


def check_values(items: Any) -> None:
    """Raise if one of these is no value, or a tuple with such a one."""
    for item in items:
        if item.__class__ is tuple:
            for each in item:
                if isinstance(each, Inside):
                    raise no_value(each)
        elif isinstance(item, Inside):
            raise no_value(item)


def no_value(item: Any) -> CheckpointError:
    """The error of a name, or a storage, that stands where a value belongs."""
    what = getattr(item, "name", None)
    if what is None:
        return CheckpointError("it holds a storage by itself; plugrad loads tensors")
    return CheckpointError(f"it holds {what!r} itself, and not what that would make")


@step(0x90)
def additems(d: Decoder) -> None:
    items = d.pop_mark()
    target = d.stack[-1]
    if target.__class__ is not set:
        raise CheckpointError(f"its pickle adds to {kind_of(target)}")
    for item in items:
        d.check_key(item)
    target.update(items)


def kind_of(value: Any) -> str:
    """What a value is, for messages."""
    return f"what is a {type(value).__name__}"


# --- The memo -------------------------------------------------------------------------


def put_at(d: Decoder, i: int) -> None:
    memo = d.memo
    value = d.stack[-1]
    if i < len(memo):
        memo[i] = value
        return
    if i > 2 * len(memo) + 1000:  # numbers are given one after the other
        raise CheckpointError(f"its pickle numbers an object {i} after {len(memo)}")
    memo += [UNSET] * (i - len(memo))
    memo.append(value)


def get_at(d: Decoder, i: int) -> None:
    found = d.memo[i] if i < len(d.memo) else UNSET
    if found is UNSET:
        raise CheckpointError(f"its pickle refers to object {i}, which is not there")
    d.stack.append(found)


@step(ord("q"))
def binput(d: Decoder) -> None:
    put_at(d, d.data[d.at])
    d.at += 1


@step(ord("r"))
def long_binput(d: Decoder) -> None:
    # this and the next are a third of all instructions: the common case has no calls
    at, memo = d.at, d.memo
    end = d.at = at + 4
    if end > d.size:
        raise CutOff("its pickle is cut off")
    i = int.from_bytes(d.data[at:end], "little")
    if i == len(memo):
        memo.append(d.stack[-1])
    else:
        put_at(d, i)


@step(ord("h"))
def binget(d: Decoder) -> None:
    i, memo = d.data[d.at], d.memo
    d.at += 1
    if i < len(memo) and (found := memo[i]) is not UNSET:
        d.stack.append(found)
    else:
        get_at(d, i)


@step(0x94)
def memoize(d: Decoder) -> None:
    d.memo.append(d.stack[-1])


@step(ord("j"))
def long_binget(d: Decoder) -> None:
    get_at(d, d.number(UINT32))


@step(ord("2"))
def dup(d: Decoder) -> None:
    d.stack.append(d.stack[-1])


# --- Names, and what they are asked for -----------------------------------------------


@step(ord("c"))
def find_global(d: Decoder) -> None:
    module = d.line()
    d.stack.append(d.names.find(module, d.line()))


@step(0x93)
def stack_global(d: Decoder) -> None:
    name, module = d.stack.pop(), d.stack.pop()
    if name.__class__ is not str or module.__class__ is not str:
        raise CheckpointError("its pickle has a name that is no text")
    d.stack.append(d.names.find(module, name))


@step(ord("R"))
def reduce(d: Decoder) -> None:
    args = d.stack.pop()
    d.count()
    d.stack[-1] = d.names.call(d, d.stack[-1], arguments(args))


@step(0x81)
def newobj(d: Decoder) -> None:
    args = d.stack.pop()
    d.count()
    d.stack[-1] = d.names.new(d, d.stack[-1], arguments(args), {})


@step(0x92)
def newobj_ex(d: Decoder) -> None:
    keywords = d.stack.pop()
    args = d.stack.pop()
    if keywords.__class__ is not dict:
        raise CheckpointError("its pickle makes an object with keywords that are none")
    d.stack[-1] = d.names.new(d, d.stack[-1], arguments(args), keywords)


@step(ord("b"))
def build(d: Decoder) -> None:
    state = d.stack.pop()
    d.names.build(d.stack[-1], state)


@step(ord("Q"))
def binpersid(d: Decoder) -> None:
    d.stack[-1] = d.names.stored(d.stack[-1])


def arguments(args: Any) -> tuple[Any, ...]:
    """The arguments of a call."""
    if args.__class__ is not tuple:
        raise CheckpointError(
            f"its pickle calls with arguments that are {kind_of(args)}"
        )
    return args
