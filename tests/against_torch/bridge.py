"""The same values as torch's tensors, in the same layout, and back."""

from __future__ import annotations

import numpy as np
import torch

import plugrad
from plugrad.declare import Sample


def to_torch(value, memo):
    """What torch takes where Plugrad took `value`; `memo` keeps one tensor one."""
    if isinstance(value, plugrad.Tensor):
        if id(value) not in memo:
            memo[id(value)] = value, torch_tensor(value)
        return memo[id(value)][1]
    if isinstance(value, plugrad.dtype):
        return getattr(torch, value.name)
    if isinstance(value, Sample):
        args = tuple(to_torch(each, memo) for each in value.args)
        return args, {key: to_torch(each, memo) for key, each in value.kwargs.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(to_torch(each, memo) for each in value)
    if isinstance(value, slice):
        return slice(
            *(to_torch(v, memo) for v in (value.start, value.stop, value.step))
        )
    return value


def torch_tensor(x):
    """A leaf of the same values, dtype and strides."""
    array = as_numpy(x)
    strides = x._k.strides(x._a)
    repeats = [s == 0 and n > 1 for s, n in zip(strides, array.shape)]
    one = array[tuple(slice(0, 1) if r else slice(None) for r in repeats)]
    kept = [0 if r else s for r, s in zip(repeats, strides)]
    dtype = getattr(torch, x.dtype.name)
    if any(repeats):
        y = torch.empty_strided(one.shape, kept, dtype=dtype)
    else:
        y = torch.empty_strided(array.shape, strides, dtype=dtype)
    y.copy_(from_numpy(np.array(one, order="C")))
    if any(repeats):
        y = y.as_strided(array.shape, kept)
    return y.requires_grad_() if x.requires_grad else y


def from_numpy(array):
    """A torch tensor of an array's values; NumPy's bfloat16 is not torch's."""
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def as_numpy(x):
    """The values of one of our tensors, or of torch's."""
    if isinstance(x, torch.Tensor):
        x = x.detach().resolve_conj().resolve_neg()
        wider = {torch.bfloat16: torch.float32, torch.complex32: torch.complex64}
        return x.to(wider.get(x.dtype, x.dtype)).numpy(force=True)
    return x._k.to_numpy(x._a)
