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
- The own rules run as well where memory that the state shares with an input or a
  result was written since: they know which values they need, and raise if those are
  gone.
- Nothing is asked per call unless kernels are in use, and then for their ops alone.
"""

from __future__ import annotations

from _thread import RLock

from . import modes
from .errors import BackendError
from .graph import Plan, Port, sum_to
from .storage import WRITES, storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .interface import Backend, Kernel
    from .tensor import Tensor

    Array = Any


class Overrides:
    """The kernels that a plugin brings for one backend.

    With `threads` they compute on threads of their own, beside which the backend's
    library should not have some too: it is told while they are in use
    (`Backend.rest`).

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

    def __init__(self, name: str, *, backend: str, threads: bool = False) -> None:
        self.name = name
        self.backend = backend
        self.threads = threads
        self.entries: dict[str, Entry] = {}
        self.notes: list[str] = []  # what `plugrad doctor` says of the installation

    def __repr__(self) -> str:
        ops = ", ".join(self.entries)
        return f"<plugrad kernels {self.name!r} for {self.backend!r}: {ops}>"

    def add(
        self, op: str, *, accepts: Callable[..., bool] | None = None
    ) -> Callable[[Any], Any]:
        """A decorator that gives the kernel of an op; a name with an underscore at its
        end is that of the kernel that writes into its first argument. `accepts` gets
        the kernel's arguments, perhaps twice; it has to be quick, and change nothing.
        """

        def give(forward: Any) -> Any:
            self.entries[op] = Entry(self.name, op, forward, None, accepts)
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
        """Give a kernel of an op together with its gradient.

        `need` and the gradients that `vjp` returns stand in the order of the op's
        tensor arguments, those in lists one by one. They may have the shape that the
        inputs were broadcast to. Where several outputs have gradients, `g` is a list of
        them, with None for an output that nobody used. Complex gradients arrive
        conjugated, as at the ops' own rules: `g * b` is right for the product.
        """
        self.entries[op] = Entry(self.name, op, forward, vjp, accepts)


class Entry:
    """One kernel of a plugin."""

    __slots__ = ("title", "op", "forward", "vjp", "accepts", "plans")

    def __init__(
        self, plugin: str, op: str, forward: Any, vjp: Any, accepts: Any
    ) -> None:
        self.title = f"{op}: kernels {plugin!r}"
        self.op = op
        self.forward = forward
        self.vjp = vjp
        self.accepts = accepts
        self.plans: dict[Plan, Plan] = {}

    def takes(self, args: Sequence[Any]) -> bool:
        """Whether this kernel serves a call."""
        return self.accepts is None or self.accepts(*args)

    def both(self, args: Sequence[Any]) -> tuple[Any, Any]:
        """The result and, of a pair, the state."""
        if self.vjp is None:
            return self.forward(*args), None
        found = self.forward(*args)
        if type(found) is not tuple or len(found) != 2:
            raise TypeError(
                f"{self.title}: the forward of a pair must return (result, state), "
                f"not {type(found).__name__}"
            )
        return found

    def over(self, before: Kernel | None, slot: bool) -> Kernel:
        """The kernel to call, with `before` for the calls that this one does not
        accept. The functions that users call take it from the backend's `slot`."""
        forward = self.forward
        if self.accepts is None and self.vjp is None:
            return forward
        detours = slot and self.vjp is not None

        def kernel(*args: Any, **keywords: Any) -> Any:
            if self.takes(args):
                if detours and modes.current().grad:
                    raise Detour(self)
                return self.both(args)[0] if self.vjp else forward(*args, **keywords)
            if before is None:  # the op's function is called, and its result written
                raise NotImplementedError(f"{self.title}: a call is not accepted")
            return before(*args, **keywords)

        return kernel

    def over_inplace(self, k: Backend, before: Kernel | None) -> Kernel | None:
        """The kernel `NAME_` where the plugin gives NAME alone: its result, written."""
        from .interface import OPS

        if before is None:
            return None
        defaults = {p.name: p.default for p in OPS[self.op].params if p.keyword}

        def kernel(*args: Any, **keywords: Any) -> Any:
            if keywords == defaults and self.takes(args):
                return k.write(args[0], self.both(args)[0])
            return before(*args, **keywords)

        return kernel


class Detour(Exception):
    """Sends a call from an op's function to `Calls.apply`, which knows whether it is
    recorded; there, it says which pair serves the call."""

    def __init__(self, pair: Entry) -> None:
        self.pair = pair


def overridden(k: Backend, name: str, kernel: Kernel | None, slot: bool) -> Any:
    """The kernel to call for an op where plugins' kernels are in use."""
    for each in k.overrides:
        entry = each.entries.get(name)
        if entry is not None:
            kernel = entry.over(kernel, slot)
        elif name.endswith("_") and name[:-1] in each.entries:
            kernel = each.entries[name[:-1]].over_inplace(k, kernel)
        else:
            continue
        if kernel is not None and k.around is not None:
            kernel = inside(k.around, kernel)
    return kernel


def inside(around: Callable[[], Any], kernel: Kernel) -> Kernel:
    """A plugin's kernel, called in the context that its backend needs."""

    def call(*args: Any, **keywords: Any) -> Any:
        with around():
            return kernel(*args, **keywords)

    return call


# --- The way back of a pair ---------------------------------------------------------


def give_back(entry: Entry, state: Any, inputs: Sequence[Tensor], outputs: Any) -> None:
    """Let the node of a call use the gradient of the pair that served it."""
    several = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    node = next((t._node for t in several if t._node is not None), None)
    if isinstance(node, Port):
        node = node.next[0]
    if node is None or node.saved is None:
        return  # the op has no gradient for the inputs that want one
    plan = entry.plans.get(node.plan)
    if plan is None:
        plan = entry.plans[node.plan] = paired(entry, node.plan)
    watched = [storage(t) for t in shared(node.k, state, (*inputs, *several))]
    node.plan = plan
    node.saved = ((state, node.w, watched), *node.saved)


def shared(k: Backend, state: Any, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """The tensors whose memory the state may refer to."""
    arrays = arrays_in(k, state)
    if arrays is None:
        return tensors
    return [
        t
        for t in tensors
        if any(a is t._a or k.aliases(a, t._a) or k.aliases(t._a, a) for a in arrays)
    ]


def arrays_in(k: Backend, state: Any) -> list[Array] | None:
    """The arrays in tuples, lists and dicts; None if there is something else that may
    hold one."""
    if state is None or isinstance(state, (bool, int, float, complex, str)):
        return []
    if isinstance(state, k.array_type):
        return [state]
    if isinstance(state, dict):
        state = list(state.values())
    if type(state) not in (tuple, list):
        return None
    found: list[Array] = []
    for each in state:
        arrays = arrays_in(k, each)
        if arrays is None:
            return None
        found += arrays
    return found


def paired(entry: Entry, plan: Plan) -> Plan:
    """`plan`, with the pair's vjp wherever gradients are raw arrays."""
    from .interface import Backend

    op = plan.op
    key = next(key for key, each in op.plans.items() if each is plan)

    def back(k: Any, g: Any, saved: Any, shapes: Any) -> Any:
        state, w, watched = saved[0]
        own = not isinstance(k, Backend)
        if own or (w != WRITES[0] and any(s.w > w for s in watched)):
            return plan.back(k, g, saved[1:], shapes)
        found = entry.vjp(g, state, key)
        if len(found) != len(key):
            raise TypeError(
                f"{entry.title}: the vjp must return {len(key)} gradients, one for "
                f"each input, not {len(found)}"
            )
        if not op.wide:
            found = [g for g, need in zip(found, key) if need]
        if shapes is None:
            return found
        return [
            g if g is None or g.shape == shape else sum_to(k, g, shape)
            for g, shape in zip(found, shapes)
        ]

    names = ("state", *plan.names)
    return Plan(plan.name, back, names, (("ctx", None), *plan.sources), op)


# --- Which kernels are in use ---------------------------------------------------------


class use_kernels:
    """Use the kernels of a plugin for a backend: from now on, or inside a `with`.

    `kernels` is the plugin's name, or an `Overrides` object, with the kernels that it
    has by now. They serve all threads; those put in use last are asked first. The
    environment variable PLUGRAD_KERNELS ("numpy:scipy,numpy:onednn") does the same when
    a backend is loaded.

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
        self._uses: list[Overrides] = []
        self._entered = True
        self._start()

    def _start(self) -> None:
        own = self._overrides
        use = Overrides(own.name, backend=own.backend, threads=own.threads)
        use.entries = dict(own.entries)
        self._uses.append(use)
        with switching:
            switch(self._k, [*self._k.overrides, use])

    def __enter__(self) -> Overrides:
        if self._entered:  # the constructor put them in use
            self._entered = False
        else:
            self._start()
        return self._overrides

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Use what is in use without these; stopping twice is harmless."""
        self._entered = False
        if self._uses:
            use = self._uses.pop()
            with switching:
                rest = [each for each in self._k.overrides if each is not use]
                switch(self._k, rest)

    def __repr__(self) -> str:
        return f"plugrad.use_kernels({self._k.name!r}, {self._overrides.name!r})"


switching = RLock()


def find(kernels: str | Overrides, backend: str) -> Overrides:
    """The kernels of that name, which must be for that backend and for ops that are."""
    if isinstance(kernels, str):
        from .plugging.discovery import find_kernels

        kernels = find_kernels(kernels, backend)
    if not isinstance(kernels, Overrides):
        raise TypeError(
            "use_kernels: expected the name of a plugin or plugrad.Overrides, not "
            f"{type(kernels).__name__}"
        )
    title = f"the kernels {kernels.name!r}"
    if kernels.backend != backend:
        raise BackendError(
            f"{title} are for backend {kernels.backend!r}, not {backend!r}"
        )
    from .interface import OPS
    from .selection import get_backend

    own = get_backend(backend).replaceable
    entries = {op: e for op, e in kernels.entries.items() if op not in own}
    unknown = [op for op in entries if op.removesuffix("_") not in OPS]
    if unknown:
        raise BackendError(f"{title} are for ops that do not exist: {names(unknown)}")
    for op, entry in kernels.entries.items():
        if entry.vjp is None:
            continue
        if op not in OPS or op.endswith("_") or OPS[op].view:
            raise BackendError(
                f"{title} give a pair for {op!r}: ops that write, views and methods of "
                "a backend have no pairs; give the forward alone"
            )
    return kernels


def names(unknown: Sequence[str]) -> str:
    """Names of ops that do not exist, with those that they may stand for."""
    from difflib import get_close_matches

    from .interface import OPS

    close = get_close_matches(unknown[0], OPS, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{', '.join(map(repr, unknown))}{hint}"


def switch(k: Backend, overrides: list[Overrides]) -> None:
    """Put other kernels in use; what was looked up before is looked up anew."""
    touched = {op for each in (*k.overrides, *overrides) for op in each.entries}
    k.overrides = overrides
    k.rest(any(each.threads for each in overrides))
    for op in touched:
        for slot in (f"_{op}", f"_{op}_"):
            k.__dict__.pop(slot, None)
        if op in k.replaceable:  # as the class has it, and the kernels above that
            k.__dict__.pop(op, None)
            setattr(k, op, overridden(k, op, getattr(k, op), slot=False))
        elif not hasattr(k.namespace, op):
            k.__dict__.pop(op, None)
