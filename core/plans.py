"""Write the way back of a call: which values its rules need, and how they are called.

`make_plan` gives, for one op and one set of inputs to differentiate, the Plan that all
such calls share: what is saved and where it comes from, and the function `back` that
calls the rules and sums what was broadcast.
"""

from __future__ import annotations

from .graph import Plan, sum_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .declare import Op
    from .params import Param


def compiled(name: str, lines: list[str], space: dict[str, Any]) -> Any:
    """The function that `lines` define, with `space` as its globals."""
    out: dict[str, Any] = {}
    exec(compile("\n".join(lines), f"<plugrad {name}>", "exec"), space, out)
    return out[name]


def rule_names(rule: Any) -> list[str]:
    """The parameter names of a rule."""
    return list(rule.__code__.co_varnames[: rule.__code__.co_argcount])


def make_plan(op: Op, key: tuple[bool, ...]) -> Plan:
    """The plan of an op for one set of inputs to differentiate."""
    wanted = wanted_params(op, key)
    names: list[str] = []
    sources: list[tuple[str, Any]] = []
    rules = [op.joint_rule] if op.joint_rule else [op.rules[p.name] for p in wanted]
    for rule in rules:
        for name in rule_names(rule):
            if name not in ("k", "g") and name not in names:
                entries = source_of(op, key, name)
                names += [name] * len(entries)
                sources += entries
    back = write_back(op, key, wanted, names, sources)
    return Plan(op.title + "Backward0", back, tuple(names), tuple(sources), op)


def wanted_params(op: Op, key: tuple[bool, ...]) -> list[Param]:
    """The parameters of which some input wants a gradient."""
    found: list[Param] = []
    many = len(key) - len(op.tensors)
    i = 0
    for p in op.params:
        if p.kind != "value":
            n = many if p.kind == "many" else 1
            if any(key[i : i + n]):
                found.append(p)
            i += n
    return found


def source_of(op: Op, key: tuple[bool, ...], name: str) -> list[tuple[str, Any]]:
    """Where a rule's value comes from: one entry, and perhaps its guard."""
    if name == "need":
        return [("need", key)]
    param = next((p for p in op.params if p.name == name), None)
    if name == "y" and not op.outputs and param is None:
        return [("output", None)]
    if name in op.outputs:
        i = op.outputs.index(name)
        if i not in op.differentiable:
            return [("array", None), ("guard", None)]
        if len(op.differentiable) == 1:
            return [("output", None)]
        return [("output", i), ("guard", None)]
    if name in op.extras:
        return [("array", None)]
    if param is None:
        if not name.endswith(("_shape", "_dtype")):
            raise TypeError(f"a rule of op {op.name} asks for an unknown {name!r}")
        return [("dtype" if name.endswith("_dtype") else "value", None)]
    if param.kind == "value":
        return [("value", None)]
    positions = edge_positions(op, key, param)
    if param.kind == "many":
        return [("many", positions)]
    if positions[0] is None:
        return [("array", None), ("guard", None)]
    return [("edge", positions[0])]


def edge_positions(op: Op, key: tuple[bool, ...], param: Param) -> list[int | None]:
    """The index among the node's edges of each input of one parameter."""
    many = len(key) - len(op.tensors)
    i = 0
    for p in op.params:
        if p.kind == "value":
            continue
        n = many if p.kind == "many" else 1
        if p is param:
            if op.wide:
                return list(range(i, i + n))
            return [sum(key[:i]) if key[i] else None]
        i += n
    raise AssertionError(param)


def write_back(
    op: Op,
    key: tuple[bool, ...],
    wanted: list[Param],
    names: list[str],
    sources: list[tuple[str, Any]],
) -> Any:
    """The function that calls the rules: back(k, g, saved, shapes)."""
    space: dict[str, Any] = {"sum_to": sum_to}
    unpacked = "".join(
        ("_, " if source[0] == "guard" else f"v_{name}, ")
        for name, source in zip(names, sources)
    )
    lines = ["def back(k, g, saved, shapes):"]
    if unpacked:
        lines.append(f"    {unpacked} = saved")

    def call(label: str, rule: Any) -> str:
        space[label] = rule
        arguments = [n if n in ("k", "g") else f"v_{n}" for n in rule_names(rule)]
        return f"{label}({', '.join(arguments)})"

    if op.joint_rule:
        lines.append(f"    every = {call('joint', op.joint_rule)}")
        if op.wide:
            results = ["*every"]
        else:
            results = [f"every[{i}]" for i, each in enumerate(key) if each]
    else:
        results = []
        many = len(key) - len(op.tensors)
        for p in op.params:
            if p.kind != "value":
                if p in wanted:
                    star = "*" if p.kind == "many" else ""
                    results.append(star + call(f"rule_{p.name}", op.rules[p.name]))
                elif op.wide:
                    n = many if p.kind == "many" else 1
                    results.append(f"*(None,) * {n}")
    if op.broadcast:
        for i, result in enumerate(results):
            lines.append(f"    g_{i} = {result}")
        lines.append("    if shapes is not None:")
        for i in range(len(results)):
            lines += [
                f"        if g_{i} is not None and g_{i}.shape != shapes[{i}]:",
                f"            g_{i} = sum_to(k, g_{i}, shapes[{i}])",
            ]
        results = [f"g_{i}" for i in range(len(results))]
    lines.append(f"    return ({', '.join(results)},)")
    return compiled("back", lines, space)
