"""Hooks of modules: functions called before, after, and on the way back through.

- Forward hooks see arguments and results, and may replace them.
- Full backward hooks see the gradients of a module's inputs and outputs. For that, the
  tensors among the inputs, and those among the outputs, go through a gate: a node of
  the graph that changes nothing and has the hook.
- Hooks for all modules run before the module's own.
"""

from __future__ import annotations

from ..autograd.function import Function
from ..graph import Handle
from ..tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# of all modules
FORWARD_PRE: dict[int, Any] = {}
FORWARD: dict[int, Any] = {}
BACKWARD_PRE: dict[int, Any] = {}
BACKWARD: dict[int, Any] = {}
PLAIN_BACKWARD: set[int] = set()  # keys in BACKWARD of hooks of the old kind
ALWAYS: set[int] = set()  # keys of forward hooks, here or in a module, called on errors
KEYWORDS: set[int] = set()  # keys of hooks that are given the keyword arguments, too
ANY: list[None] = []  # an entry for each hook of all modules
_next = [0]


class HookHandle(Handle):
    """What registering a hook returns; `remove()` takes the hook away again."""

    __slots__ = ("for_all",)

    def remove(self) -> None:
        """Take the hook away; doing so twice is harmless."""
        if self.hooks.pop(self.id, None) is not None and self.for_all:
            ANY.pop()
        for kind in (ALWAYS, KEYWORDS, PLAIN_BACKWARD):
            kind.discard(self.id)


def add(
    hooks: dict[int, Any], hook: Any, *kinds: set[int], first: bool = False
) -> HookHandle:
    """Put a hook in its place, and its key among the given kinds."""
    _next[0] += 1
    key = _next[0]
    rest = list(hooks.items()) if first else []
    if first:
        hooks.clear()
    hooks[key] = hook
    hooks.update(rest)
    for kind in kinds:
        kind.add(key)
    handle = HookHandle(hooks, key)
    handle.for_all = any(hooks is each for each in OF_ALL)
    if handle.for_all:
        ANY.append(None)
    return handle


OF_ALL = (FORWARD_PRE, FORWARD, BACKWARD_PRE, BACKWARD)


class Hooked:
    """The part of Module that knows its hooks."""

    _forward_pre_hooks: dict[int, Any]
    _forward_hooks: dict[int, Any]
    _backward_pre_hooks: dict[int, Any]
    _backward_hooks: dict[int, Any]
    _is_full_backward_hook: bool | None
    forward: Callable[..., Any]

    def _start_hooks(self) -> None:
        """Make what a module from an old pickle may lack, and a new one has not yet."""
        own = self.__dict__
        for name in HOOKS:
            if name not in own:
                own[name] = {}
        own.setdefault("_is_full_backward_hook", None)

    def register_forward_pre_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
    ) -> Handle:
        """Call `hook(module, args)` before each `forward`; what it returns, if not
        None, takes the arguments' place. With `with_kwargs` it is `hook(module, args,
        kwargs)`, which returns both."""
        kinds = (KEYWORDS,) if with_kwargs else ()
        return add(self._forward_pre_hooks, hook, *kinds, first=prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> Handle:
        """Call `hook(module, args, output)` after each `forward`; what it returns, if
        not None, takes the output's place. With `always_call` it is called, with None
        for the output, even where `forward` raised."""
        kinds = [KEYWORDS] * with_kwargs + [ALWAYS] * always_call
        return add(self._forward_hooks, hook, *kinds, first=prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call `hook(module, grad_output)` when the gradients of the outputs are known;
        what it returns, if not None, takes their place."""
        return add(self._backward_pre_hooks, hook, first=prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the inputs
        are known; what it returns, if not None, takes their place."""
        check_kind(self, True)
        return add(self._backward_hooks, hook, first=prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(module, grad_input, grad_output)` with the gradients of the last
        operation in `forward`: the old kind, which `register_full_backward_hook`
        replaces."""
        check_kind(self, False)
        return add(self._backward_hooks, hook)

    # --- A call -----------------------------------------------------------------------

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        called: set[int] = set()
        try:
            return self._call_through(args, kwargs, called)
        except Exception:
            for key, hook in (*FORWARD.items(), *self._forward_hooks.items()):
                if key in ALWAYS and key not in called:
                    try:
                        call_forward_hook(key, hook, self, args, kwargs, None)
                    except Exception as error:
                        from warnings import warn

                        warn(
                            f"a forward hook with always_call=True raised {error!r} "
                            "while the module's own error was on its way",
                            stacklevel=3,
                        )
            raise

    def _call_through(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], called: set[int]
    ) -> Any:
        for key, hook in (*FORWARD_PRE.items(), *self._forward_pre_hooks.items()):
            if key in KEYWORDS:
                found = hook(self, args, kwargs)
                if found is not None:
                    if not (isinstance(found, tuple) and len(found) == 2):
                        raise RuntimeError(
                            "forward pre-hook must return None or a tuple of "
                            f"(new_args, new_kwargs), but got {found}."
                        )
                    args, kwargs = found
            else:
                found = hook(self, args)
                if found is not None:
                    args = found if isinstance(found, tuple) else (found,)
        gate = Gate.of(self)
        if gate is not None:
            args = gate.take_inputs(args)
        result = self.forward(*args, **kwargs)
        for key, hook in (*FORWARD.items(), *self._forward_hooks.items()):
            called.add(key)
            found = call_forward_hook(key, hook, self, args, kwargs, result)
            if found is not None:
                result = found
        if gate is not None:
            result = gate.take_outputs(result)
        self._hook_last_operation(result)
        return result

    def _hook_last_operation(self, result: Any) -> None:
        """Give the old kind of backward hooks to the node of the last operation."""
        old = [hook for key, hook in BACKWARD.items() if key in PLAIN_BACKWARD]
        if self._is_full_backward_hook is False:
            old += self._backward_hooks.values()
        if not old:
            return
        last = result
        while not isinstance(last, Tensor):
            if isinstance(last, dict):
                last = next((v for v in last.values() if isinstance(v, Tensor)), None)
            else:
                last = last[0]
            if last is None:
                return
        if last.grad_fn is not None:
            for hook in old:
                last.grad_fn.register_hook(old_hook(hook, self))


HOOKS = (
    "_forward_pre_hooks",
    "_forward_hooks",
    "_backward_pre_hooks",
    "_backward_hooks",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


def call_forward_hook(
    key: int, hook: Any, module: Any, args: Any, kwargs: Any, result: Any
) -> Any:
    """Call a forward hook with what it asked for."""
    if key in KEYWORDS:
        return hook(module, args, kwargs, result)
    return hook(module, args, result)


def old_hook(hook: Any, module: Any) -> Any:
    """A hook of the old kind, as a node calls it."""
    return lambda grad_input, grad_output: hook(module, grad_input, grad_output)


def check_kind(module: Any, full: bool) -> None:
    """Raise if the module has backward hooks of the other kind."""
    if module._is_full_backward_hook is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks on a "
            "single Module. Please use only one of them."
        )
    module._is_full_backward_hook = full


# --- Full backward hooks --------------------------------------------------------------


class Identity(Function):
    """Gives its arguments on, as one node of the graph."""

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> Any:
        ctx.set_materialize_grads(False)
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients


class Gate:
    """What one call of a module sends its inputs and its outputs through."""

    def __init__(self, module: Any, hooks: list[Any], before: list[Any]) -> None:
        self.module = module
        self.hooks = hooks
        self.before = before
        self.grad_outputs: tuple[Any, ...] | None = None
        self.inputs: list[int] | None = None  # which arguments have a gradient
        self.count = 0

    @staticmethod
    def of(module: Any) -> Gate | None:
        """The gate for a call, if any full backward hook wants one."""
        hooks = [h for key, h in BACKWARD.items() if key not in PLAIN_BACKWARD]
        before = list(BACKWARD_PRE.values())
        if module._is_full_backward_hook:
            hooks += module._backward_hooks.values()
        before += module._backward_pre_hooks.values()
        return Gate(module, hooks, before) if hooks or before else None

    def take_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, the tensors among them behind the gate."""
        if not self.hooks:
            return args
        found, which, node = through(args)
        self.count = len(args)
        if node is not None:
            self.inputs = which
            node.register_hook(self.on_inputs)
        return found

    def take_outputs(self, result: Any) -> Any:
        """The result, the tensors in it behind the gate."""
        several = isinstance(result, tuple)
        found, self.outputs, node = through(result if several else (result,))
        self.width = len(found)
        if node is None:
            return result
        node.register_prehook(self.on_outputs)
        return found if several else found[0]

    def on_outputs(self, gradients: tuple[Any, ...]) -> Any:
        """The gradients of the outputs have arrived."""
        self.grad_outputs = spread(gradients, self.outputs, self.width)
        changed = False
        for hook in self.before:
            found = hook(self.module, self.grad_outputs)
            if found is not None:
                found = found if isinstance(found, tuple) else (found,)
                self.check(found, self.grad_outputs, "grad_output")
                self.grad_outputs, changed = found, True
        if self.hooks and self.inputs is None:
            from warnings import warn

            warn(
                "Full backward hook is firing when gradients are computed with respect "
                "to module outputs since no inputs require gradients. See the "
                "documentation of register_full_backward_hook",
                stacklevel=5,
            )
            nothing = (None,) * self.count
            for hook in self.hooks:
                found = hook(self.module, nothing, self.grad_outputs)
                if found is not None and any(
                    each is not None for each in _sequence(found)
                ):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient "
                        "should always return None or None for all gradients."
                    )
            self.grad_outputs, given = None, self.grad_outputs
        else:
            given = self.grad_outputs
        if changed:
            return tuple(given[i] for i in self.outputs)  # type: ignore[index]
        return None

    def on_inputs(self, gradients: tuple[Any, ...], _: Any) -> Any:
        """The gradients of the inputs have been computed."""
        if self.grad_outputs is None:
            raise RuntimeError(
                f"Module backward hook of {type(self.module).__name__} is called "
                "before the gradients of its outputs were: its output was used in "
                "place of its input, or forward() ran again"
            )
        full = spread(gradients, self.inputs or [], self.count)
        changed = False
        for hook in self.hooks:
            found = hook(self.module, full, self.grad_outputs)
            if found is not None:
                found = _sequence(found)
                self.check(found, full, "grad_input")
                full, changed = found, True
        self.grad_outputs = None
        return tuple(full[i] for i in self.inputs or []) if changed else None

    def check(self, found: Any, expected: Any, name: str) -> None:
        """Raise if a hook returned another number of gradients."""
        if len(found) != len(expected):
            raise RuntimeError(
                f"Backward hook returned an invalid number of {name}, got "
                f"{len(found)}, but expected {len(expected)}"
            )


def _sequence(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def through(values: tuple[Any, ...]) -> tuple[Any, list[int], Any]:
    """The values with those tensors that have a gradient behind one node, their
    positions, and the node."""
    which = [i for i, v in enumerate(values) if isinstance(v, Tensor)]
    if not any(values[i].requires_grad for i in which):
        return values, [], None
    made = Identity.apply(*(values[i] for i in which))
    made = made if isinstance(made, tuple) else (made,)
    found = list(values)
    for i, each in zip(which, made):
        found[i] = each
    node = next((t.grad_fn for t in made if t.grad_fn is not None), None)
    return type(values)(found) if type(values) is tuple else tuple(found), which, node


def spread(gradients: Any, which: list[int], count: int) -> tuple[Any, ...]:
    """Gradients at the positions of what they are of, None elsewhere."""
    full: list[Any] = [None] * count
    for i, g in zip(which, gradients):
        full[i] = g
    return tuple(full)


# --- Hooks of all modules -------------------------------------------------------------


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(module, args)` before the `forward` of every module."""
    return add(FORWARD_PRE, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> Handle:
    """Call `hook(module, args, output)` after the `forward` of every module."""
    kinds = [KEYWORDS] * with_kwargs + [ALWAYS] * always_call
    return add(FORWARD, hook, *kinds)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(module, grad_output)` on the way back through every module."""
    return add(BACKWARD_PRE, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(module, grad_input, grad_output)` after the way back through every
    module."""
    if PLAIN_BACKWARD:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a "
            "global Module hook. Please use only one of them."
        )
    return add(BACKWARD, hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(module, grad_input, grad_output)` with the gradients of the last
    operation of every module: the old kind."""
    if BACKWARD.keys() - PLAIN_BACKWARD:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a "
            "global Module hook. Please use only one of them."
        )
    return add(BACKWARD, hook, PLAIN_BACKWARD)
