"""What every op has to declare, and what its rules may use.

A rule runs on raw arrays of any backend and, for gradients of gradients, on Tensors. So
it calls `k.NAME`, where both have that name, uses operators, `.shape`, `.ndim` and
`.dtype`, and never writes into anything.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

import plugrad
from plugrad.interface import OPS
from plugrad.testing import Make, samples_of

ATTRIBUTES = {"shape", "ndim", "dtype"}
MAKES = ("float64", "float32", "int64", "bool", "complex128")


@pytest.mark.parametrize("name", OPS)
def test_samples(name):
    """Each op has ten samples of floats, each named once; none fails to be made."""
    for dtype in MAKES:
        samples = samples_of(OPS[name], Make(plugrad.dtypes.BY_NAME[dtype]))
        kinds = [sample.kind for sample in samples]
        assert len(kinds) == len(set(kinds)), kinds
        assert dtype != "float64" or len(samples) >= 10


@pytest.mark.parametrize("name", OPS)
def test_samples_are_the_same_each_time(name):
    def values():
        samples = samples_of(OPS[name], Make(plugrad.float64))
        return [repr((sample, sample.args, sample.kwargs)) for sample in samples]

    assert values() == values()


@pytest.mark.parametrize("name", OPS)
def test_docstring(name):
    text = (OPS[name].body.__doc__ or "").partition(">>>")[0]
    assert text.strip().endswith((".", "`", ")"))


@pytest.mark.parametrize("name", OPS)
def test_rules_or_a_reason(name):
    """An op that gives floating results for floating inputs has a rule for every
    tensor argument, or says why it has no rule."""
    op = OPS[name]
    if op.no_grad_reason:
        assert not op.has_gradient
        assert len(op.no_grad_reason) > 10
        return
    assert op.has_gradient or not gives_floats(op), (
        f"op {name} has neither a rule nor a no_grad_reason"
    )


def gives_floats(op):
    """Whether some sample of floats has a floating result."""
    for sample in samples_of(op, Make(plugrad.float64, requires_grad=False)):
        try:
            found = op.function(*sample.args, **sample.kwargs)
        except Exception:
            continue
        found = found if isinstance(found, (tuple, list)) else [found]
        if any(isinstance(y, plugrad.Tensor) and y.dtype.kind in "fc" for y in found):
            return True
    return False


# ---------------------------------------------------------------- what rules may use


def rules_of(op):
    rules = list(op.rules.items())
    return rules + ([("joint", op.joint_rule)] if op.joint_rule else [])


@functools.cache
def parsed(filename):
    return ast.parse(Path(filename).read_text())


def nodes_of(function):
    """The syntax of a function: all lambdas or defs at its place with its arguments."""
    code = function.__code__
    wanted = code.co_varnames[: code.co_argcount]
    found = []
    for node in ast.walk(parsed(code.co_filename)):
        if isinstance(node, (ast.Lambda, ast.FunctionDef)):
            start = min([node, *getattr(node, "decorator_list", [])], key=line_of)
            names = tuple(a.arg for a in node.args.posonlyargs + node.args.args)
            if start.lineno == code.co_firstlineno and names == wanted:
                found.append(node)
    assert found, f"no source for {function}"
    return found


def line_of(node):
    return node.lineno


def breaches(function, seen):
    """What a rule does that rules may not."""
    if function in seen:
        return []
    seen.add(function)
    found = []
    for top in nodes_of(function):
        body = top.body if isinstance(top.body, list) else [top.body]
        for node in (node for part in body for node in ast.walk(part)):
            found += breach(node, function, seen)
    return found


def breach(node, function, seen):
    """What one node of a rule's syntax does wrong."""
    where = f"{Path(function.__code__.co_filename).name}:{getattr(node, 'lineno', 0)}"
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == "k":
            return missing(node.attr, where)
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        module = function.__globals__.get(owner)
        if node.attr not in ATTRIBUTES and type(module).__name__ != "module":
            if node.attr in LIST_METHODS:
                return []
            return [f"{where}: .{node.attr}"]
    elif isinstance(node, ast.AugAssign):
        if not isinstance(node.target, ast.Name) or node.target.id in ARRAYS:
            return [f"{where}: writes in place: {ast.unparse(node)}"]
    elif isinstance(node, ast.Assign):
        targets = [t for t in node.targets if isinstance(t, ast.Subscript)]
        if any(not is_list(t.value) for t in targets):
            return [f"{where}: assigns to an item: {ast.unparse(node)}"]
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if node.id in function.__code__.co_varnames:
            return []
        helper = function.__globals__.get(node.id)
        if hasattr(helper, "op"):
            return [f"{where}: {node.id} is an op; rules call k.{node.id}"]
        if hasattr(helper, "__code__") and helper.__module__.startswith("plugrad"):
            return breaches(helper, seen)
    return []


# What rules call their arrays; sizes and counts may be added to.
ARRAYS = {"g", "x", "y", "a", "b", "gx", "ga", "gb"}

# Sizes and dimensions are lists of ints, to which these belong.
LIST_METHODS = {"append", "extend", "index", "insert", "pop", "remove", "count"}
LIST_METHODS |= {"sort", "items", "values", "get", "add", "numel", "__index__"}


def is_list(node):
    """Whether a name says that it holds sizes or dimensions."""
    words = ("shape", "size", "dims", "axes", "index", "order", "inverse", "need")
    words += ("grads", "gradients", "pad", "starts", "steps", "found", "parts")
    return isinstance(node, ast.Name) and node.id.rstrip("_").endswith(words)


def missing(name, where):
    """Whether both NumPy's backend and the Tensors' namespace have a name."""
    k = plugrad.get_backend("numpy")
    places = {"NumPy's backend": k, "the Tensors' namespace": k.tensors}
    return [
        f"{where}: {place} has no {name}"
        for place, owner in places.items()
        if not hasattr(owner, name)
    ]


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.has_gradient])
def test_rules_use_only_what_all_backends_and_tensors_have(name):
    found = [
        f"rule of {argument}: {text}"
        for argument, rule in rules_of(OPS[name])
        for text in breaches(rule, set())
    ]
    assert not found, "\n".join(found)


def test_the_check_on_rules_can_fail():
    def writes(k, g, x):
        x[0] = g
        return x

    def adds(k, g, x):
        x += g
        return x

    for rule in (
        lambda k, g, x: x.T * g,
        lambda k, g, x: k.no_such_function(x),
        lambda k, g: plugrad.tanh(g),
        writes,
        adds,
    ):
        assert breaches(rule, set())
    assert not breaches(lambda k, g, x: k.sum(g * x, axis=x.shape[0]), set())
