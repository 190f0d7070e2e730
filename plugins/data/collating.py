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


def is_numpy(value: Any) -> bool:
    """Whether it is one of NumPy's arrays or array scalars, but for strings."""
    return (
        type(value).__module__ == "numpy"
        and hasattr(value, "dtype")
        and not isinstance(value, (str, bytes))
    )


def default_collate(batch: Any) -> Any:
    """A batch of samples: tensors with one dimension more, in the samples' structure.

    >>> from plugrad.utils.data import default_collate
    >>> default_collate([1, 2])
    tensor([1, 2])
    >>> default_collate([{"x": (1.5, "a")}, {"x": (2.5, "b")}])
    {'x': [tensor([1.5000, 2.5000], dtype=plugrad.float64), ('a', 'b')]}
    """
    first = batch[0] if isinstance(batch, Sequence) else next(iter(batch))
    if isinstance(first, Tensor):
        return plugrad.stack(list(batch), 0)
    if is_numpy(first):
        if first.dtype.kind in "OSUV":
            raise unknown(f"a NumPy array of dtype {first.dtype}")
        if first.shape == ():
            return plugrad.as_tensor(list(batch))
        return plugrad.stack([plugrad.as_tensor(each) for each in batch], 0)
    for kind, dtype in NUMBERS.items():
        if isinstance(first, kind):
            return plugrad.tensor(list(batch), dtype=dtype)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        made = {key: default_collate([each[key] for each in batch]) for key in first}
        return like_mapping(first, made)
    if isinstance(first, Sequence):
        return collated_sequences(first, batch)
    raise unknown(type(first).__name__)


def collated_sequences(first: Any, batch: Any) -> Any:
    """The batch of tuples, lists and their like, part by part."""
    sizes = {len(each) for each in batch}
    if len(sizes) > 1:
        raise RuntimeError(
            "default_collate: the samples of a batch must have the same number of "
            f"parts, not {sorted(sizes)}; pass a collate_fn that pads them"
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
        f"dicts or lists, not {what}; pass a collate_fn that knows it"
    )
