"""What all optimizers share: parameter groups, steps, state, and hooks.

An optimizer is a class with two methods beside its options:

- `start(p, group)` gives the state of a parameter before its first step;
- `update(p, g, state, group)` changes the parameter and the state's tensors in place,
  by their methods and operation by operation on elements: it is called with blocks of
  them, and with the real and imaginary parts of complex ones. On a parameter's first
  step `state["new"]` is true. `group` has numbers where an option is a tensor.

What happens once for a parameter in each step (counting, say) stands in `advance`.
An optimizer that does not go by elements says `elementwise = False`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from itertools import chain
from typing import Any, TypeAlias

import plugrad
from plugrad import Tensor, UnsupportedOpError

from .hooks import (
    Handle,
    Hooks,
    around_step,
    new_hooks,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from .recorded import update_recorded
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
    elementwise = True  # whether it may be called with blocks of elements
    # and with how many: with a gradient, two states and two temporaries, 1 MiB
    block = 3 << 14
    counters: tuple[str, ...] = ("step",)  # parts of a state that have no elements
    # options through which gradients flow when `differentiable`, if they are tensors
    learnable: tuple[str, ...] = ("lr", "weight_decay")
    stepping = False  # whether a step is under way

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in vars(cls):
            cls.step = around_step(cls.step)  # type: ignore[method-assign]

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of "
                f"Tensors or dicts, but got {type(params).__name__}; put it in a list"
            )
        check_ways(defaults)
        self.defaults = defaults
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self.hooks: dict[str, Hooks] = new_hooks()
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
            if not (p.is_leaf or p.retains_grad or self.defaults.get("differentiable")):
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

    @around_step
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; `closure`, if given, computes the
        loss and its gradients first, and its result is returned."""
        if type(self).update is Optimizer.update:
            raise NotImplementedError(f"{type(self).__name__} has no update()")
        loss = None
        if closure is not None:
            with plugrad.enable_grad():
                loss = closure()
        with plugrad.no_grad():
            jobs: list[Job] = []
            for group in self.param_groups:
                jobs += self.jobs(group)
            run(jobs, self.block if self.elementwise else 0)
        return loss

    def jobs(self, group: Group) -> Iterator[Job]:
        """The updates of a group's parameters, each with its gradient and state."""
        options = self.numbers(group)
        update = self.updater(options)
        for p in group["params"]:
            g = p.grad
            if g is None:
                continue
            is_sparse = g.is_sparse
            if is_sparse and not self.sparse:
                raise RuntimeError(
                    f"{type(self).__name__} does not support sparse gradients, please "
                    "consider SparseAdam instead"
                )
            if is_sparse and group.get("differentiable"):
                raise UnsupportedOpError(
                    f"{type(self).__name__}: differentiable=True takes dense gradients "
                    "only; convert this one with to_dense()"
                )
            state = self.state.get(p)
            new = not state
            if not state:
                state = self.start(p, options)
                if state:
                    self.state[p] = state
            given = {**state, "new": new}
            self.advance(state, options)
            if group.get("differentiable"):
                names = self.elements(state)
                with plugrad.enable_grad():
                    state.update(update_recorded(update, p, g, given, names))
            elif p.is_complex() and not is_sparse:
                real = plugrad.view_as_real
                parts = {name: real(state[name]) for name in self.elements(state)}
                yield update, real(p.detach()), real(g), {**given, **parts}
            else:
                yield update, p, g, given

    def numbers(self, group: Group) -> Group:
        """A group's options, with numbers for those that are tensors; where gradients
        flow to one, it stays."""

        return {
            name: value if name == "params" else self.number(name, value, group)
            for name, value in group.items()
        }

    def number(self, name: str, value: Any, group: Group) -> Any:
        """An option as a number, if it is a tensor that no gradient flows to."""
        if isinstance(value, tuple):
            return tuple(self.number(name, each, group) for each in value)
        if not isinstance(value, Tensor):
            return value
        if not (value.requires_grad and group.get("differentiable")):
            return value.item()
        if name not in self.learnable:
            raise UnsupportedOpError(
                f"{type(self).__name__}: with differentiable=True no gradient "
                f"flows to {name}; detach it, or let one flow to "
                f"{' or '.join(self.learnable) or 'the parameters'}"
            )
        return value

    def elements(self, state: State) -> list[str]:
        """Which parts of a state have elements for those of the parameter."""
        return [
            name
            for name, value in state.items()
            if isinstance(value, Tensor) and name not in self.counters
        ]

    def updater(self, group: Group) -> Callable[[Tensor, Tensor, State], None]:
        """`update` for a group."""
        if group.get("maximize"):
            return lambda p, g, state: self.update(p, -g, state, group)
        return lambda p, g, state: self.update(p, g, state, group)

    def start(self, p: Tensor, group: Group) -> State:
        """The state of a parameter before its first step."""
        return {}

    def advance(self, state: State, group: Group) -> None:
        """What a step changes once for a parameter, before `update`; that sees what is
        changed in place, and not what is replaced."""

    def update(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        """Change a parameter and its state in place, by the gradient `g`."""

    # --- Saving and loading -----------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Options and state, with numbers in place of the parameters."""
        for hook in self.hooks["state_dict before"].values():
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
        for hook in self.hooks["state_dict after"].values():
            changed = hook(self, found)
            found = found if changed is None else changed
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take options and state from a `state_dict`, parameters in the same order."""
        state_dict = dict(state_dict)
        for hook in self.hooks["load before"].values():
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
                    name: fitted(p, name, each)
                    for name, each in value.items()
                    if each is not None  # how PyTorch 1 wrote a buffer not in use
                }
        for group, new in zip(groups, saved):
            new["params"] = group["params"]
            if "param_names" in group and "param_names" not in new:
                new["param_names"] = group["param_names"]
        self.__setstate__({"param_groups": saved})
        for hook in self.hooks["load after"].values():
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__.setdefault("hooks", new_hooks())
        for group in self.param_groups:  # saved before an option existed
            for name, default in self.defaults.items():
                group.setdefault(name, default)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            options = [f"    {k}: {group[k]}\n" for k in sorted(group) if k != "params"]
            text += f"\nParameter Group {i}\n{''.join(options)}"
        return text + ")"

    # --- Hooks ------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(optimizer, args, kwargs)` before each step; it may return new
        ones."""
        return Handle(self.hooks["step before"], hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return Handle(self.hooks["step after"], hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call `hook(optimizer)` before `state_dict`."""
        return Handle(self.hooks["state_dict before"], hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call `hook(optimizer, state_dict)` after `state_dict`; it may return another
        one."""
        return Handle(self.hooks["state_dict after"], hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call `hook(optimizer, state_dict)` before loading; it may return another
        one."""
        return Handle(self.hooks["load before"], hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call `hook(optimizer)` after loading."""
        return Handle(self.hooks["load after"], hook, prepend)


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
        return value.clone()
    dtype = p.dtype if p.is_floating_point() else value.dtype
    return value.to(dtype=dtype, device=p.device, backend=p.backend, copy=True)


def counter(value: float = 0.0) -> Tensor:
    """A count in a state, exact up to 2**24 steps or, by default in float64, beyond."""
    double = plugrad.get_default_dtype() is plugrad.float64
    return plugrad.tensor(value, dtype=plugrad.float64 if double else plugrad.float32)


def check(**options: tuple[Any, float | None, float | None]) -> None:
    """Raise for a negative option, or one outside [low, high)."""
    for name, (value, low, high) in options.items():
        words = name.replace("_", " ")
        if isinstance(value, Tensor):
            if value.numel() != 1:
                raise ValueError(f"Tensor {words} must be 1-element")
            value = value.item()
        if (low is not None and not low <= value) or (
            high is not None and not value < high
        ):
            raise ValueError(f"Invalid {words} value: {value}")


def check_ways(defaults: dict[str, Any]) -> None:
    """Raise for PyTorch's ways of computing that exclude each other: here there is one
    way, and they are only accepted."""
    if defaults.get("fused") and defaults.get("differentiable"):
        raise RuntimeError("`fused` does not support `differentiable`")
    if defaults.get("fused") and defaults.get("foreach"):
        raise RuntimeError("`fused` and `foreach` cannot be `True` together")
