"""Faster kernels for some ops of a backend, brought by a plugin.

A plugin names the backend and gives kernels by the ops' names, each with a predicate
that says which calls it accepts; the others fall through to the kernel in use before.

    kernels = plugrad.Overrides("scipy", backend="numpy")

    @kernels.add("erf", accepts=lambda x: x.dtype.kind == "f")
    def erf(x): ...

- `add` gives a kernel of arrays; the op's own rules serve backward.
- `pair` gives a forward that returns (result, state) and a vjp of (g, state, need) that
  returns a gradient for each input, None where `need` says so. It runs on raw arrays
  alone: under `create_graph` the op's own rules run, so the node keeps what those need
  as well.
- Nothing is asked per call unless kernels are in use, and then for their ops alone.
"""

from __future__ import annotations

from . import modes
from .graph import Plan, Port, sum_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .interface import Backend, Kernel
    from .tensor import Tensor

    Array = Any


class Entry:
    """One kernel of a plugin."""

    __slots__ = ("forward", "vjp", "accepts", "plans")

    def __init__(self, forward: Any, vjp: Any, accepts: Any) -> None:
        self.forward = forward
        self.vjp = vjp
        self.accepts = accepts
        self.plans: dict[Plan, Plan] = {}


class Overrides:
    """The kernels that a plugin brings for one backend.

    >>> import plugrad
    >>> kernels = plugrad.Overrides("loud", backend="numpy")
    >>> @kernels.add("relu", accepts=lambda x: x.ndim == 1)
    ... def relu(x):
    ...     print("relu of", x.shape)
    ...     return x.clip(0)
    >>> with plugrad.use_kernels("numpy", kernels):
    ...     plugrad.relu(plugrad.tensor([-1.0, 2.0]))
    relu of (2,)
    tensor([0., 2.])
    """

    def __init__(self, name: str, *, backend: str) -> None:
        self.name = name
        self.backend = backend
        self.entries: dict[str, Entry] = {}

    def __repr__(self) -> str:
        ops = ", ".join(self.entries)
        return f"<plugrad kernels {self.name!r} for {self.backend!r}: {ops}>"

    def add(
        self, op: str, *, accepts: Callable[..., bool] | None = None
    ) -> Callable[[Any], Any]:
        """A decorator that gives the kernel of an op; a name with an underscore at its
        end is that of the kernel that writes into its first argument."""

        def give(forward: Any) -> Any:
            self.entries[op] = Entry(forward, None, accepts)
            return forward

        return give

    def pair(
        self,
        op: str,
        forward: Callable[..., tuple[Any, Any]],
        vjp: Callable[..., Sequence[Array | None]],
        *,
        accepts: Callable[..., bool] | None = None,
    ) -> None:
        """Give a kernel of an op together with its gradient."""
        self.entries[op] = Entry(forward, vjp, accepts)

    def over(self, name: str, before: Kernel | None) -> Kernel | None:
        """The kernel to call for an op: this plugin's, with `before` for the calls that
        it does not accept."""
        entry = self.entries.get(name)
        if entry is None:
            return before
        forward, accepts = entry.forward, entry.accepts
        if entry.vjp is not None:

            def choose(*args: Any) -> Any:
                if accepts is not None and not accepts(*args):
                    return before(*args)  # type: ignore[misc]
                if modes.current().grad:
                    raise Detour  # Calls.apply knows whether the call is recorded
                return forward(*args)[0]

            return choose
        if accepts is None:
            return forward

        def choose_one(*args: Any) -> Any:
            if accepts(*args):
                return forward(*args)
            return before(*args)  # type: ignore[misc]

        return choose_one


class Detour(Exception):
    """Sends a call from an op's function to `Calls.apply`."""


def find_pair(k: Backend, name: str, raw: Sequence[Any]) -> Entry | None:
    """The pair that serves a call, if the kernel in use for it is one."""
    for each in reversed(k.overrides):
        entry = each.entries.get(name)
        if entry is not None and (entry.accepts is None or entry.accepts(*raw)):
            return None if entry.vjp is None else entry
    return None


def give_back(entry: Entry, made: Any, state: Any) -> None:
    """Let the node of a call that `made` came from use the pair's own gradient."""
    first: Tensor = next(t for t in several(made) if t._node is not None)
    node = first._node
    assert node is not None
    if isinstance(node, Port):
        node = node.next[0]
    assert node is not None and node.saved is not None
    plan = entry.plans.get(node.plan)
    if plan is None:
        plan = entry.plans[node.plan] = paired(entry, node.plan)
    node.plan = plan
    node.saved = (state, *node.saved)


def several(made: Any) -> Sequence[Tensor]:
    """The outputs of a call, as a sequence."""
    return made if isinstance(made, (tuple, list)) else (made,)


def paired(entry: Entry, plan: Plan) -> Plan:
    """`plan`, with the pair's vjp wherever gradients are raw arrays."""
    from .interface import Backend

    op = plan.op
    key = next(key for key, each in op.plans.items() if each is plan)

    def back(k: Any, g: Any, saved: Any, shapes: Any) -> Any:
        if not isinstance(k, Backend):
            return plan.back(k, g, saved[1:], shapes)
        every = entry.vjp(g, saved[0], key)
        found = every if op.wide else [g for g, need in zip(every, key) if need]
        if shapes is None:
            return found
        return [
            g if g is None or g.shape == shape else sum_to(k, g, shape)
            for g, shape in zip(found, shapes)
        ]

    names = ("state", *plan.names)
    return Plan(plan.name, back, names, (("ctx", None), *plan.sources), op)


class use_kernels:
    """Use the kernels of a plugin for a backend: from now on, or inside a `with`.

    `kernels` is the plugin's name, or an `Overrides` object. The environment variable
    PLUGRAD_KERNELS ("numpy:scipy,numpy:onednn") does the same when a backend is loaded.

    >>> import plugrad
    >>> kernels = plugrad.Overrides("mine", backend="numpy")
    >>> _ = kernels.add("abs")(lambda x: x * 0)
    >>> with plugrad.use_kernels("numpy", kernels):
    ...     plugrad.tensor([-1.0]).abs()
    tensor([-0.])
    >>> plugrad.tensor([-1.0]).abs()
    tensor([1.])
    """

    def __init__(self, backend: str, kernels: str | Overrides) -> None:
        from .selection import get_backend

        self._k = get_backend(backend)
        self._overrides = find(kernels, backend)
        switch(self._k, [*self._k.overrides, self._overrides])

    def __enter__(self) -> Overrides:
        return self._overrides

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Use what was in use before."""
        rest = list(self._k.overrides)
        if self._overrides in rest:
            rest.remove(self._overrides)
        switch(self._k, rest)

    def __repr__(self) -> str:
        return f"plugrad.use_kernels({self._k.name!r}, {self._overrides.name!r})"


def find(kernels: str | Overrides, backend: str) -> Overrides:
    """The kernels of that name, which must be for that backend."""
    if isinstance(kernels, str):
        from .discovery import find_kernels

        kernels = find_kernels(kernels, backend)
    if kernels.backend != backend:
        from .errors import BackendError

        raise BackendError(
            f"the kernels {kernels.name!r} are for backend {kernels.backend!r}, not "
            f"{backend!r}"
        )
    from .interface import OPS

    unknown = [op for op in kernels.entries if op.rstrip("_") not in OPS]
    if unknown:
        from .errors import BackendError

        raise BackendError(
            f"the kernels {kernels.name!r} are for ops that do not exist: "
            f"{', '.join(unknown)}"
        )
    return kernels


def switch(k: Backend, overrides: list[Overrides]) -> None:
    """Put other kernels in use; what was looked up before is looked up anew."""
    touched = {op for each in (*k.overrides, *overrides) for op in each.entries}
    k.overrides = overrides
    for op in touched:
        k.__dict__.pop("_" + op, None)
        if not hasattr(k.namespace, op):
            k.__dict__.pop(op, None)
