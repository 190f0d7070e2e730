"""Write core/tensor.pyi, from which type checkers know the methods of Tensor.

Most methods are attached at import, where no checker sees them: the ops, their in-place
forms, Python's operators, and the functions listed as METHODS. The stub is

- the source of core/tensor.py without the bodies, and
- a signature for every attached method, read from what it was made of: an op's
  declaration, or a function's code object.

Annotations are text (nothing is evaluated): a name in them is looked up in the source
of the module that wrote it, aliases are written out, and names that a method of Tensor
shadows, such as `float`, get an underscore. The output is the same on every run.

    python -m tools.make_stubs
"""

from __future__ import annotations

import ast
import builtins
from functools import cache
from pathlib import Path
from types import FunctionType

import plugrad
from plugrad import Tensor
from plugrad.attach import INPLACE_OPERATORS, OPERATORS
from plugrad.interface import OPS
from plugrad.params import REQUIRED

CORE = Path(__file__).parents[1] / "core"
STUB = CORE / "tensor.pyi"
WIDTH = 88
HEADER = """\
# Written by tools/make_stubs.py: `make stubs` writes it anew.
"""


# --- What the names in a module's annotations mean ------------------------------------


@cache
def tree_of(module: str) -> ast.Module:
    """The source of one of plugrad's modules."""
    parts = module.split(".")[1:]
    path = CORE.joinpath(*parts)
    found = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(found.read_text(encoding="utf-8"))


def statements(module: str) -> list[ast.stmt]:
    """A module's statements, those under `if TYPE_CHECKING:` among them."""
    found: list[ast.stmt] = []
    for node in tree_of(module).body:
        found += node.body if isinstance(node, ast.If) else [node]
    return found


@cache
def names_of(module: str) -> dict[str, ast.expr | tuple[str, str]]:
    """What names stand for: an alias's expression, or an import's module and name."""
    found: dict[str, ast.expr | tuple[str, str]] = {}
    for node in statements(module):
        if isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                up = module.split(".")[: -node.level]
                source = ".".join([*up, *([source] if source else [])])
            for alias in node.names:
                found[alias.asname or alias.name] = source, alias.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if node.value is not None:
                found[node.target.id] = node.value
        elif isinstance(node, ast.ClassDef):
            found[node.name] = module, node.name
    return found


class Annotations(ast.NodeTransformer):
    """Write a module's annotations so that they mean the same in the stub."""

    def __init__(self, module: str, stub: Stub) -> None:
        self.module = module
        self.stub = stub

    def text(self, annotation: str | ast.expr | None) -> str:
        if annotation is None:
            return self.stub.use("typing", "Any")
        if isinstance(annotation, str):
            annotation = ast.parse(annotation, mode="eval").body
        return ast.unparse(self.visit(ast.parse(ast.unparse(annotation)).body[0].value))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, str):  # a quoted annotation
            return self.visit(ast.parse(node.value, mode="eval").body)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id == "Literal":
            node.value = self.visit(node.value)
            return node
        return self.generic_visit(node)

    def alias(self, name: str, meaning: ast.expr) -> ast.expr:
        text = self.text(meaning)
        if text in ("Tensor", self.stub.use("typing", "Any")):
            return ast.Name(text)
        return ast.parse(self.stub.alias(name, text), mode="eval").body

    def visit_Name(self, node: ast.Name) -> ast.expr:
        meaning = names_of(self.module).get(node.id)
        if isinstance(meaning, tuple):
            source, name = meaning
            while source.startswith("plugrad"):  # follow to where it is defined
                further = names_of(source).get(name)
                if not isinstance(further, tuple) or further == (source, name):
                    break
                source, name = further
            further = (
                names_of(source).get(name) if source.startswith("plugrad") else None
            )
            if further is not None and not isinstance(further, tuple):
                return Annotations(source, self.stub).alias(name, further)
            return ast.Name(self.stub.use(source, name))
        if meaning is not None:
            return self.alias(node.id, meaning)
        if hasattr(builtins, node.id):
            return ast.Name(self.stub.use("builtins", node.id))
        raise NameError(f"{self.module}: what is {node.id!r} in an annotation?")


# --- Signatures -----------------------------------------------------------------------


def default_text(value: object) -> str:
    """A default value, where it is short and plain."""
    simple = value is None or isinstance(value, (bool, int, float, str))
    return repr(value) if simple or value == () else "..."


class Stub:
    """The text of the stub, and the imports that it needs."""

    def __init__(self) -> None:
        self.own = list(tree_of("plugrad.tensor").body)
        self.cls = next(n for n in self.own if isinstance(n, ast.ClassDef))
        written = [n.name for n in self.cls.body if isinstance(n, ast.FunctionDef)]
        self.attached = sorted(
            name
            for name, value in vars(Tensor).items()
            if name not in written and isinstance(value, (FunctionType, property))
        )
        self.members = {*written, *self.attached}
        self.imports: dict[str, set[str]] = {}
        self.renamed: set[str] = set()
        self.aliases: dict[str, str] = {}

    def use(self, module: str, name: str) -> str:
        """The name in the stub of what `module` calls `name`."""
        if module == "plugrad.tensor":
            return name
        shadowed = name in self.members
        if module == "builtins":
            if shadowed:
                self.renamed.add(name)
            return f"_{name}" if shadowed else name
        self.imports.setdefault(module, set()).add(name)
        return f"_{name}" if shadowed else name

    def alias(self, name: str, text: str) -> str:
        """The name in the stub of an alias, or its meaning where two modules differ."""
        known = self.aliases.setdefault(f"_{name}", text)
        return f"_{name}" if known == text else f"({text})"

    # --- Attached methods -------------------------------------------------------------

    def method(self, name: str) -> list[str]:
        value = vars(Tensor)[name]
        if isinstance(value, property):
            getter = value.fget
            where = Annotations(getter.__module__, self)
            result = where.text(getter.__annotations__.get("return"))
            return ["@property", f"def {name}(self) -> {result}: ..."]
        inplace = {v: k for k, v in INPLACE_OPERATORS.items()}
        operators = {each: op for op, names in OPERATORS.items() for each in names}
        if name in inplace:
            return self.operator(name, inplace[name])
        if name in operators:
            return self.operator(name, operators[name])
        op = getattr(value, "op", None)
        if op is not None:
            return self.of_op(name, op, extras=True)
        if hasattr(value, "inplace_of"):
            return self.of_op(name, value.inplace_of, extras=False)
        return self.of_function(name, value)

    def operator(self, name: str, op_name: str) -> list[str]:
        """An operator takes the op's tensors, and none of its options."""
        op = OPS[op_name]
        where = Annotations(op.body.__module__, self)
        tensors = [p for p in op.params[1:] if p.default is REQUIRED]
        given = [f"{p.name}: {where.text(hint(op, p))}" for p in tensors]
        given = [each.replace("b: ", "other: ", 1) for each in given]
        lines = signature(name, ["self", *given], "Tensor")
        if name in ("__eq__", "__ne__"):
            lines[-1] += "  # type: ignore[override]"
        return lines

    def of_op(self, name: str, op: object, extras: bool) -> list[str]:
        """The method of a declared op."""
        where = Annotations(op.body.__module__, self)
        parts = ["self"]
        starred = False
        for p in op.params[1:]:
            public = "other" if p is op.params[1] and p.name == "b" else p.name
            text = where.text(hint(op, p))
            if p.variadic:
                if p.name in ("shape", "size", "dims", "dim"):
                    text = f"{text} | {self.sequence(text)}"
                parts.append(f"*{public}: {text}")
                starred = True
                continue
            if p.keyword and not starred:
                parts.append("*")
                starred = True
            default = "" if p.default is REQUIRED else f" = {default_text(p.default)}"
            parts.append(f"{public}: {text}{default}")
        if extras:
            parts += self.extra_keywords(op, starred)
        result = "Tensor" if not extras else self.result(op, where)
        return signature(name, parts, result)

    def sequence(self, item: str) -> str:
        return f"{self.use('collections.abc', 'Sequence')}[{item}]"

    def extra_keywords(self, op: object, starred: bool) -> list[str]:
        """NumPy's names of dimensions, and `out`."""
        names = [p.name for p in op.params]
        anything = self.use("typing", "Any")
        extra = [] if op.view or op.multiple else ["out"]
        extra += ["axis"] if "dim" in names else []
        extra += ["keepdims"] if "keepdim" in names else []
        parts = [f"{each}: {anything} = None" for each in extra]
        return parts if starred or not parts else ["*", *parts]

    def result(self, op: object, where: Annotations) -> str:
        if op.outputs or op.multiple:
            return where.text(op.body.__annotations__.get("return"))
        return "Tensor"

    def of_function(self, name: str, function: FunctionType) -> list[str]:
        """A function that is attached as it is."""
        code = function.__code__
        hints = dict(function.__annotations__)
        where = Annotations(function.__module__, self)
        count, keywords = code.co_argcount, code.co_kwonlyargcount
        names = code.co_varnames[:count]
        plain = function.__defaults__ or ()
        defaults = dict(zip(names[count - len(plain) :], plain))
        parts = ["self"]

        def part(each: str, values: dict[str, object]) -> str:
            default = f" = {default_text(values[each])}" if each in values else ""
            return f"{each}: {where.text(hints.get(each))}{default}"

        parts += [part(each, defaults) for each in names[1:]]
        rest = list(code.co_varnames[count + keywords :])
        if code.co_flags & 0x04:
            star = rest.pop(0)
            parts.append(f"*{star}: {where.text(hints.get(star))}")
        elif keywords:
            parts.append("*")
        only = code.co_varnames[count : count + keywords]
        parts += [part(each, function.__kwdefaults__ or {}) for each in only]
        if code.co_flags & 0x08:
            parts.append(f"**{rest[0]}: {where.text(hints.get(rest[0]))}")
        return signature(name, parts, where.text(hints.get("return")))

    # --- The source -------------------------------------------------------------------

    def source(self, node: ast.stmt, where: Annotations) -> list[str]:
        """One statement of core/tensor.py, as a stub has it."""
        if isinstance(node, ast.FunctionDef):
            return self.source_function(node, where)
        if isinstance(node, ast.AnnAssign):
            return [f"{ast.unparse(node.target)}: {where.text(node.annotation)}"]
        if isinstance(node, ast.Assign):
            target = ast.unparse(node.targets[0])
            if target in ("__slots__", "__all__"):
                return wrapped(f"{target} = ", node.value)
            if target == "__hash__":
                return ["def __hash__(self) -> _int: ..."]
        return []

    def source_function(self, node: ast.FunctionDef, where: Annotations) -> list[str]:
        a = node.args
        parts = []
        padding = [None] * (len(a.args) - len(a.defaults))
        for arg, default in zip(a.args, [*padding, *a.defaults]):
            parts.append(source_part(arg, default, where))
        if a.vararg:
            parts.append("*" + source_part(a.vararg, None, where))
        elif a.kwonlyargs:
            parts.append("*")
        for arg, default in zip(a.kwonlyargs, a.kw_defaults):
            parts.append(source_part(arg, default, where))
        if a.kwarg:
            parts.append("**" + source_part(a.kwarg, None, where))
        lines = [f"@{ast.unparse(each)}" for each in node.decorator_list]
        return lines + signature(node.name, parts, where.text(node.returns))

    def text(self) -> str:
        """The whole stub."""
        where = Annotations("plugrad.tensor", self)
        self.renamed.add("int")
        body: list[str] = []
        for node in self.own:
            if node is self.cls:
                bases = [
                    self.use(*names_of("plugrad.tensor")[ast.unparse(base)])
                    for base in node.bases
                ]
                body += ["", f"class {node.name}({', '.join(bases)}):"]
                inside: list[str] = []
                for each in node.body:
                    inside += self.source(each, where)
                for name in self.attached:
                    inside += self.method(name)
                body += [f"    {line}" if line else "" for line in inside]
                body.append("")
            else:
                body += self.source(node, where)
        exported = ast.literal_eval(
            next(
                node.value
                for node in self.own
                if isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) == "__all__"
            )
        )
        for name in exported:
            meaning = names_of("plugrad.tensor").get(name)
            if isinstance(meaning, tuple) and meaning[0] != "plugrad.tensor":
                self.use(*meaning)
        return "\n".join([HEADER, *self.import_lines(), *body, ""])

    def import_lines(self) -> list[str]:
        groups: tuple[list[str], list[str]] = [], []
        for module in sorted(self.imports):
            names = sorted(self.imports[module])
            own = module.startswith("plugrad")
            short = "." + module.removeprefix("plugrad").lstrip(".") if own else module
            given = [f"{n} as _{n}" if n in self.members else n for n in names]
            groups[own].append(f"from {short} import {', '.join(given)}")
        aliases = [f"_{name} = {name}" for name in sorted(self.renamed)]
        aliases += [f"{name} = {text}" for name, text in sorted(self.aliases.items())]
        return [*groups[0], "", *groups[1], "", *aliases]


def hint(op: object, p: object) -> str | None:
    """A parameter's annotation in an op's declaration."""
    return op.body.__annotations__.get(p.name)


def source_part(arg: ast.arg, default: ast.expr | None, where: Annotations) -> str:
    """One parameter of a function in core/tensor.py."""
    text = arg.arg
    if arg.annotation is not None:
        text += f": {where.text(arg.annotation)}"
    elif arg.arg not in ("self", "cls"):
        text += f": {where.text(None)}"
    if default is not None:
        text += (
            f" = {ast.unparse(default)}"
            if isinstance(default, ast.Constant)
            else (" = ...")
        )
    return text


def signature(name: str, parts: list[str], result: str) -> list[str]:
    """A `def` without body, in as many lines as it takes inside a class."""
    line = f"def {name}({', '.join(parts)}) -> {result}: ..."
    if len(line) + 4 <= WIDTH:
        return [line]
    return [f"def {name}(", *(f"    {part}," for part in parts), f") -> {result}: ..."]


def wrapped(start: str, value: ast.expr) -> list[str]:
    line = start + ast.unparse(value)
    if len(line) + 4 <= WIDTH:
        return [line]
    items = [f"    {ast.unparse(each)}," for each in value.elts]
    opening, closing = ("[", "]") if isinstance(value, ast.List) else ("(", ")")
    return [start + opening, *items, closing]


def text() -> str:
    """What core/tensor.pyi has to hold."""
    assert plugrad.Tensor is Tensor
    return Stub().text()


if __name__ == "__main__":
    STUB.write_text(text(), encoding="utf-8")
