"""What a declaration says of its arguments, and sample calls for the tests."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SCALARS = (bool, int, float, complex)
ALL_KINDS = "biufc"


class Param:
    """One parameter of an op."""

    __slots__ = (
        "name",
        "kind",
        "default",
        "keyword",
        "variadic",
        "scalar",
        "mask",
        "listed",
    )

    def __init__(self, name: str, hint: str, keyword: bool, variadic: bool) -> None:
        self.name = name
        if "Sequence[Tensor" in hint:
            self.kind = "many"
        elif hint.startswith(("Tensor", "Mask")):
            self.kind = "tensor"
        else:
            self.kind = "value"
        self.scalar = "Number" in hint  # a Python number may stand for the tensor
        self.mask = hint.startswith("Mask")  # a tensor that promotion passes by
        self.listed = self.kind == "value" and ("Dims" in hint or "Sequence" in hint)
        self.default: Any = REQUIRED
        self.keyword = keyword
        self.variadic = variadic


class Sample:
    """One call of an op, for the tests.

    >>> import plugrad
    >>> plugrad.testing.Sample(plugrad.ones(2, 3), 1, keepdim=True)
    Sample(plugrad.float32[2, 3], 1, keepdim=True)
    """

    __slots__ = ("args", "kwargs", "kind", "smooth")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs
        self.kind = ""
        self.smooth = True

    def named(self, kind: str, smooth: bool = True) -> Sample:
        """Name the sample for test reports and lists of expected differences; without
        `smooth` its gradient is not compared with a numeric one (at a kink, say)."""
        self.kind = kind
        self.smooth = smooth
        return self

    def __repr__(self) -> str:
        from .errors import describe

        given = [describe(value) for value in self.args]
        given += [f"{key}={describe(value)}" for key, value in self.kwargs.items()]
        return f"Sample({', '.join(given)})"


class _Required:
    def __repr__(self) -> str:
        return "..."


REQUIRED = _Required()


def plain(hint: Any) -> str:
    """An annotation as text without blanks, quotes and modules, however it was given:
    `plugrad.Tensor | None`, its text or the objects themselves."""
    text = hint.__name__ if isinstance(hint, type) else str(hint)
    for mark in " '\"":
        text = text.replace(mark, "")
    words = text
    for bracket in "[],":
        words = words.replace(bracket, "|")
    for word in words.split("|"):
        if "." in word:
            text = text.replace(word, word.rpartition(".")[2])
    return text


def read_params(body: Any) -> list[Param]:
    """The parameters of a declaration after `k`; read from its code object, since
    `inspect` would cost every import of plugrad 10 ms."""
    code = body.__code__
    count = code.co_argcount
    hints = {key: plain(hint) for key, hint in body.__annotations__.items()}
    params = [
        Param(name, hints.get(name, ""), False, False)
        for name in code.co_varnames[1:count]
    ]
    keywords = code.co_varnames[count : count + code.co_kwonlyargcount]
    if code.co_flags & 0x04:
        name = code.co_varnames[count + code.co_kwonlyargcount]
        params.append(Param(name, hints.get(name, ""), False, True))
    for p, default in zip(reversed(params), reversed(body.__defaults__ or ())):
        p.default = default
    for name in keywords:
        p = Param(name, hints.get(name, ""), True, False)
        p.default = (body.__kwdefaults__ or {}).get(name, REQUIRED)
        params.append(p)
    return params
