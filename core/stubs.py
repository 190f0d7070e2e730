"""Write the functions that users call, each fitted to its op.

- A declared op is a real function from the start, but its code is written on its
  first call: 200 ops compiled at import would take 20 ms.
- The written function is the common case of `Op.apply` with nothing in between: read
  the kernel's slot, call it, make the Tensor, and the Node if a gradient is wanted.
  Whatever is not that simple (other dtypes, other backends, errors, `out=`) goes to
  `apply`, which is what a call means.
- Forms with an underscore (`add_`) are written too, for the case that nothing is
  recorded; the rest of what they mean stands in `plugrad.inplace`.

How the way back is written stands in `plugrad.plans`.
"""

from __future__ import annotations

from _thread import RLock

from . import modes, storage
from .calls import flat
from .graph import Node
from .params import ALL_KINDS, REQUIRED, SCALARS
from .plans import compiled, make_plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .declare import Op
    from .params import Param

FunctionType: Any = type(lambda: None)
_building = RLock()


def _unwritten(*args, **kwargs):  # type: ignore[no-untyped-def]
    return build()(*args, **kwargs)  # type: ignore[name-defined]


def make_function(op: Op) -> Any:
    """The function for an op."""
    function = op.function = unwritten(op, op.name, op.apply, Source.lines)
    function.op = op
    function.grad = op.grad
    function.joint = op.joint
    function.before = op.before
    function.samples = op.samples
    return function


def make_operator(op: Op) -> Any:
    """The same for use as `__add__` and the like, where an operand of an unknown type
    gives NotImplemented."""
    return unwritten(op, op.name, op.operate, Source.lines)


def make_inplace(op: Op) -> Any:
    """The method with an underscore at its end."""
    from .inplace import write_into

    def slow(self: Any, *args: Any, **kwargs: Any) -> Any:
        return write_into(op, self, args, kwargs)

    function = unwritten(op, op.name + "_", slow, Source.inplace)
    function.inplace_of = op
    function.__doc__ = f"`{op.name}`, written into this tensor.\n\n{op.body.__doc__}"
    return function


def unwritten(op: Op, name: str, slow: Any, lines: Any) -> Any:
    """A function whose code is written on its first call."""
    space: dict[str, Any] = {"__name__": __name__, "_slow": slow}  # whom warnings name
    function: Any = FunctionType(_unwritten.__code__, space, name)
    function.__module__ = op.body.__module__
    function.__qualname__ = name
    function.__doc__ = op.body.__doc__
    space["build"] = lambda: build(op, function, lines)
    return function


def build(op: Op, function: Any, lines: Any) -> Any:
    """Write the code of an op's function, once."""
    with _building:
        if function.__code__ is not _unwritten.__code__:
            return function
        from .tensor import Tensor, wrap

        space = function.__globals__
        space.update(
            SCALARS=SCALARS_SET,
            OFF=modes.OFF,
            local=modes.local,
            WRITES=storage.WRITES,
            writing=storage.writing,
            link_view=storage.link_view,
            storage=storage.storage,
            new=object.__new__,
            Tensor=Tensor,
            Node=Node,
            flat=flat,
            again=op.view_again,
            finish=op.finish,
            bundle=op.bundle,
            wrap=wrap,
        )
        made = compiled(function.__name__, lines(Source(op, space)), space)
        function.__defaults__ = made.__defaults__
        function.__kwdefaults__ = made.__kwdefaults__
        function.__code__ = made.__code__  # last: other threads may be calling
    return function


SCALARS_SET = frozenset(SCALARS[:3])
INPLACE_ANY = ["    return _slow(self, *args, **kwargs)"]

# what the written functions call their own; a parameter of such a name leaves its op to
# `apply`
TAKEN = frozenset("d lib n new r s self t x y".split())


class Source:
    """The source of one op's function."""

    def __init__(self, op: Op, space: dict[str, Any]) -> None:
        self.op = op
        self.space = space
        self.names = {p.name: public_name(op, p) for p in op.params}
        self.extra = [] if op.view else ["out"]
        names = [p.name for p in op.params]
        self.extra += ["axis"] if "dim" in names else []
        self.extra += ["keepdims"] if "keepdim" in names else []
        for p in op.params:
            if p.variadic:  # sizes come one by one, as one tuple, or by keyword
                self.names[p.name] = "_" + p.name
                self.extra.append(p.name)

    def lines(self) -> list[str]:
        """The source, written out as far as the op allows."""
        op = self.op
        if not TAKEN.isdisjoint(self.names.values()):
            return self.generic()
        first = op.params[0] if op.params else None
        if first is None or first.kind == "value" or first.default is not REQUIRED:
            return self.generic()
        if any(p.default not in (REQUIRED, None) for p in op.tensors):
            return self.generic()
        several = op.wide or op.multiple or len(op.differentiable) > 1
        several = several or (op.outputs and not op.differentiable)
        if several or len(op.tensors) > 3 or first.kind == "many":
            return self.prepared()
        return self.fast()

    def signature(self) -> str:
        """The parameters as the user sees them; defaults are put in the globals."""
        parts: list[str] = []
        starred = False
        for p in self.op.params:
            name = self.names[p.name]
            if p.variadic:
                parts.append(f"*{name}")
                starred = True
                continue
            if p.keyword and not starred:
                parts.append("*")
                starred = True
            if p.default is REQUIRED:
                parts.append(name)
            else:
                self.space[f"D_{name}"] = p.default
                parts.append(f"{name}=D_{name}")
        if self.extra and not starred:
            parts.append("*")
        parts += [f"{name}=None" for name in self.extra]
        return ", ".join(parts)

    def call_apply(self) -> str:
        """The call that leaves everything to `apply`."""
        parts = []
        for p in self.op.params:
            name = self.names[p.name]
            alias = {"dim": "axis", "keepdim": "keepdims"}.get(p.name)
            value = f"{name} if {alias} is None else {alias}" if alias else name
            if p.variadic:
                parts.append(f"*({name} if {p.name} is None else ({p.name},))")
            elif p.keyword:
                parts.append(f"{p.name}={value}")
            else:
                parts.append(value)
        if "out" in self.extra:
            parts.append("out=out")
        return f"return _slow({', '.join(parts)})"

    def generic(self) -> list[str]:
        """A function that only passes its arguments on."""
        return [f"def {self.op.name}({self.signature()}):", f"    {self.call_apply()}"]

    def inplace(self) -> list[str]:
        """A call that writes its first argument and that nothing records."""
        op = self.op
        self.extra = []
        given = [p for p in op.params[1:] if not p.keyword]
        keywords = [p for p in op.params if p.keyword]
        passed = [f"{p.name}={self.names[p.name]}" for p in keywords]
        outer = [self.names[p.name] for p in given] + passed
        slow = f"return _slow({', '.join(['self', *outer])})"
        lines = [f"def {op.name}_({self.signature()}):"]
        named = [self.names[p.name] for p in op.params[1:]]
        taken = not TAKEN.isdisjoint(named)
        if op.variadic or op.wide or op.params[0].kind != "tensor" or taken:
            return [f"def {op.name}_(self, *args, **kwargs):", *INPLACE_ANY]
        lines[0] = lines[0].replace(f"({self.names[op.params[0].name]}", "(self", 1)
        recorded = ["self._node is not None", "self._s is not None and self._s.views"]
        read: list[str] = []
        raw = ["x"]
        for p in given:
            name = self.names[p.name]
            raw.append(name if p.kind == "value" else f"r_{p.name}")
            if p.kind == "value":
                continue
            unlike = f"{name}._k is not lib"
            if not p.mask:
                unlike += f" or {name}._a.dtype is not x.dtype"
            take = [f"if {unlike}:", f"    {slow}", f"r_{p.name} = {name}._a"]
            node = f"{name}._node is not None"
            if p.scalar:
                read += [
                    f"if {name}.__class__ in SCALARS:",
                    f"    r_{p.name} = lib.scalar({name}, x.dtype)",
                    "else:",
                    *("    " + line for line in take),
                ]
                node = f"({name}.__class__ not in SCALARS and {node})"
            else:
                read += take
            recorded.append(node)
        if op.direct != ALL_KINDS:
            test = f"x.dtype not in lib.kinds[{op.direct!r}]"
            read = [f"if {test}:", f"    {slow}", *read]
        call = ", ".join([*raw, *passed])
        return [
            *lines,
            "    try:",
            f"        if ({' or '.join(recorded)}) and not (",
            "            OFF and local.mode is not None and not local.mode.grad",
            "        ):",
            f"            {slow}",
            "        lib = self._k",
            "        x = self._a",
            *("        " + line for line in read),
            f"        lib.{op.slot}_({call})",
            "    except Exception:",
            f"        {slow}",
            "    s = self._s or storage(self)",
            "    with writing:",
            "        s.w = WRITES[0] = WRITES[0] + 1",
            "    return self",
        ]

    def head(self) -> list[str]:
        """The `def`, and the way out for rarely given arguments."""
        lines = [f"def {self.op.name}({self.signature()}):"]
        unusual = [f"{name} is not None" for name in self.extra]
        unusual += [
            f"{self.names[p.name]} is not D_{self.names[p.name]}"
            for p in self.op.params
            if p.keyword
        ]
        if unusual:
            lines += [f"    if {' or '.join(unusual)}:", f"        {self.call_apply()}"]
        return lines

    def call_kernel(self, result: str) -> str:
        """The call of the backend's kernel."""
        arguments = ", ".join(
            self.names[p.name] if p.kind == "value" else f"r_{p.name}"
            for p in self.op.params
            if not p.keyword
        )
        return f"{result} = lib.{self.op.slot}({arguments})"

    def parts(self) -> str:
        """What the kernel's result is called: `r`, and beside it other outputs o_1 and
        extras e_NAME."""
        op = self.op
        outputs = [
            "r" if i in op.differentiable else f"o_{i}" for i in range(len(op.outputs))
        ]
        return ", ".join([*(outputs or ["r"]), *(f"e_{name}" for name in op.extras)])

    def others(self) -> list[str]:
        """Make the outputs that have no gradient."""
        op = self.op
        rest = (i for i in range(len(op.outputs)) if i not in op.differentiable)
        return [f"t_{i} = wrap(lib, o_{i})" for i in rest]

    def result(self) -> str:
        """The `return`: of the output, or of several by name."""
        op = self.op
        made = [
            "y" if i in op.differentiable else f"t_{i}" for i in range(len(op.outputs))
        ]
        return f"return bundle(({', '.join(made)},))" if made else "return y"

    def fast(self) -> list[str]:
        """The common case of an op with one output, or with one that has a gradient,
        written out."""
        slow = self.call_apply()
        tail = self.tail()
        return [
            *self.head(),
            "    try:",
            *("        " + line for line in self.read(slow)),
            f"        {self.call_kernel(self.parts())}",
            "    except Exception:",
            f"        {slow}",
            "    y = new(Tensor)",
            "    y._k = lib",
            "    if type(r) is not lib.array_type:",
            "        y._k, r = lib.home(r)",
            "    y._a = r",
            "    y._s = None",
            *("    " + line for line in self.others()),
            *("    " + line for line in self.node(slow, tail)),
            *("    " + line for line in (*tail, self.result())),
        ]

    def prepared(self) -> list[str]:
        """The common case of an op with several outputs, or with tensors in a list:
        the call is written out, and `finish` records it."""
        op = self.op
        slow = self.call_apply()
        values = ", ".join(f"{p.name!r}: {self.given(p)}" for p in op.params)
        finish = f"return finish(lib, {{{values}}}, r, recorded)"
        lines = [
            *self.head(),
            "    try:",
            *("        " + line for line in self.read(slow)),
            f"        {self.call_kernel('r')}",
            "    except Exception:",
            f"        {slow}",
            f"    recorded = {' or '.join(self.wanted())}",
            "    if recorded and OFF and local.mode is not None:",
            "        recorded = local.mode.grad",
        ]
        if op.view or op.multiple:
            return [*lines, f"    {finish}"]
        made = "wrap(lib, r)"
        if op.outputs:
            each = ", ".join(f"wrap(lib, r[{i}])" for i in range(len(op.outputs)))
            made = f"bundle(({each}))"
        elif op.extras:
            made = "wrap(lib, r[0])"
        return [*lines, "    if recorded:", f"        {finish}", f"    return {made}"]

    def given(self, p: Param) -> str:
        """An argument as `Op.finish` takes it: numbers among tensors as arrays."""
        name = self.names[p.name]
        if p.kind == "tensor" and p.scalar:
            return f"r_{p.name} if {name}.__class__ in SCALARS else {name}"
        return name

    def wanted(self) -> list[str]:
        """The tests of whether any input wants a gradient."""
        tests: list[str] = []
        for p in self.op.params:
            if p.kind == "tensor":
                tests.append(f"n_{p.name} is not None")
            elif p.kind == "many":
                tests.append(f"n_{p.name}")
        return tests

    def read(self, slow: str) -> list[str]:
        """Read what the call needs from its arguments."""
        op = self.op
        inputs = [p for p in op.params if p.kind != "value"]
        first = next((p for p in inputs if not p.mask), inputs[0])
        native = f"r_{first.name}{'[0]' * (first.kind == 'many')}.dtype"
        lines: list[str] = []
        for i, p in enumerate(inputs):
            name = self.names[p.name]
            if p.kind == "many":
                lines += self.read_many(p, native, i == 0, slow)
                continue
            check = [f"if {name}._k is not lib:", f"    {slow}"]
            read = [
                *(check if i else [f"lib = {name}._k"]),
                f"r_{p.name} = {name}._a",
                f"n_{p.name} = {name}._node",
            ]
            if op.promote and p is not first and not p.mask:
                read += [f"if r_{p.name}.dtype is not {native}:", f"    {slow}"]
            lines += read if p is first else self.or_number(p, native, read)
        test = f"{native} not in lib.kinds[{op.direct!r}]"
        if "f" in op.direct and "c" in op.direct and not op.wide:  # others: no node
            tests = [f"n_{p.name} is None" for p in op.tensors]
            test = " and ".join((*tests, test))
        if op.direct != ALL_KINDS:
            lines += [f"if {test}:", f"    {slow}"]
        for p in op.params:
            name = self.names[p.name]
            if p.listed and not p.variadic:  # the caller may change a list later
                lines += [f"if {name}.__class__ is list:", f"    {slow}"]
            if p.variadic:
                lines += [
                    f"if len({name}) == 1 and {name}[0].__class__ is not int:",
                    f"    {name} = flat({name})",
                ]
        return lines

    def read_many(self, p: Param, native: str, leads: bool, slow: str) -> list[str]:
        """The lines that read a list of tensors."""
        name = self.names[p.name]
        unlike = f" or t._a.dtype is not {native}" if self.op.promote else ""
        lines = [f"lib = {name}[0]._k"] if leads else []
        if unlike and leads:
            unlike = " or t._a.dtype is not d"
            lines.append(f"d = {name}[0]._a.dtype")
        return [
            f"if {name}.__class__ not in (list, tuple):",
            f"    {slow}",
            *lines,
            f"r_{p.name} = []",
            f"n_{p.name} = False",
            f"for t in {name}:",
            f"    if t._k is not lib{unlike}:",
            f"        {slow}",
            f"    r_{p.name}.append(t._a)",
            "    if t._node is not None:",
            f"        n_{p.name} = True",
        ]

    def or_number(self, p: Param, native: str, read: list[str]) -> list[str]:
        """The lines that read an argument, or take a number or None in its place."""
        name = self.names[p.name]
        lines: list[str] = []
        if p.default is None:
            lines += [f"if {name} is None:", f"    r_{p.name} = n_{p.name} = None"]
        if p.scalar:
            lines += [
                f"{'elif' if lines else 'if'} {name}.__class__ in SCALARS:",
                f"    r_{p.name} = lib.scalar({name}, {native})",
                f"    n_{p.name} = None",
            ]
        return [*lines, "else:", *("    " + line for line in read)] if lines else read

    def tail(self) -> list[str]:
        """What a view does last."""
        op = self.op
        if not op.view:
            return []
        args = "".join(f"{self.names[p.name]}, " for p in op.params[1:])
        x = op.params[0].name
        shared = f"lib.aliases(r, r_{x})"
        if op.name == "getitem":  # NumPy need not be asked: 0.1 of 0.7 us
            shared = f"lib.basic_views or {shared}"
        return [
            f"if {shared}:",
            f"    link_view({self.names[x]}, y, again, ({args}))",
        ]

    def node(self, slow: str, tail: list[str]) -> list[str]:
        """Choose the plan by which inputs want a gradient, and make the node."""
        op = self.op
        free = [p for p in op.tensors if op.has_rule(p.name)]
        if not free:
            return ["y._node = None"]
        lines: list[str] = []
        none = " and ".join(f"n_{p.name} is None" for p in free)
        lines += [f"if {none}:", "    y._node = None"]
        lines += ["    " + line for line in (*tail, self.result())]
        lines += [
            "if OFF and local.mode is not None:",
            "    if local.mode.grad:",
            f"        {slow}",
            "    y._node = None",
            *("    " + line for line in (*tail, self.result())),
        ]
        if op.broadcast and len(op.tensors) > 1:
            for i, p in enumerate(op.tensors):
                given = f" if r_{p.name} is not None else s_0" * (p.default is None)
                lines.append(f"s_{i} = r_{p.name}.shape{given}")
        lines += ["n = new(Node)"]
        chosen: list[str] = []
        for wanted in subsets(free):
            rest = [p for p in free if p not in wanted]
            test = " and ".join(f"n_{p.name} is None" for p in rest)
            chosen += [f"{'elif' if chosen else 'if'} {test or True}:"]
            chosen += ["    " + line for line in self.recorded(wanted)]
        lines += self.recorded((free[0],)) if len(free) == 1 else chosen
        lines += [
            "n.k = lib",
            "n.w = WRITES[0]",
            "n.s = None",
            "n.hooks = None",
            "y._node = n",
        ]
        return lines

    def recorded(self, wanted: tuple[Param, ...]) -> list[str]:
        """Fill the node for one set of inputs to differentiate."""
        op = self.op
        key = tuple(p in wanted for p in op.tensors)
        plan = op.plans.get(key)
        if plan is None:
            plan = op.plans[key] = make_plan(op, key)
        number = "".join(str(int(each)) for each in key)
        self.space[f"P_{number}"] = plan
        saved = [self.entry(n, s) for n, s in zip(plan.names, plan.sources)]
        edges = "".join(f"n_{p.name}, " for p in wanted)
        shapes = "None"
        if op.broadcast and len(op.tensors) > 1:
            kept = "".join(f"s_{op.tensors.index(p)}, " for p in wanted)
            same = " == ".join(f"s_{i}" for i in range(len(op.tensors)))
            shapes = f"None if {same} else ({kept})"
        return [
            f"n.plan = P_{number}",
            f"n.next = ({edges})",
            f"n.saved = ({''.join(each + ', ' for each in saved)})",
            f"n.shapes = {shapes}",
        ]

    def entry(self, name: str, source: tuple[str, Any]) -> str:
        """The expression of one saved value."""
        op = self.op
        kind, _ = source
        tensors = [p.name for p in op.tensors]
        if name in op.extras:
            return f"e_{name}"
        if name in op.outputs and kind != "output":
            i = op.outputs.index(name)
            return f"o_{i}" if kind == "array" else f"(t_{i}._s or storage(t_{i}))"
        if kind == "guard":
            public = self.names[name]
            made = f"{public}._s or storage({public})"
            p = next(p for p in op.tensors if p.name == name)
            if p.scalar:
                made = f"None if {public}.__class__ in SCALARS else {made}"
            if p.default is None:
                made = f"None if {public} is None else {made}"
            return f"({made})"
        if kind == "output":
            return "r"
        if kind == "need":
            return repr(source[1])
        if name in tensors:
            return f"r_{name}"
        if name.endswith("_shape") and name[:-6] in tensors:
            return f"r_{name[:-6]}.shape"
        if name.endswith("_dtype") and name[:-6] in tensors:
            return f"r_{name[:-6]}.dtype"
        return self.names[name]


def subsets(params: list[Param]) -> list[tuple[Param, ...]]:
    """All sets of one or more of some parameters, smaller ones first."""
    found: list[tuple[Param, ...]] = [()]
    for p in params:
        found += [(*each, p) for each in found]
    return sorted(found[1:], key=len)


def public_name(op: Op, p: Param) -> str:
    """PyTorch's name for a parameter that is `x`, `a` or `b` in the rules."""
    i = op.params.index(p)
    if p.kind == "tensor" and i == 0 and p.name in ("x", "a"):
        return "input"
    if p.kind == "tensor" and i == 1 and p.name == "b":
        return "other"
    return p.name
