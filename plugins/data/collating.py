"""Make one batch of a list of samples.

Tensors are stacked, numbers and NumPy's arrays become tensors, strings stay in a list;
dicts, tuples and lists are taken apart, and put together around their batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from copy import copy
from typing import Any

import plugrad
from plugrad import Tensor

NUMBERS = {bool: None, int: None, float: plugrad.float64}

# What `default_collate` asks first: a class, or a tuple of them, and the function that
# makes a batch of its instances.
default_collate_fn_map: dict[Any, Callable[..., Any]] = {}


def is_numpy(value: Any) -> bool:
    """Whether it is one of NumPy's arrays or array scalars, but for strings."""
    return (
        type(value).__module__ == "numpy"
        and hasattr(value, "dtype")
        and not isinstance(value, (str, bytes))
    )


def derives_from_numpy(value: Any) -> bool:
    """Whether it is of a class derived from NumPy's arrays. Masked ones are left out:
    a tensor would lose the mask."""
    if type(value).__module__.startswith("numpy.ma"):
        return False
    names = [(each.__module__, each.__name__) for each in type(value).__mro__]
    return ("numpy", "ndarray") in names


def default_collate(batch: Any) -> Any:
    """A batch of samples: tensors with one dimension more, in the samples' structure.

    >>> from plugrad.utils.data import default_collate
    >>> default_collate([1, 2])
    tensor([1, 2])
    >>> default_collate([{"x": (1.5, "a")}, {"x": (2.5, "b")}])
    {'x': [tensor([1.5000, 2.5000], dtype=plugrad.float64), ('a', 'b')]}

    `default_collate_fn_map` says how instances of other classes are collated:

    >>> from plugrad.utils.data import default_collate_fn_map
    >>> def earliest(batch, *, collate_fn_map=None):
    ...     return min(batch)
    >>> from datetime import date
    >>> default_collate_fn_map[date] = earliest
    >>> default_collate([date(2026, 5, 1), date(2025, 5, 1)])
    datetime.date(2025, 5, 1)
    >>> del default_collate_fn_map[date]
    """
    known = batch.__class__ in (list, tuple)
    first = batch[0] if known or isinstance(batch, Sequence) else next(iter(batch))
    if default_collate_fn_map:
        function = registered(type(first))
        if function is not None:
            return function(batch, collate_fn_map=default_collate_fn_map)
    kind = first.__class__
    if kind is Tensor or isinstance(first, Tensor):
        return plugrad.stack(batch if known else list(batch), 0)
    if kind is tuple or kind is list:  # before what takes longer to find out
        return collated_sequences(first, batch)
    if is_numpy(first) or derives_from_numpy(first):
        if first.dtype.kind in "OSUV":
            raise unknown(f"a NumPy array of dtype {first.dtype}")
        if first.shape == ():
            return plugrad.as_tensor(list(batch))
        return plugrad.stack([plugrad.as_tensor(each) for each in batch], 0)
    for kind, dtype in NUMBERS.items():
        if isinstance(first, kind):
            return collated_numbers(list(batch), dtype)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        made = {key: default_collate([each[key] for each in batch]) for key in first}
        return like_mapping(first, made)
    if isinstance(first, Sequence):
        return collated_sequences(first, batch)
    raise unknown(type(first).__name__)


def registered(kind: type) -> Callable[..., Any] | None:
    """The function that was registered for a class, or else for one it derives from."""
    found = default_collate_fn_map.get(kind)
    if found is None:
        for each, function in default_collate_fn_map.items():
            if issubclass(kind, each):
                return function
    return found


def collated_numbers(batch: list[Any], dtype: Any) -> Tensor:
    """The batch of Python's numbers."""
    try:
        return plugrad.tensor(batch, dtype=dtype)
    except Exception as error:
        kinds = {type(each).__name__: None for each in batch}
        if all(isinstance(each, (int, float, complex)) for each in batch):
            raise
        raise TypeError(
            "default_collate: the samples of a batch must be numbers if the first is "
            f"one, not {', '.join(kinds)}"
        ) from error


def collated_sequences(first: Any, batch: Any) -> Any:
    """The batch of tuples, lists and their like, part by part."""
    if len(set(map(len, batch))) > 1:
        sizes = sorted(set(map(len, batch)))
        raise RuntimeError(
            "default_collate: the samples of a batch must have the same number of "
            f"parts, not {sizes}; pass a collate_fn that pads them"
        )
    made = [default_collate(parts) for parts in zip(*batch)]
    if hasattr(first, "_fields"):
        return type(first)(*made)
    return made if isinstance(first, tuple) else like_sequence(first, made)


def default_convert(data: Any) -> Any:
    """NumPy's arrays as tensors, in whatever structure they stand; the rest as it is.

    >>> import numpy as np
    >>> from plugrad.utils.data import default_convert
    >>> default_convert({"x": np.arange(2), "name": "a"})
    {'x': tensor([0, 1]), 'name': 'a'}
    """
    if isinstance(data, Tensor):
        return data
    if is_numpy(data):
        return data if data.dtype.kind in "OSUV" else plugrad.as_tensor(data)
    return mapped(default_convert, data)


def mapped(function: Callable[[Any], Any], data: Any) -> Any:
    """A structure with a function of each of its parts."""
    if isinstance(data, Mapping):
        return like_mapping(data, {key: function(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(function, data))
    if isinstance(data, tuple):
        return [function(each) for each in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return like_sequence(data, [function(each) for each in data])
    return data


def like_mapping(model: Any, made: dict[Any, Any]) -> Any:
    """A mapping of the model's class, a dict if it cannot be made."""
    if type(model) is dict:
        return made
    try:
        if isinstance(model, MutableMapping):  # keeps what the class has beside them
            clone = copy(model)
            clone.update(made)
            return clone
        return type(model)(made)  # type: ignore[call-arg]
    except TypeError:
        return made


def like_sequence(model: Any, made: list[Any]) -> Any:
    """A sequence of the model's class, a list if it cannot be made."""
    if type(model) is list:
        return made
    try:
        if isinstance(model, MutableSequence):
            clone = copy(model)
            for i, each in enumerate(made):
                clone[i] = each
            return clone
        return type(model)(made)  # type: ignore[call-arg]
    except TypeError:
        return made


def unknown(what: str) -> TypeError:
    return TypeError(
        "default_collate: a batch must hold tensors, NumPy arrays, numbers, strings, "
        f"dicts or lists, not {what}; pass a collate_fn that knows it, or put one into "
        "default_collate_fn_map"
    )
