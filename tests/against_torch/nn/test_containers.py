"""Modules that hold others, beside torch's."""

from __future__ import annotations

from collections import OrderedDict

import pytest

from tests.against_torch.nn.layers import In, Layer, check
from tests.against_torch.same import cases, same

LAYERS = [
    Layer(
        "Sequential",
        (In(lambda t: t.nn.Linear(2, 3)), In(lambda t: t.nn.Linear(3, 1))),
        inputs=[(4, 2)],
    ),
    Layer(
        "Sequential",
        (
            In(
                lambda t: OrderedDict(
                    first=t.nn.Linear(2, 3),
                    second=t.nn.Sequential(t.nn.Linear(3, 1), t.nn.Identity()),
                )
            ),
        ),
        inputs=[(4, 2)],
    ),
    Layer("Sequential", inputs=[(4, 2)]),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer)


def L(m, n=1):
    return m.nn.Linear(1, n)


def made(kind, change, *sizes):
    """What a container of layers of those sizes is after `change(m, container)`."""

    def call(m):
        layers = [L(m, n) for n in sizes]
        box = getattr(m.nn, kind)
        box = box(*layers) if kind == "Sequential" else box(layers)
        found = change(m, box)
        if isinstance(found, m.nn.Module):
            found = repr(found), list(found.state_dict())
        return repr(box), list(box.state_dict()), len(box), found

    return call


def delete(box, key):
    del box[key]


BOTH = [
    lambda m, b: None,
    lambda m, b: b[0],
    lambda m, b: b[-1],
    lambda m, b: b[3],
    lambda m, b: b[1:],
    lambda m, b: b[::-1],
    lambda m, b: b.append(L(m, 7)),
    lambda m, b: b.extend([L(m, 7), L(m, 7)]),
    lambda m, b: b.extend(3),
    lambda m, b: b.insert(1, L(m, 7)),
    lambda m, b: b.insert(0, L(m, 7)),
    lambda m, b: b.pop(0),
    lambda m, b: b.pop(-1),
    lambda m, b: b.__setitem__(0, L(m, 9)),
    lambda m, b: b.__setitem__(-1, L(m, 9)),
    lambda m, b: b.__setitem__(5, L(m, 9)),
    lambda m, b: delete(b, 0),
    lambda m, b: delete(b, slice(0, 2)),
    lambda m, b: delete(b, -1),
    lambda m, b: [repr(each) for each in b],
    lambda m, b: b + b,
    lambda m, b: b.__iadd__(type(b)(*[L(m)] if hasattr(b, "__mul__") else [[L(m)]])),
    lambda m, b: [d for d in dir(b) if d.isdigit()],
]
MORE = [
    lambda m, b: b.insert(-1, L(m, 7)),
    lambda m, b: b.insert(5, L(m, 7)),
    lambda m, b: b * 2,
    lambda m, b: 2 * b,
    lambda m, b: b * 0,
    lambda m, b: b * 1.5,
    lambda m, b: b.__imul__(2),
    lambda m, b: b + [1],
]


@cases(
    *[
        made(kind, change, *sizes)
        for kind in ("Sequential", "ModuleList")
        for change in BOTH
        for sizes in ((1, 2, 3), (2, 2, 3))
    ],
    *[made("Sequential", change, 1, 2) for change in MORE],
    made("ModuleList", lambda m, b: None),
    made("ModuleList", lambda m, b: b(1), 1),
    lambda m: m.nn.ModuleList([1]),
    lambda m: m.nn.Sequential(3),
)
def test_lists(call):
    same(call)


def named(change):
    def call(m):
        box = m.nn.ModuleDict({"a": L(m), "b": L(m, 2)})
        found = change(m, box)
        if isinstance(found, m.nn.Module):
            found = repr(found)
        return repr(box), list(box.state_dict()), len(box), list(box), found

    return call


@cases(
    named(lambda m, b: b["a"]),
    named(lambda m, b: b["c"]),
    named(lambda m, b: b.__setitem__("c", L(m, 3))),
    named(lambda m, b: b.__setitem__("a", L(m, 3))),
    named(lambda m, b: b.__setitem__("keys", L(m, 3))),
    named(lambda m, b: delete(b, "a")),
    named(lambda m, b: b.pop("a")),
    named(lambda m, b: b.clear()),
    named(lambda m, b: "a" in b),
    named(lambda m, b: (list(b.keys()), [repr(v) for v in b.values()])),
    named(lambda m, b: [key for key, _ in b.items()]),
    named(lambda m, b: b.update({"z": L(m), "a": L(m, 4)})),
    named(lambda m, b: b.update([["z", L(m)]])),
    named(lambda m, b: b.update([("z",)])),
    named(lambda m, b: b.update(3)),
    named(lambda m, b: b.update(m.nn.ModuleDict({"q": L(m)}))),
)
def test_dictionaries(call):
    same(call)


def parameters(change):
    def call(m):
        box = m.nn.ParameterList([m.ones(2), m.nn.Parameter(m.zeros(3, 1)), "text"])
        found = change(m, box)
        keys = [name for name, _ in box.named_parameters()]
        return repr(box), keys, list(box.state_dict()), len(box), found

    return call


@cases(
    parameters(lambda m, b: b[0]),
    parameters(lambda m, b: b[-1]),
    parameters(lambda m, b: b[4]),
    parameters(lambda m, b: repr(b[:2])),
    parameters(lambda m, b: repr(b.append(m.ones(1)))),
    parameters(lambda m, b: repr(b.extend([m.ones(1), 3]))),
    parameters(lambda m, b: b.extend(3)),
    parameters(lambda m, b: b.__setitem__(0, m.ones(5))),
    parameters(lambda m, b: b.__setitem__(7, m.ones(5))),
    parameters(lambda m, b: [type(each).__name__ for each in b]),
    parameters(lambda m, b: b(1)),
)
def test_lists_of_parameters(call):
    same(call)


def by_name(change):
    def call(m):
        box = m.nn.ParameterDict({"a": m.ones(2), "b": m.nn.Parameter(m.zeros(3, 1))})
        found = change(m, box)
        if isinstance(found, m.nn.Module):
            found = repr(found)
        keys = [name for name, _ in box.named_parameters()]
        return repr(box), keys, list(box.state_dict()), len(box), list(box), found

    return call


@cases(
    by_name(lambda m, b: b["a"]),
    by_name(lambda m, b: b["c"]),
    by_name(lambda m, b: b.__setitem__("c", m.ones(1))),
    by_name(lambda m, b: b.__setitem__("c", "text")),
    by_name(lambda m, b: b.__setitem__(1, m.ones(1))),
    by_name(lambda m, b: delete(b, "a")),
    by_name(lambda m, b: b.pop("a")),
    by_name(lambda m, b: b.popitem()),
    by_name(lambda m, b: b.clear()),
    by_name(lambda m, b: b.get("x", 3)),
    by_name(lambda m, b: b.setdefault("x", m.ones(1))),
    by_name(lambda m, b: b.copy()),
    by_name(lambda m, b: b | m.nn.ParameterDict({"q": m.ones(1)})),
    by_name(lambda m, b: b.__ior__(m.nn.ParameterDict({"q": m.ones(1)}))),
    by_name(lambda m, b: list(reversed(b))),
    by_name(lambda m, b: b.fromkeys(["x", "y"], m.ones(1))),
    by_name(lambda m, b: b.update({"z": m.ones(1)})),
    by_name(lambda m, b: b.update([("z", m.ones(1))])),
    by_name(lambda m, b: b.update([("z",)])),
    by_name(lambda m, b: (list(b.keys()), list(b.values()), list(b.items()))),
    by_name(lambda m, b: b(1)),
)
def test_parameters_by_name(call):
    same(call)
