"""What all optimizers share: parameter groups, steps, state, and hooks.

An optimizer is a class with two methods beside its options:

- `start(p, group)` gives the state of a parameter before its first step;
- `update(p, g, state, group)` changes the parameter and the state's tensors in place,
  with operations element by element: it is called with blocks of them, too. On a
  parameter's first step `state["new"]` is true.

What happens once for a parameter in each step (counting, say) stands in `advance`.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from itertools import chain
from typing import Any, TypeAlias

import plugrad
from plugrad import Tensor

from .stepping import Job, run

__all__ = [
    "Optimizer",
    "ParamsT",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
]

ParamsT: TypeAlias = Iterable[Any]
State = dict[str, Any]
Group = dict[str, Any]


class _Required:
    """Stands for a value that each group has to give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Handle:
    """What registering a hook returns; `remove()` takes the hook away again."""

    def __init__(self, hooks: OrderedDict[int, Any], hook: Any, first: bool) -> None:
        self.hooks = hooks
        self.id = id(self)
        hooks[self.id] = hook
        if first:
            hooks.move_to_end(self.id, last=False)

    def remove(self) -> None:
        """Take the hook away; doing so twice is harmless."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.remove()


BEFORE_ALL: OrderedDict[int, Any] = OrderedDict()
AFTER_ALL: OrderedDict[int, Any] = OrderedDict()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(optimizer, args, kwargs)` before each step of every optimizer.

    >>> import plugrad
    >>> from plugrad.optim.optimizer import register_optimizer_step_pre_hook
    >>> p = plugrad.nn.Parameter(plugrad.ones(1))
    >>> with register_optimizer_step_pre_hook(lambda o, *_: print(type(o).__name__)):
    ...     plugrad.optim.SGD([p], lr=0.1).step()
    SGD
    """
    return Handle(BEFORE_ALL, hook, False)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(optimizer, args, kwargs)` after each step of every optimizer.

    >>> import plugrad
    >>> from plugrad.optim.optimizer import register_optimizer_step_post_hook
    >>> p = plugrad.nn.Parameter(plugrad.ones(1))
    >>> with register_optimizer_step_post_hook(lambda o, *_: print(type(o).__name__)):
    ...     plugrad.optim.SGD([p], lr=0.1).step()
    SGD
    """
    return Handle(AFTER_ALL, hook, False)


class Optimizer:
    """The base class of optimizers.

    `params` is an iterable of tensors, of (name, tensor) pairs, or of dictionaries:
    groups with options of their own.

    >>> import plugrad
    >>> class Plain(plugrad.optim.Optimizer):
    ...     def __init__(self, params, lr=0.1):
    ...         super().__init__(params, {"lr": lr})
    ...     def update(self, p, g, state, group):
    ...         p.sub_(g, alpha=group["lr"])
    >>> x = plugrad.tensor([1.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> Plain([x]).step()
    >>> x
    tensor([0.8000], requires_grad=True)
    """

    sparse = False  # whether `update` takes sparse gradients

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of "
                f"Tensors or dicts, but got {type(params).__name__}; put it in a list"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self._hooks: dict[str, OrderedDict[int, Any]] = new_hooks()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # --- Groups -----------------------------------------------------------------------

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters with options of their own, such as layers that thaw later."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but "
                "the ordering of tensors in sets will change between runs; use a list"
            )
        params = list(params)
        named = [each for each in params if isinstance(each, tuple)]
        if named:
            if len(named) < len(params):
                raise ValueError("all parameters should be with or without names")
            param_group["param_names"] = [name for name, _ in named]
            params = [p for _, p in named]
        param_group["params"] = params
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but got {type(p).__name__}"
                )
            if not (p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization "
                    f"parameter {name}"
                )
            param_group.setdefault(name, default)
        if len(params) != len({id(p) for p in params}):
            from warnings import warn

            warn(
                "optimizer contains a parameter group with duplicate parameters: each "
                "is updated once for every time it is listed",
                stacklevel=3,
            )
        others = {id(p) for group in self.param_groups for p in group["params"]}
        if any(id(p) in others for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        if self.param_groups and (
            ("param_names" in param_group) != ("param_names" in self.param_groups[0])
        ):
            raise ValueError(
                "all optimizer param groups should be with or without names"
            )
        self.param_groups.append(param_group)

    def parameters(self) -> Iterator[Tensor]:
        """All parameters, group by group."""
        return chain.from_iterable(group["params"] for group in self.param_groups)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for p in self.parameters():
            if set_to_none:
                p.grad = None
            elif p.grad is not None:
                p.grad = p.grad.detach().zero_()

    # --- Steps ------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; `closure`, if given, computes the
        loss and its gradients first, and its result is returned."""
        for hook in (*BEFORE_ALL.values(), *self._hooks["before"].values()):
            found = hook(self, (self, closure), {})
            if found is not None:
                closure = pre_hook_answer(hook, found)
        loss = None
        if closure is not None:
            with plugrad.enable_grad():
                loss = closure()
        with plugrad.no_grad():
            run([job for group in self.param_groups for job in self.jobs(group)])
        for hook in (*self._hooks["after"].values(), *AFTER_ALL.values()):
            hook(self, (self, closure), {})
        return loss

    def jobs(self, group: Group) -> Iterator[Job]:
        """The updates of a group's parameters, each with its gradient and state."""
        for p in group["params"]:
            g = p.grad
            if g is None:
                continue
            if g.is_sparse and not self.sparse:
                raise RuntimeError(
                    f"{type(self).__name__} does not support sparse gradients, please "
                    "consider SparseAdam instead"
                )
            state = self.state.get(p)
            new = not state
            if not state:
                state = self.start(p, group)
                if state:
                    self.state[p] = state
            given = {**state, "new": new}
            self.advance(state, group)
            yield self.updater(group), p, g, given

    def updater(self, group: Group) -> Callable[[Tensor, Tensor, State], None]:
        """`update` for a group."""

        def update(p: Tensor, g: Tensor, state: State) -> None:
            if group.get("maximize"):
                g = -g
            self.update(p, g, state, group)

        return update

    def start(self, p: Tensor, group: Group) -> State:
        """The state of a parameter before its first step."""
        return {}

    def advance(self, state: State, group: Group) -> None:
        """What a step changes once for a parameter, before `update`; that sees what is
        changed in place, and not what is replaced."""

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        """Change a parameter and its state in place, by the gradient `g`."""
        raise NotImplementedError(f"{type(self).__name__} has no update()")

    # --- Saving and loading -----------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Options and state, with numbers in place of the parameters."""
        for hook in self._hooks["state_dict before"].values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                numbers.setdefault(id(p), len(numbers))
            packed = {key: v for key, v in group.items() if key != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {
            numbers[id(p)] if isinstance(p, Tensor) else p: values
            for p, values in self.state.items()
        }
        found = {"state": state, "param_groups": groups}
        for hook in self._hooks["state_dict after"].values():
            changed = hook(self, found)
            found = found if changed is None else changed
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take options and state from a `state_dict`, parameters in the same order."""
        state_dict = dict(state_dict)
        for hook in self._hooks["load before"].values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        groups, saved = self.param_groups, deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError(
                "loaded state dict has a different number of parameter groups: "
                f"{len(saved)}, where the optimizer has {len(groups)}"
            )
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(groups, saved)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the "
                "size of optimizer's group"
            )
        parameters = dict(
            zip(
                chain.from_iterable(group["params"] for group in saved),
                self.parameters(),
            )
        )
        self.state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            p = parameters.get(key)
            if p is None:
                self.state[key] = value
            else:
                self.state[p] = {
                    name: fitted(p, name, each) for name, each in value.items()
                }
        for group, new in zip(groups, saved):
            new["params"] = group["params"]
            if "param_names" in group and "param_names" not in new:
                new["param_names"] = group["param_names"]
        self.__setstate__({"param_groups": saved})
        for hook in self._hooks["load after"].values():
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__.setdefault("_hooks", new_hooks())
        for group in self.param_groups:  # saved before an option existed
            for name, default in self.defaults.items():
                group.setdefault(name, default)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            for key in sorted(group):
                if key != "params":
                    lines.append(f"    {key}: {group[key]}")
        return "\n".join([*lines, ")"])

    # --- Hooks ------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(optimizer, args, kwargs)` before each step; it may return new
        ones."""
        return Handle(self._hooks["before"], hook, False)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return Handle(self._hooks["after"], hook, False)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call `hook(optimizer)` before `state_dict`."""
        return Handle(self._hooks["state_dict before"], hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call `hook(optimizer, state_dict)` after `state_dict`; it may return another
        one."""
        return Handle(self._hooks["state_dict after"], hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call `hook(optimizer, state_dict)` before loading; it may return another
        one."""
        return Handle(self._hooks["load before"], hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call `hook(optimizer)` after loading."""
        return Handle(self._hooks["load after"], hook, prepend)


def new_hooks() -> dict[str, OrderedDict[int, Any]]:
    """Places for an optimizer's hooks."""
    return defaultdict(OrderedDict)


def pre_hook_answer(hook: Any, found: Any) -> Any:
    """The closure that a hook before the step returned."""
    if not (isinstance(found, tuple) and len(found) == 2):
        raise RuntimeError(
            f"{hook} must return None or a tuple of (new_args, new_kwargs), but got "
            f"{found}."
        )
    args, kwargs = found
    return kwargs.get("closure", args[1] if len(args) > 1 else None)


def fitted(p: Tensor, name: str, value: Any) -> Any:
    """A loaded part of the state, in the parameter's dtype and place; the count of
    steps stays as it was saved."""
    if isinstance(value, dict):
        return {key: fitted(p, key, each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(fitted(p, name, each) for each in value)
    if hasattr(value, "__array__") and not isinstance(value, Tensor):
        value = plugrad.as_tensor(value)
    if not isinstance(value, Tensor):
        return value
    if name == "step":
        return value.clone().to(dtype=plugrad.float32)
    dtype = p.dtype if p.is_floating_point() else value.dtype
    return value.to(dtype=dtype, device=p.device, backend=p.backend, copy=True)


def check(**options: tuple[Any, float | None, float | None]) -> None:
    """Raise for a negative option, or one outside [low, high)."""
    for name, (value, low, high) in options.items():
        if isinstance(value, Tensor):
            value = value.item()
        if (low is not None and not low <= value) or (
            high is not None and value >= high
        ):
            raise ValueError(f"Invalid {name.replace('_', ' ')} value: {value}")
