"""Pictures to tensors and back, their dtypes and their scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from plugrad import Tensor, from_numpy
from plugrad.nn import Module

from . import functional as F
from .convert import plain
from .normalizing import normalized, numbers, unlike, zero_deviation

__all__ = [
    "ConvertImageDtype",
    "LinearTransformation",
    "Normalize",
    "PILToTensor",
    "ToPILImage",
    "ToTensor",
]


FLOAT = np.dtype(np.float32)


def fixed(values: Any) -> Any:
    """Numbers as something that cannot change, to compare with; None for others."""
    if type(values) is list:
        return tuple(values)
    return values if type(values) in (tuple, float, int) else None


class ToTensor:
    """`functional.to_tensor` as a transform.

    >>> import numpy as np
    >>> from plugrad.plugins.vision.transforms import ToTensor
    >>> ToTensor()(np.array([[0, 51, 255]], np.uint8))
    tensor([[[0.0000, 0.2000, 1.0000]]])
    """

    def __call__(self, pic: Any) -> Tensor:
        return F.to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """`functional.pil_to_tensor` as a transform.

    >>> import numpy as np
    >>> from plugrad.plugins.vision.transforms import PILToTensor
    >>> PILToTensor()(np.array([[0, 51, 255]], np.uint8))
    tensor([[[  0,  51, 255]]], dtype=plugrad.uint8)
    """

    def __call__(self, pic: Any) -> Tensor:
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPILImage:
    """`functional.to_pil_image` as a transform.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import ToPILImage
    >>> ToPILImage()(plugrad.ones(1, 2, 4)).size
    (4, 2)
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        mode = "" if self.mode is None else f"mode={self.mode}"
        return f"{type(self).__name__}({mode})"


class ConvertImageDtype(Module):
    """`functional.convert_image_dtype` as a transform.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import ConvertImageDtype
    >>> ConvertImageDtype(plugrad.uint8)(plugrad.tensor([0.0, 1.0]))
    tensor([  0, 255], dtype=plugrad.uint8)
    """

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        return F.convert_image_dtype(image, self.dtype)


class Normalize(Module):
    """`functional.normalize` as a transform: (x - mean) / std.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import Normalize
    >>> steps = Normalize((0.1307,), (0.3081,))
    >>> steps
    Normalize(mean=(0.1307,), std=(0.3081,))
    >>> steps(plugrad.full((1, 1, 1), 0.1307)).item()
    0.0
    """

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace
        self.ready: Any = None

    def forward(self, tensor: Tensor) -> Tensor:
        array = None if self.inplace else plain(tensor)
        if array is not None and array.ndim >= 3 and array.dtype == FLOAT:
            return from_numpy(self.of_array(array))
        return F.normalize(tensor, self.mean, self.std, self.inplace)

    def of_array(self, array: np.ndarray) -> np.ndarray:
        """The same of an array of float32. The numbers are made ready once, which takes
        more time than a small picture does."""
        key = fixed(self.mean), fixed(self.std)
        if self.ready is None or self.ready[0] != key:
            mean, std = numbers(self.mean, FLOAT), numbers(self.std, FLOAT)
            if None in key:
                return normalized(array, mean, std)
            if not np.all(std):
                raise zero_deviation(FLOAT)
            self.ready = key, mean, std
        _, mean, std = self.ready
        result = array - mean
        result /= std
        if result.shape != array.shape:
            raise unlike(array.shape, result.shape)
        return result

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class LinearTransformation(Module):
    """A picture, flattened, less a mean vector, times a square matrix, such as one that
    whitens.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import LinearTransformation
    >>> steps = LinearTransformation(2 * plugrad.eye(4), plugrad.ones(4))
    >>> steps(plugrad.ones(1, 2, 2)).sum()
    tensor(0.)
    """

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns:
            raise ValueError(
                f"transformation_matrix should be square. Got {(rows, columns)} "
                "rectangular matrix."
            )
        if mean_vector.size(0) != rows:
            raise ValueError(
                f"mean_vector should have the same length {mean_vector.size(0)} as any "
                "one of the dimensions of the transformation_matrix "
                f"[{(rows, columns)}]"
            )
        if transformation_matrix.dtype != mean_vector.dtype:
            raise ValueError(
                "Input tensors should have the same dtype. Got "
                f"{transformation_matrix.dtype} and {mean_vector.dtype}"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def forward(self, tensor: Tensor) -> Tensor:
        shape, n = tensor.shape, len(self.mean_vector)
        if shape[-3] * shape[-2] * shape[-1] != n:
            raise ValueError(
                "Input tensor and transformation matrix have incompatible shape."
                f"[{shape[-3]} x {shape[-2]} x {shape[-1]}] != {n}"
            )
        flat = tensor.reshape(-1, n) - self.mean_vector
        return flat.mm(self.transformation_matrix.to(flat.dtype)).reshape(shape)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(transformation_matrix="
            f"{self.transformation_matrix.tolist()}, mean_vector="
            f"{self.mean_vector.tolist()})"
        )
