"""Give a tree of modules its state as one dictionary, and take it back.

- Keys are paths: "encoder.0.weight". Parameters come before buffers, and a module's
  own before its children's.
- Loading copies values into the tensors that are there, or, with `assign`, puts the
  given ones in their place. All that does not fit is reported at once.
"""

from __future__ import annotations

from ..graph import Handle
from ..modes import no_grad
from ..parameter import Parameter
from ..tensor import Tensor, is_foreign
from .hooks import add

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NamedTuple

    from .base import Module

    class Incompatible(NamedTuple):
        missing_keys: list[str]
        unexpected_keys: list[str]


EXTRA = "_extra_state"


class State:
    """The part of Module that saves and loads."""

    _version: int
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _state_dict_hooks: dict[int, Any]
    _state_dict_pre_hooks: dict[int, Any]
    _load_state_dict_pre_hooks: dict[int, Any]
    _load_state_dict_post_hooks: dict[int, Any]

    def get_extra_state(self) -> Any:
        """What else belongs to this module's state; saved if a subclass has this."""
        raise RuntimeError(f"{type(self).__name__} has no get_extra_state of its own")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave."""
        raise RuntimeError(f"{type(self).__name__} has no set_extra_state of its own")

    # --- Hooks ------------------------------------------------------------------------

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(module, prefix, keep_vars)` before the state is gathered."""
        return add(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(module, state_dict, prefix, local_metadata)` once the state of
        this module and all below it is in the dictionary; it may change that."""
        return add(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> Handle:
        return add(self._state_dict_hooks, Replacing(hook))

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs)` before this module loads."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> Handle:
        call = WithModule(hook, self) if with_module else hook
        return add(self._load_state_dict_pre_hooks, call)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(module, incompatible_keys)` after this module and all below it
        have loaded; it may change the lists of keys."""
        return add(self._load_state_dict_post_hooks, hook)

    # --- Saving -----------------------------------------------------------------------

    def state_dict(
        self,
        *args: Any,
        destination: dict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Any]:
        """The parameters and persistent buffers of the tree by path; detached, on the
        same memory, unless `keep_vars` asks for the tensors themselves."""
        if args:  # PyTorch's old order: destination, prefix, keep_vars
            given: Any = (*args, *(destination, prefix, keep_vars)[len(args) :])
            destination, prefix, keep_vars = given
        if destination is None:
            from collections import OrderedDict

            destination = OrderedDict()
            destination._metadata = OrderedDict()  # type: ignore[attr-defined]
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata  # type: ignore[attr-defined]
        for hook in list(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(
                    destination=destination,
                    prefix=f"{prefix}{name}.",
                    keep_vars=keep_vars,
                )
        for hook in list(self._state_dict_hooks.values()):
            found = hook(self, destination, prefix, metadata)
            if found is not None:
                if not isinstance(hook, Replacing):
                    raise RuntimeError("state_dict post-hook must return None")
                destination = found
        return destination  # type: ignore[return-value]

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        for name, value in self._own_state().items():
            destination[prefix + name] = value if keep_vars else value.detach()
        if type(self).get_extra_state is not State.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    def _own_state(self) -> dict[str, Tensor]:
        """This module's own parameters and persistent buffers."""
        found = dict(self._parameters)
        for name, buffer in self._buffers.items():
            if name not in self._non_persistent_buffers_set:
                found[name] = buffer
        return {name: value for name, value in found.items() if value is not None}

    # --- Loading ----------------------------------------------------------------------

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Incompatible:
        """Take the values of a `state_dict` for all parameters and persistent buffers.

        Values may be tensors of any backend, or arrays. With `strict`, keys that are
        missing or unexpected are errors; without, they are returned.

        >>> import plugrad
        >>> a, b = plugrad.nn.Linear(2, 1), plugrad.nn.Linear(2, 1)
        >>> b.load_state_dict(a.state_dict())
        <All keys matched successfully>
        """
        from collections import OrderedDict
        from collections.abc import Mapping

        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"Expected state_dict to be dict-like, got {type(state_dict).__name__}."
            )
        metadata = getattr(state_dict, "_metadata", None)
        state = OrderedDict(state_dict)
        if metadata is not None:
            state._metadata = metadata  # type: ignore[attr-defined]
        keys = incompatible_keys()([], [])
        errors: list[str] = []
        load(self, state, metadata or {}, "", assign, keys, errors)
        if strict:
            missing, unexpected = keys
            if unexpected:
                errors.insert(
                    0, f"Unexpected key(s) in state_dict: {quoted(unexpected)}. "
                )
            if missing:
                errors.insert(0, f"Missing key(s) in state_dict: {quoted(missing)}. ")
        if errors:
            text = "\n\t".join(errors)
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{text}"
            )
        return keys

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        for hook in list(self._load_state_dict_pre_hooks.values()):
            hook(
                state_dict,
                prefix,
                local_metadata,
                strict,
                missing_keys,
                unexpected_keys,
                error_msgs,
            )
        assign = local_metadata.get("assign_to_params_buffers", False)
        own = self._own_state()
        for name, current in own.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            problem = put(self, name, current, state_dict[key], key, assign)
            if problem:
                error_msgs.append(problem)
        extra = prefix + EXTRA
        has_extra = type(self).set_extra_state is not State.set_extra_state
        if has_extra:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    first, dot, _ = key[len(prefix) :].partition(".")
                    if first not in (self._modules if dot else own):
                        unexpected_keys.append(key)


class Replacing:
    """A state_dict hook that may return another dictionary."""

    def __init__(self, hook: Any) -> None:
        self.hook = hook

    def __call__(self, *args: Any) -> Any:
        return self.hook(*args)


class WithModule:
    """A load_state_dict pre-hook that is given its module first."""

    def __init__(self, hook: Any, module: Any) -> None:
        self.hook = hook
        self.module = module

    def __call__(self, *args: Any) -> Any:
        return self.hook(self.module, *args)


def load(
    module: Any,
    state: dict[str, Any],
    metadata: Mapping[str, Any],
    prefix: str,
    assign: bool,
    keys: Any,
    errors: list[str],
) -> None:
    """Load a module, then its children, each from its own part of the state."""
    local = dict(metadata.get(prefix[:-1], {}))
    if assign:
        local["assign_to_params_buffers"] = assign
    module._load_from_state_dict(state, prefix, local, True, *keys, errors)
    for name, child in module._modules.items():
        if child is not None:
            start = f"{prefix}{name}."
            part = {key: v for key, v in state.items() if key.startswith(start)}
            load(child, part, metadata, start, assign, keys, errors)
    for hook in list(module._load_state_dict_post_hooks.values()):
        if hook(module, keys) is not None:
            raise AssertionError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not "
                "expected to return new values; if the lists of keys are to change, "
                "change them in place"
            )


def put(
    module: Any, name: str, current: Tensor, value: Any, key: str, assign: bool
) -> str | None:
    """Give a parameter or buffer a loaded value; says why, where that cannot be."""
    if not isinstance(value, Tensor):
        if not is_foreign(value):
            return (
                f'While copying the parameter named "{key}", expected plugrad.Tensor '
                "or an array from checkpoint object but received "
                f"{type(value).__name__}"
            )
        from ..creation.data import as_tensor

        value = as_tensor(value)
    if current.ndim == 0 and value.ndim == 1 and not assign:
        value = value[0]  # saved by PyTorch before 0.4, which had no 0-d tensors
    if value.shape != current.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {value.shape} from "
            f"checkpoint, the shape in current model is {current.shape}."
        )
    try:
        with no_grad():
            if not assign:
                current.copy_(value.to(backend=current.backend))
            elif isinstance(current, Parameter):
                if not isinstance(value, Parameter):
                    value = Parameter(value, requires_grad=current.requires_grad)
                else:
                    value.requires_grad_(current.requires_grad)
                setattr(module, name, value)
            else:
                setattr(module, name, value)
    except Exception as error:
        verb = "swapping" if assign else "copying"
        return (
            f'While {verb} the parameter named "{key}", whose dimensions in the model '
            f"are {current.shape} and whose dimensions in the checkpoint are "
            f"{value.shape}, an exception occurred: {error!r}."
        )
    return None


def quoted(keys: list[str]) -> str:
    """Keys for a message."""
    return ", ".join(f'"{key}"' for key in keys)


_made: list[Any] = []


def incompatible_keys() -> Any:
    """The named tuple that loading returns."""
    if not _made:
        from collections import namedtuple

        base = namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])

        class _IncompatibleKeys(base):  # type: ignore[misc, valid-type]
            """The keys of a state_dict that a module lacked or did not know."""

            __slots__ = ()

            def __repr__(self) -> str:
                if not self.missing_keys and not self.unexpected_keys:
                    return "<All keys matched successfully>"
                return super().__repr__()

            __str__ = __repr__

        _made.append(_IncompatibleKeys)
    return _made[0]
