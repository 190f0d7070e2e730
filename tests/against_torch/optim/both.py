"""The same optimizer in both libraries, on the same parameters and gradients.

The gradients are a fixed sequence: near the minimum of a function, methods that divide
by the size of the gradients would make much of the last digit.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import torch

import plugrad

SHAPES = ((3, 4), (5,), (), (0, 2), (2, 1, 3))
LIBRARIES = (plugrad, torch)


class Side:
    """One library's optimizer and what it optimizes."""

    def __init__(
        self,
        library: Any,
        name: str,
        options: dict[str, Any],
        dtype: str = "float64",
        shapes: Any = SHAPES,
    ) -> None:
        self.library = library
        self.dtype = getattr(library, dtype)
        self.complex = "complex" in dtype
        self.values = np.random.default_rng(0)
        self.params = [self.draw(shape).requires_grad_() for shape in shapes]
        kind = getattr(library.optim, name)
        self.optimizer = kind(self.params, **in_library(library, options))
        self.grads = np.random.default_rng(1)

    def draw(self, shape: Any, rng: Any = None) -> Any:
        rng = rng or self.values
        x = rng.standard_normal(shape)
        if self.complex:
            x = x + 1j * rng.standard_normal(shape)
        return self.library.tensor(x).to(self.dtype)

    def run(self, steps: int) -> None:
        for i in range(steps):
            for j, p in enumerate(self.params):
                g = self.draw(tuple(p.shape), self.grads)
                p.grad = (
                    None if i % 7 == 3 and j == 1 else g
                )  # one is left out at times
            self.optimizer.step()

    def arrays(self) -> list[np.ndarray]:
        return [arrays(p) for p in self.params]


def in_library(library: Any, value: Any) -> Any:
    """Options as a library takes them: an array stands for a tensor."""
    if isinstance(value, dict):
        return {key: in_library(library, each) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(in_library(library, each) for each in value)
    return library.tensor(value) if isinstance(value, np.ndarray) else value


def arrays(value: Any) -> Any:
    """A value with NumPy arrays in place of either library's tensors."""
    if isinstance(value, dict):
        return {key: arrays(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(arrays(each) for each in value)
    if isinstance(value, torch.Tensor):
        wide = value.dtype is torch.bfloat16
        return (value.detach().float() if wide else value.detach()).numpy()
    if isinstance(value, plugrad.Tensor):
        wide = value.dtype is plugrad.bfloat16
        return (value.detach().float() if wide else value.detach()).numpy()
    return value


def tensors(library: Any, value: Any) -> Any:
    """The way back, for a state_dict."""
    if isinstance(value, dict):
        return {key: tensors(library, each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(tensors(library, each) for each in value)
    if isinstance(value, np.ndarray):
        return library.tensor(value.copy())
    return value


def exchange(ours: Side, theirs: Side) -> None:
    """Each goes on from the other's state."""
    a = copy.deepcopy(arrays(ours.optimizer.state_dict()))
    b = copy.deepcopy(arrays(theirs.optimizer.state_dict()))
    b["param_groups"] = tensors(plugrad, b["param_groups"])
    ours.optimizer.load_state_dict(b)  # its state in NumPy arrays, as they are
    theirs.optimizer.load_state_dict(tensors(torch, a))


def assert_close(a: Any, b: Any, rtol: float = 1e-10, atol: float = 1e-10) -> None:
    """The same nesting of the same numbers."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_close(a[key], b[key], rtol, atol)
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for each, other in zip(a, b):
            assert_close(each, other, rtol, atol)
    elif isinstance(a, (np.ndarray, float)):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)
    else:
        assert a == b


def raised(call: Any, library: Any) -> Exception | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(library)
        except Exception as error:
            return error
    return None


def assert_same_error(call: Any) -> None:
    """Both raise, and ours can be caught as theirs."""
    ours, theirs = raised(call, plugrad), raised(call, torch)
    assert theirs is not None, "torch raises nothing"
    assert isinstance(ours, type(theirs)), (ours, theirs)
