"""What a call of an op means, step by step.

`Calls.apply` binds the arguments, finds the backend, promotes the dtypes, calls the
kernel, makes the outputs and records the call. Functions written by `plugrad.stubs` do
the same for the common case with nothing in between, and come here for the rest.
"""

from __future__ import annotations

from . import dtypes, modes
from .errors import explain
from .graph import Node, Plan, Port
from .interface import OPS, limited
from .overrides import Detour, give_back
from .params import ALL_KINDS, REQUIRED, SCALARS
from .storage import WRITES, link_view, storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .declare import Op
    from .interface import Backend
    from .params import Param
    from .tensor import Tensor

KINDS = {
    "b": "bool",
    "i": "signed integer",
    "u": "unsigned integer",
    "f": "real floating",
    "c": "complex",
}
ALIASES = {"input": 0, "other": 1}  # PyTorch's names of the first two tensors
RENAMED = {"axis": "dim", "keepdims": "keepdim"}  # NumPy's, which PyTorch takes too


class Calls:
    """How an op is called; `Op` adds how it is declared."""

    name: str
    slot: str
    body: Any
    promote: str | None
    kinds: str
    consider: Callable[[dict[str, Any]], Any] | None
    view: bool
    outputs: tuple[str, ...]
    differentiable: tuple[int, ...]
    multiple: bool | str
    extras: tuple[str, ...]
    params: list[Param]
    variadic: bool
    wide: bool
    broadcast: bool
    rules: dict[str, Callable[..., Any]]
    joint_rule: Callable[..., Any] | None
    plans: dict[tuple[bool, ...], Plan]
    result_type: Any
    function: Any
    on_sparse = False  # whether its kernel takes the arrays of sparse tensors

    # --- Arguments ----------------------------------------------------------------

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments by parameter name, defaults filled in."""
        values: dict[str, Any] = {}
        position = 0
        for p in self.params:
            if p.variadic:
                values[p.name] = args[position:]
                position = len(args)
                if not values[p.name] and p.name in kwargs:
                    values[p.name] = kwargs.pop(p.name)
            elif position < len(args) and not p.keyword:
                values[p.name] = args[position]
                position += 1
        if position < len(args):
            raise TypeError(
                f"{self.name}() takes {position} positional arguments but "
                f"{len(args)} were given"
            )
        for key, value in kwargs.items():
            name = self.parameter(key)
            if name is None:
                raise TypeError(
                    f"{self.name}() got an unexpected keyword argument '{key}'"
                )
            if name in values:
                raise TypeError(f"{self.name}() got two values for argument '{name}'")
            values[name] = value
        for p in self.params:
            if p.name not in values:
                if p.default is REQUIRED:
                    raise TypeError(
                        f"{self.name}() missing required argument '{p.name}'"
                    )
                values[p.name] = p.default
        return values

    def parameter(self, key: str) -> str | None:
        """The parameter that a keyword means."""
        names = [p.name for p in self.params]
        if key in names:
            return key
        if RENAMED.get(key) in names:
            return RENAMED[key]
        i = ALIASES.get(key, len(names))
        if i < len(names) and self.params[i].kind != "value":
            return names[i]
        return None

    def apply(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        """Call the op: the whole of what a call means."""
        values = self.bind(args, kwargs)
        inputs = self.inputs(values)
        k = self.backend(values, inputs)
        if k.is_sparse and not self.on_sparse:
            from .sparse.composed import composed

            found = composed(self, k, values)
            return found if out is None else write_to(self, out, found)
        if self.consider is not None:
            found = self.consider(values)
            if found is not None:
                return found if out is None else write_to(self, out, found)
            inputs = self.inputs(values)
        if self.promote is not None:
            inputs = self.promoted(k, values, inputs)
        if self.kinds is not ALL_KINDS:
            self.check_kinds(k, values, inputs)
        mode = modes.current()
        recorded = mode.grad and any(t._node is not None for t in inputs)
        raw = [self.raw(k, p, values) for p in self.params if not p.keyword]
        keywords = {
            p.name: values[p.name]
            for p in self.params
            if p.keyword and values[p.name] is not p.default
        }
        pair = state = None
        try:
            if keywords:  # a backend's kernels take the positional arguments alone
                result = k.compute(self.call_body, k, raw, keywords)
            else:
                try:
                    result = getattr(k, self.slot)(*raw)
                except Detour as found:
                    pair = found.pair
                    result, state = k.compute(pair.both, raw)
        except Exception as error:
            raise explain(self.name, values, error) from error
        finished = self.finish(k, values, result, recorded)
        if pair and recorded:
            give_back(pair, state, inputs, finished)
        return finished if out is None else write_to(self, out, finished)

    def check_kinds(
        self, k: Backend, values: dict[str, Any], inputs: list[Tensor]
    ) -> None:
        """Raise if the op does not compute in the dtype of its inputs."""
        masks = [values[p.name] for p in self.params if p.mask]
        computed = [t for t in inputs if all(t is not mask for mask in masks)]
        if computed and computed[0].dtype.kind not in self.kinds:
            kinds = ", ".join(KINDS[each] for each in self.kinds)
            raise NotImplementedError(
                f"{self.name}: not implemented for {computed[0].dtype}, only for "
                f"{kinds} dtypes"
            )

    def call_body(self, k: Any, raw: Sequence[Any], keywords: dict[str, Any]) -> Any:
        """Call the default body; sizes reach kernels as one tuple."""
        if self.variadic:
            raw = [*raw[:-1], *raw[-1]]
        if keywords and getattr(k, "leaves_out", None):
            body = limited(k, self.name, lambda *raw: self.body(k, *raw, **keywords))
            return body(*raw)
        return self.body(k, *raw, **keywords)

    def operate(self, *args: Any, **kwargs: Any) -> Any:
        """Call the op as an operator: an operand it does not know is not its own."""
        from .tensor import Tensor, from_foreign, is_foreign, is_number

        given = list(args)
        for i, (p, value) in enumerate(zip(self.params, args)):
            if isinstance(value, Tensor) or p.kind == "value":
                continue
            if is_number(value):
                if not p.scalar:
                    return NotImplemented
                if type(value) not in SCALARS:  # NumPy's
                    given[i] = from_foreign(self.name, p, value)
            elif not is_foreign(value):
                return NotImplemented
        if any(each is not value for each, value in zip(given, args)):
            return self.function(*given, **kwargs)
        return self.apply(*args, **kwargs)

    def inputs(self, values: dict[str, Any]) -> list[Tensor]:
        """Turn the tensor arguments into Tensors, and list those that are."""
        from .tensor import Tensor, from_foreign

        found: list[Tensor] = []
        for p in self.params:
            value = values[p.name]
            if p.kind == "tensor":
                if value is None or (p.scalar and type(value) in SCALARS):
                    continue
                if not isinstance(value, Tensor):
                    value = values[p.name] = from_foreign(self.name, p, value)
                    if type(value) in SCALARS:
                        continue
                found.append(value)
            elif p.kind == "many":
                if isinstance(value, Tensor) or not hasattr(value, "__iter__"):
                    raise TypeError(
                        f"{self.name}(): argument '{p.name}' must be a tuple or list "
                        f"of Tensors, not {type(value).__name__}"
                    )
                value = values[p.name] = list(value)
                for each in value:
                    if isinstance(each, Tensor):
                        found.append(each)
                    elif each is not None:
                        raise TypeError(
                            f"{self.name}(): expected Tensors in '{p.name}', but got "
                            f"{type(each).__name__}"
                        )
        return found

    def backend(self, values: dict[str, Any], inputs: list[Tensor]) -> Backend:
        """The backend of all inputs, or the one that takes its partners' arrays."""
        if not inputs:
            from .selection import default_backend

            return default_backend()
        k = inputs[0]._k
        for x in inputs:
            other = x._k
            if other is k or other.name in k.partners:
                continue
            if k.name not in other.partners:
                from .errors import BackendError

                raise BackendError(
                    f"{self.name}: tensors of backends {k.name!r} and "
                    f"{other.name!r} were given; move one with "
                    f".to(backend={k.name!r})"
                )
            k = other
        return k

    def promoted(
        self, k: Backend, values: dict[str, Any], inputs: list[Tensor]
    ) -> list[Tensor]:
        """Cast the inputs to the dtype that PyTorch would compute in."""
        target = self.computed_in(values)
        if target is None:
            return inputs
        cast = OPS["to_dtype"].apply
        found: list[Tensor] = []
        for p in self.params:
            value = values[p.name]
            if p.mask:
                found.append(value)
            elif p.kind == "tensor" and value is not None:
                if type(value) in SCALARS:
                    values[p.name] = k.make_scalar(value, target)
                    continue
                if value.dtype is not target:
                    value = values[p.name] = cast(value, target)
                found.append(value)
            elif p.kind == "many":
                value = [
                    v if v.dtype is target else cast(v, target) for v in value or ()
                ]
                values[p.name] = value
                found.extend(value)
        return found

    def computed_in(self, values: dict[str, Any]) -> Any:
        """The dtype to compute in, by the op's kind of promotion."""
        asked = values.get("dtype")
        if asked is not None:  # cast first, so that the gradient is cast back
            values["dtype"] = None
            return asked
        if self.promote == "equal":
            return self.common(values)
        dims = zeros = scalars = None
        for p in self.params:
            if p.kind == "value" or p.variadic or p.mask:
                continue
            given = values[p.name] if p.kind == "many" else (values[p.name],)
            for value in given:
                if value is None:
                    continue
                if type(value) in SCALARS:
                    each = dtypes.scalar_dtype(value)
                    scalars = each if scalars is None else promote(scalars, each)
                elif value.ndim:
                    dims = value.dtype if dims is None else promote(dims, value.dtype)
                else:
                    each = value.dtype
                    zeros = each if zeros is None else promote(zeros, each)
        found = dtypes.result_dtype(dims, zeros, scalars)
        if self.promote == "float" and found.kind in "biu":
            return dtypes.get_default_dtype()
        if self.promote == "sum" and found.kind in "biu":
            return dtypes.int64
        return found

    def common(self, values: dict[str, Any]) -> None:
        """Raise unless all tensors have one dtype: this op promotes nothing."""
        masks = [values[p.name] for p in self.params if p.mask]
        given = self.inputs(values)
        found = [t.dtype for t in given if all(t is not mask for mask in masks)]
        if any(each is not found[0] for each in found):
            raise RuntimeError(
                f"{self.name}: expected tensors of the same dtype, but got "
                f"{', '.join(str(each) for each in found)}; cast with .to(dtype)"
            )

    def raw(self, k: Backend, p: Param, values: dict[str, Any]) -> Any:
        """What the kernel gets for one parameter."""
        value = values[p.name]
        if p.kind == "tensor":
            return getattr(value, "_a", value)
        if p.kind == "many":
            return [None if v is None else v._a for v in value]
        if p.variadic:
            value = values[p.name] = flat(value)
        elif isinstance(value, SIZES) and p.name in ("dim", "shape", "size"):
            value = values[p.name] = tuple(map(int, value))
        elif isinstance(value, list):  # the caller may change it before backward
            value = values[p.name] = tuple(value)
        return value

    # --- Results ------------------------------------------------------------------

    def finish(
        self,
        k: Backend,
        values: dict[str, Any],
        result: Any,
        recorded: bool,
    ) -> Any:
        """Make the outputs, and the node if the call is recorded."""
        from .tensor import wrap

        if self.multiple:
            parts, extras = list(result), ()
        elif self.outputs or self.extras:
            n = max(len(self.outputs), 1)
            parts, extras = list(result[:n]), result[n:]
        else:
            parts, extras = [result], ()
        made = [wrap(k, part) for part in parts]
        if recorded:
            plan, edges, shapes = self.plan(values)
            if plan is not None:
                self.record(k, plan, edges, shapes, values, made, extras)
        if self.view:
            self.link(k, values, made)
        if self.multiple:
            return tuple(made) if self.multiple == "tuple" else made
        if self.outputs:
            return self.bundle(made)
        return made[0]

    def bundle(self, made: Sequence[Tensor]) -> Any:
        """Several outputs, by name."""
        if self.result_type is None:
            from collections import namedtuple

            self.result_type = namedtuple(self.name, self.outputs)
            self.result_type.__module__ = "plugrad.return_types"
        return self.result_type(*made)

    def plan(self, values: dict[str, Any]) -> tuple[Plan | None, Any, Any]:
        """The plan for these inputs, the edges, and the shapes where they differ."""
        needs: list[bool] = []
        edges: list[Node | None] = []
        shapes: list[tuple[int, ...]] = []
        for p in self.params:
            if p.kind == "value":
                continue
            each = values[p.name] if p.kind == "many" else (values[p.name],)
            for t in each:
                node = getattr(t, "_node", None)
                if p.kind == "tensor" and not self.has_rule(p.name):
                    node = None
                needs.append(node is not None)
                if node is not None or self.wide:
                    edges.append(node)
                    shapes.append(getattr(t, "shape", ()))
        if not any(needs):
            return None, (), None
        key = tuple(needs)
        plan = self.plans.get(key)
        if plan is None:
            from .plans import make_plan

            made: Any = self
            plan = self.plans[key] = make_plan(made, key)
        return plan, tuple(edges), tuple(shapes) if self.broadcast else None

    def has_rule(self, name: str) -> bool:
        """Whether a gradient flows to the argument `name`."""
        return self.joint_rule is not None or name in self.rules

    def record(
        self,
        k: Backend,
        plan: Plan,
        edges: tuple[Node | None, ...],
        shapes: Any,
        values: dict[str, Any],
        made: list[Tensor],
        extras: Sequence[Any],
    ) -> None:
        """Make the node of this call and tie the outputs to it."""
        results = self.outputs or (() if "y" in values else ("y",))
        named = dict(zip(results, made)) | dict(zip(self.extras, extras))
        node = Node()
        node.plan = plan
        node.k = k
        node.next = edges
        node.saved = tuple(
            saved_entry(name, source, values, named)
            for name, source in zip(plan.names, plan.sources)
        )
        node.shapes = shapes
        node.w = WRITES[0]
        node.s = None
        node.hooks = None
        indices = self.differentiable or range(len(made))
        if len(made) == 1 and not self.multiple:
            made[0]._node = node
        elif self.differentiable and len(indices) == 1:
            made[indices[0]]._node = node
        else:
            node.outputs = [None] * len(made)
            for i in indices:
                made[i]._node = port = Port(node, i)
                port.s = made[i]._s  # there already if the rules save the output
        if modes.OFF and modes.local.mode is not None:
            from .anomaly import note

            note(node)

    def link(self, k: Backend, values: dict[str, Any], made: list[Tensor]) -> None:
        """Note which outputs share the first argument's memory."""
        x = values[self.params[0].name]
        args = tuple(values[p.name] for p in self.params[1:])
        for i, y in enumerate(made):
            if not k.aliases(y._a, x._a):
                continue
            if self.multiple:
                link_view(x, y, nth, (self, i, args))
            else:
                link_view(x, y, self.view_again, args)

    def view_again(self, x: Tensor, *args: Any) -> Tensor:
        """Make the same view of another tensor; arguments as `link` noted them."""
        if any(p.keyword for p in self.params):
            names = [p.name for p in self.params[1:]]
            return self.apply(x, **dict(zip(names, args)))
        return self.function(x, *args)


def promote(a: Any, b: Any) -> Any:
    """`promote_types` for two dtypes that are often the same."""
    return a if a is b else dtypes.promote_types(a, b)


def nth(x: Tensor, op: Op, i: int, args: tuple[Any, ...]) -> Tensor:
    """One of the views that `op` makes of `x`."""
    return op.view_again(x, *args)[i]  # type: ignore[index]


def write_to(op: Any, out: Any, found: Any) -> Any:
    """Put results into the tensors given as `out=`."""
    from .inplace import write_out

    return write_out(op, out, found)


SIZES = (list, tuple)


def flat(sizes: Any) -> Any:
    """Sizes given one by one or as one sequence, as a tuple of ints."""
    if len(sizes) == 1 and isinstance(sizes[0], SIZES):
        sizes = sizes[0]
    try:
        return tuple(s if type(s) is int else s.__index__() for s in sizes)
    except (AttributeError, TypeError):
        raise TypeError(
            f"sizes must be integers, one by one or in a tuple, not {sizes!r}"
        ) from None


def saved_entry(
    name: str,
    source: tuple[str, Any],
    values: dict[str, Any],
    named: dict[str, Any],
) -> Any:
    """The value to keep under `name`."""
    kind, i = source
    if kind == "guard":
        t: Any = named.get(name, values.get(name))
        return storage(t) if hasattr(t, "_s") else None
    if kind == "need":
        return i
    if name in named:
        value = named[name]
        return getattr(value, "_a", value)
    if name not in values:  # x_shape, x_dtype
        # one of two strings: each new one that getattr sees stays in Python's caches
        attribute = "shape" if name.endswith("shape") else "dtype"
        value = values[name[:-6]]
        if isinstance(value, SIZES):
            return [getattr(getattr(v, "_a", None), attribute, None) for v in value]
        return getattr(getattr(value, "_a", value), attribute, ())
    value = values[name]
    if kind == "many":
        return [None if v is None else v._a for v in value]
    return getattr(value, "_a", value)
