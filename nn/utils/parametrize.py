"""Tensors of a module as functions of others, which are what is trained.

- A parametrized tensor becomes a property of the module, whose class is replaced by one
  of its own for that. Its module of functions, a ParametrizationList, keeps the
  original tensor.
- Reading the property computes it, or looks it up inside `with cached():`. Assigning to
  it sets the original, if the functions have a `right_inverse`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, TypeVar

from plugrad import Module, Parameter, Tensor, no_grad

from ..modules.containers import ModuleDict, ModuleList

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

M = TypeVar("M", bound=Module)

CACHE: dict[tuple[int, str], Tensor] = {}
CACHING = [0]  # how many `with cached()` are open


@contextmanager
def cached() -> Iterator[None]:
    """Inside, each parametrized tensor is computed once.

    >>> import plugrad
    >>> from plugrad import nn
    >>> class Double(nn.Module):
    ...     def forward(self, x):
    ...         return 2 * x
    >>> layer = nn.Linear(2, 2)
    >>> nn.utils.parametrize.register_parametrization(layer, "weight", Double())
    ParametrizedLinear(
      in_features=2, out_features=2, bias=True
      (parametrizations): ModuleDict(
        (weight): ParametrizationList(
          (0): Double()
        )
      )
    )
    >>> with nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    CACHING[0] += 1
    try:
        yield
    finally:
        CACHING[0] -= 1
        if not CACHING[0]:
            CACHE.clear()


def register(module: Module, name: str, x: Tensor) -> None:
    """Make a tensor the module's parameter or buffer."""
    if isinstance(x, Parameter):
        module.register_parameter(name, x)
    else:
        module.register_buffer(name, x)


def same_kind(what: str, x: Any, dtype: Any, shape: Any = None) -> None:
    """Raise unless a result is a tensor of a dtype and shape."""
    if not isinstance(x, Tensor):
        raise ValueError(f"{what} must return a tensor. Got {type(x).__name__}.")
    if x.dtype != dtype:
        raise ValueError(
            f"{what} may not change the dtype of the tensor, unless the `unsafe` flag "
            f"is enabled: it makes {x.dtype} of {dtype}"
        )
    if shape is not None and x.shape != shape:
        raise ValueError(
            f"{what} may not change the shape of the tensor, unless the `unsafe` flag "
            f"is enabled: it makes {list(x.shape)} of {list(shape)}"
        )


class ParametrizationList(ModuleList):
    """The functions of one tensor, in order, and what the first is given: `original`,
    or, where its `right_inverse` gives several tensors, `original0`, `original1`, ...

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = nn.Parameter(plugrad.tensor([0.0]))
    >>> found = nn.utils.parametrize.ParametrizationList([nn.Sigmoid()], x)
    >>> found().item()
    0.5
    """

    original: Tensor
    unsafe: bool

    def __init__(
        self, modules: Sequence[Module], original: Tensor, unsafe: bool = False
    ) -> None:
        if not len(modules):
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        dtype, shape = original.dtype, original.shape
        with no_grad():
            new: Any = original
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        new = module.right_inverse(new)
                    except NotImplementedError:
                        pass  # then the tensor is the original, as it is
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, "
                f"tuple...). Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            same_original(new, original)
            original.data = new
            register(self, "original", original)
        else:
            for i, each in enumerate(new):
                register(self, f"original{i}", part_of(original, each, i))
        if not unsafe:
            same_kind("Registering a parametrization", self(), dtype, shape)

    def originals(self) -> list[Tensor]:
        """What the first function is given."""
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    @no_grad()
    def right_inverse(self, value: Any) -> None:
        """Set the original so that `value` comes of it."""
        for module in reversed(list(self)):
            if not hasattr(module, "right_inverse"):
                raise RuntimeError(
                    f"parametrization {type(module).__name__} does not implement "
                    "right_inverse."
                )
            value = module.right_inverse(value)
        if self.is_tensor:
            same_original(value, self.original)
            self.original.data = value
            return
        if not isinstance(value, Sequence):
            raise ValueError(
                "'right_inverse' must return a sequence of tensors. Got "
                f"{type(value).__name__}."
            )
        if len(value) != self.ntensors:
            raise ValueError(
                "'right_inverse' must return a sequence of tensors of length "
                f"{self.ntensors}. Got a sequence of length {len(value)}."
            )
        for each, original in zip(value, self.originals(), strict=True):
            same_original(each, original)
            original.data = each

    def forward(self) -> Tensor:  # type: ignore[override]
        first, *rest = self
        x = first(*self.originals())
        for module in rest:
            x = module(x)
        return x


def same_original(new: Any, original: Tensor) -> None:
    """Raise unless what a `right_inverse` returned can be the original."""
    if not isinstance(new, Tensor):
        raise ValueError(f"`right_inverse` should return a tensor. Got {type(new)}")
    if new.dtype != original.dtype:
        raise ValueError(
            "When `right_inverse` outputs one tensor, it may not change the dtype: it "
            f"makes {new.dtype} of {original.dtype}"
        )
    if new.device != original.device:
        raise ValueError(
            "When `right_inverse` outputs one tensor, it may not change the device: it "
            f"makes {new.device} of {original.device}"
        )


def part_of(original: Tensor, x: Any, i: int) -> Tensor:
    """One of several originals: a parameter if the tensor was one."""
    if not isinstance(x, Tensor):
        raise ValueError(
            "'right_inverse' must return a Tensor or a Sequence of tensors (list, "
            f"tuple...). Got element {i} of the sequence with type {type(x).__name__}."
        )
    if isinstance(original, Parameter):
        return Parameter(x, original.requires_grad)
    return x.requires_grad_(original.requires_grad)


# --- The class of a module with parametrizations --------------------------------------


def give_class(module: Module, names: Sequence[str] = ()) -> None:
    """Replace a module's class by one of its own, with properties of these names."""
    base = type_before_parametrizations(module)
    own: dict[str, Any] = {
        "__deepcopy__": copy_of,
        "__getstate__": refuse_state,
        "__module__": base.__module__,
    }
    module.__class__ = type(f"Parametrized{base.__name__}", (base,), own)
    for name in names:
        give_property(module, name)


def copy_of(self: Any, memo: dict[int, Any]) -> Any:
    """A deep copy, with a class of its own."""
    new = object.__new__(type(self))
    memo[id(self)] = new
    vars(new).update(deepcopy(vars(self), memo))
    give_class(new, list(new.parametrizations))
    return new


def refuse_state(self: Any) -> Any:
    """Raise: classes made while running cannot be found again when a pickle is read."""
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(): "
        "save that, and parametrize a new module before you load it"
    )


def give_property(module: Module, name: str) -> None:
    """Let the module's class compute a tensor."""

    def read(self: Any) -> Tensor:
        compute = self.parametrizations[name]
        if not CACHING[0]:
            return compute()
        key = id(self), name
        if key not in CACHE:
            CACHE[key] = compute()
        return CACHE[key]

    def assign(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(read, assign))


def register_parametrization(
    module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> M:
    """Let a tensor of a module be what another module makes of it. Several are applied
    in the order in which they were registered. `unsafe` leaves out the checks that
    dtype and shape stay the same.

    >>> import plugrad
    >>> from plugrad import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).mT
    >>> layer = nn.Linear(3, 3)
    >>> made = nn.utils.parametrize.register_parametrization(
    ...     layer, "weight", Symmetric()
    ... )
    >>> plugrad.equal(layer.weight, layer.weight.mT)
    True
    """
    parametrization.train(module.training)
    found: Any = module
    if is_parametrized(module, tensor_name):
        if not unsafe:
            check_next(getattr(module, tensor_name), parametrization)
        listed = found.parametrizations[tensor_name]
        listed.append(parametrization)
        listed.unsafe |= unsafe
        return module
    own = dict(module.named_parameters(recurse=False))
    own |= dict(module.named_buffers(recurse=False))
    if tensor_name not in own:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized "
            f"element with name '{tensor_name}'"
        )
    listed = ParametrizationList([parametrization], own[tensor_name], unsafe=unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        give_class(module)
        found.parametrizations = ModuleDict()
    give_property(module, tensor_name)
    found.parametrizations[tensor_name] = listed
    return module


def check_next(y: Tensor, parametrization: Any) -> None:
    """Raise unless another function keeps dtype and shape, both ways."""
    x = parametrization(y)
    same_kind("A parametrization", x, y.dtype, y.shape)
    if hasattr(parametrization, "right_inverse"):
        try:
            z = parametrization.right_inverse(x)
        except NotImplementedError:
            return
        same_kind("parametrization.right_inverse", z, y.dtype, y.shape)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has parametrizations, or one of a certain tensor.

    >>> import plugrad
    >>> plugrad.nn.utils.parametrize.is_parametrized(plugrad.nn.Linear(2, 1))
    False
    """
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(
    module: M, tensor_name: str, leave_parametrized: bool = True
) -> M:
    """Take all parametrizations of a tensor away: it keeps its value, or, if not
    `leave_parametrized`, becomes the original again.

    >>> import plugrad
    >>> from plugrad import nn
    >>> layer = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2))
    >>> nn.utils.parametrize.remove_parametrizations(layer, "weight")
    Linear(in_features=2, out_features=2, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(
            f"Module {module} does not have a parametrization on {tensor_name}"
        )
    found: Any = module
    listed = found.parametrizations[tensor_name]
    if listed.is_tensor:
        original = listed.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name)
    elif leave_parametrized:
        x = getattr(module, tensor_name)
        original = Parameter(x.detach()) if x.requires_grad else x
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del found.parametrizations[tensor_name]
    register(module, tensor_name, original)
    if not is_parametrized(module):
        del found.parametrizations
        module.__class__ = type_before_parametrizations(module)
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that a module had.

    >>> import plugrad
    >>> from plugrad import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> nn.utils.parametrize.type_before_parametrizations(layer) is nn.Linear
    True
    """
    cls = type(module)
    return cls.__bases__[0] if vars(cls).get("__deepcopy__") is copy_of else cls


def transfer_parametrizations_and_params(
    from_module: Module, to_module: M, tensor_name: str | None = None
) -> M:
    """Give a module the parametrizations of another, and their originals: of one
    tensor, or of all.

    >>> import plugrad
    >>> from plugrad import nn
    >>> a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    >>> a = nn.utils.parametrizations.spectral_norm(a)
    >>> b = nn.utils.parametrize.transfer_parametrizations_and_params(a, b)
    >>> b.parametrizations.weight.original is a.parametrizations.weight.original
    True
    """
    if not is_parametrized(from_module):
        return to_module
    source: Any = from_module
    target: Any = to_module
    names = list(source.parametrizations) if tensor_name is None else [tensor_name]
    for name in names:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        listed = source.parametrizations[name]
        for each in listed:
            register_parametrization(to_module, name, each)
        if listed.is_tensor:
            target.parametrizations[name].original = listed.original
        else:
            for i, original in enumerate(listed.originals()):
                setattr(target.parametrizations[name], f"original{i}", original)
    return to_module
