"""The scale of a picture: mean and standard deviation of each channel."""

from __future__ import annotations

from typing import Any

import numpy as np

import plugrad
from plugrad import Tensor, from_numpy

from .convert import plain

__all__ = ["normalize"]


def normalize(tensor: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """(tensor - mean) / std, with a mean and a standard deviation for each channel or
    one for all.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.normalize(plugrad.ones(2, 1, 1), [0.0, 1.0], [2.0, 1.0]).flatten()
    tensor([0.5000, 0.0000])
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    if not tensor.dtype.is_floating_point:
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.ndim < 3:
        raise ValueError(
            "Expected tensor to be a tensor image of size (..., C, H, W). Got "
            f"tensor.size() = {tensor.size()}"
        )
    array = None if inplace else plain(tensor)
    if array is not None:
        shift, scale = numbers(mean, array.dtype), numbers(std, array.dtype)
        return from_numpy(normalized(array, shift, scale))
    mean = per_channel(tensor, mean)
    std = per_channel(tensor, std)
    if (std == 0).any():
        raise zero_deviation(tensor.dtype)
    if inplace:
        return tensor.sub_(mean).div_(std)
    result = (tensor - mean) / std
    if result.shape != tensor.shape:
        raise unlike(tensor.shape, result.shape)
    return result


def per_channel(tensor: Tensor, values: Any) -> Tensor:
    """One number, or one for each channel, so that they broadcast over a picture."""
    values = plugrad.as_tensor(values, dtype=tensor.dtype).to(tensor.device)
    values = values.to(backend=tensor.backend)
    return values.view(-1, 1, 1) if values.ndim == 1 else values


def normalized(array: np.ndarray, mean: Any, std: Any) -> np.ndarray:
    """The same of arrays."""
    if not np.all(std):
        raise zero_deviation(array.dtype)
    result = array - mean
    result /= std
    if result.shape != array.shape:
        raise unlike(array.shape, result.shape)
    return result


def numbers(values: Any, dtype: Any) -> Any:
    """One number, or one for each channel in a shape that broadcasts over a picture."""
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    array = np.asarray(values, dtype)
    if array.ndim != 1:
        return array
    return array.reshape(()) if len(array) == 1 else array[:, None, None]


def unlike(shape: Any, made: Any) -> RuntimeError:
    return RuntimeError(
        f"normalize: a picture of shape {list(shape)} would become one of shape "
        f"{list(made)}; there must be a mean and a std for each channel, or one for all"
    )


def zero_deviation(dtype: Any) -> ValueError:
    return ValueError(
        f"std evaluated to zero after conversion to {dtype}, leading to division by "
        "zero."
    )
