"""Run one layer in torch and in plugrad from the same state, and compare all it does.

A `Layer` names the class, its arguments and the shapes of its inputs. `check` compares,
in float32 and float64, in training and in use: the printed form, the keys of the state,
the outputs, the gradients of inputs and parameters, and the buffers afterwards; and in
float64 the gradients with numeric ones (in training, too, where that is otherwise).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

import plugrad
from plugrad.testing import TOLERANCES

DTYPES = ("float32", "float64")


@dataclass
class Layer:
    """One layer and what to call it with."""

    name: str  # below `nn`, such as "Linear" or "utils.rnn.Thing"
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    # shapes, NumPy arrays, or functions of a generator that make one; nested tuples and
    # lists of those stay what they are; other values are passed on
    inputs: Sequence[Any] = ()
    call: dict[str, Any] = field(default_factory=dict)  # keywords of the call
    random: bool = False  # draws in training: only use is compared
    higher: bool = True  # whether second derivatives are checked, too
    smooth: bool = True  # whether the gradient is compared with a numeric one
    scale: float = 1.0  # of the inputs
    dtypes: tuple[str, ...] = DTYPES

    def __str__(self) -> str:
        given = [repr(each) for each in self.args]
        given += [f"{key}={value!r}" for key, value in self.kwargs.items()]
        shapes = " ".join(str(each) for each in self.inputs if isinstance(each, tuple))
        return f"{self.name}({', '.join(given)}) {shapes}"


def find(module: Any, path: str) -> Any:
    for name in path.split("."):
        module = getattr(module, name)
    return module


class Side:
    """One library's layer, inputs and results."""

    def __init__(self, library: Any, layer: Layer, dtype: str) -> None:
        self.library = library
        self.layer = layer
        self.dtype = getattr(library, dtype)
        arguments = translated(library, (layer.args, layer.kwargs))
        self.module = find(library.nn, layer.name)(*arguments[0], **arguments[1])
        self.module.to(self.dtype)
        rng = np.random.default_rng(0)
        self.leaves: list[Any] = []
        self.inputs = [self.make(each, rng) for each in layer.inputs]
        self.call = {k: self.make(v, rng) for k, v in layer.call.items()}

    def make(self, spec: Any, rng: np.random.Generator) -> Any:
        if callable(spec):
            spec = spec(rng)
        if is_shape(spec):
            spec = np.asarray(rng.standard_normal(spec) * self.layer.scale)
        elif isinstance(spec, (tuple, list)):
            return type(spec)(self.make(each, rng) for each in spec)
        if not isinstance(spec, np.ndarray):
            return spec
        x = self.library.tensor(spec)
        if spec.dtype.kind == "f":
            x = x.to(self.dtype).requires_grad_()
            self.leaves.append(x)
        return x

    def run(self, training: bool) -> dict[str, Any]:
        """Everything that comes of one call and its gradients."""
        self.module.train(training)
        self.module.zero_grad()
        for leaf in self.leaves:
            leaf.grad = None
        found: dict[str, Any] = {}
        outputs = flat(self.module(*self.inputs, **self.call))
        roots, ramps = [], []
        for i, y in enumerate(outputs):
            found[f"output {i}"] = y
            if getattr(y, "requires_grad", False):
                roots.append(y)
                ramps.append(self.ramp(y))
        if roots:
            self.library.autograd.backward(roots, ramps)
        for i, leaf in enumerate(self.leaves):
            found[f"gradient of input {i}"] = leaf.grad
        for name, p in self.module.named_parameters():
            found[f"gradient of {name}"] = p.grad
        for name, b in self.module.named_buffers():
            found[f"buffer {name}"] = b.detach()
        return found

    def ramp(self, y: Any) -> Any:
        n = int(np.prod(tuple(y.shape)))
        values = (0.5 + np.arange(n) / max(n, 1)).reshape(tuple(y.shape))
        return self.library.tensor(values).to(y.dtype)


def translated(library: Any, value: Any) -> Any:
    """Arguments as a library takes them: dtypes by name, functions of the library."""
    if isinstance(value, (tuple, list)):
        return type(value)(translated(library, each) for each in value)
    if isinstance(value, dict):
        return {key: translated(library, each) for key, each in value.items()}
    if isinstance(value, plugrad.dtype):
        return getattr(library, value.name)
    if isinstance(value, np.ndarray):
        return library.tensor(value)
    if isinstance(value, In):
        return value.make(library)
    return value


@dataclass
class In:
    """An argument that is made from the library: In(lambda t: t.nn.ReLU())."""

    make: Callable[[Any], Any]

    def __repr__(self) -> str:
        return "made"


def is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and all(type(n) is int for n in value)


def flat(value: Any) -> list[Any]:
    """The tensors in a result, in order."""
    if value is None:
        return []
    if isinstance(value, (tuple, list)):
        return [each for part in value for each in flat(part)]
    if isinstance(value, dict):
        return [each for part in value.values() for each in flat(part)]
    return [value]


def array(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, torch.Tensor):
        return value.detach().to_dense().numpy()
    if value.is_sparse:
        value = value.to_dense()
    return value.detach().numpy()


def differences(ours: dict[str, Any], torchs: dict[str, Any], wide: float) -> list[str]:
    """What differs between two runs."""
    if ours.keys() != torchs.keys():
        return [f"{sorted(ours)} instead of {sorted(torchs)}"]
    found = []
    for key in ours:
        a, b = array(ours[key]), array(torchs[key])
        if a is None or b is None:
            if (a is None) != (b is None):
                found.append(f"{key}: {a} instead of {b}")
            continue
        if a.shape != b.shape or a.dtype != b.dtype:
            text = f"{a.dtype}{a.shape} instead of {b.dtype}{b.shape}"
            found.append(f"{key}: {text}")
            continue
        rtol, atol = TOLERANCES.get(a.dtype.name, (0.0, 0.0))
        # sums of many products: relative to the largest number among them
        size = np.abs(b[np.isfinite(b)]).max(initial=0) if b.dtype.kind == "f" else 0
        if not np.allclose(a, b, rtol, atol + wide * rtol * size, equal_nan=True):
            worst = np.nanmax(np.abs(a - b)) if a.dtype.kind == "f" else ""
            found.append(f"{key}: differs by {worst}, of {size}")
    return found


def check(layer: Layer, wide: float = 1.0) -> None:
    """Compare a layer; `wide` scales the part of the tolerance that goes with the
    largest number of a result."""
    wrong: list[str] = []
    for dtype in layer.dtypes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = Side(torch, layer, dtype)
            ours = Side(plugrad, layer, dtype)
        ours_text = repr(ours.module).replace("plugrad.", "torch.")
        if ours_text != repr(theirs.module):
            wrong.append(f"printed as {ours.module!r}, not {theirs.module!r}")
        state = {k: v.numpy() for k, v in theirs.module.state_dict().items()}
        if list(ours.module.state_dict()) != list(state):
            wrong.append(f"keys {list(ours.module.state_dict())}, not {list(state)}")
        ours.module.load_state_dict(state)
        for training in (False, True):
            if training and layer.random:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = theirs.run(training)
            got = ours.run(training)
            mode = "training" if training else "use"
            where = f"{dtype}, {mode}: "
            wrong += [where + each for each in differences(got, expected, wide)]
    if layer.smooth and "float64" in layer.dtypes and not wrong:
        wrong += numeric(layer)
        if not layer.random and trains_otherwise(layer):
            wrong += numeric(layer, training=True)
    assert not wrong, "\n".join([f"{layer}", *wrong])


def trains_otherwise(layer: Layer) -> bool:
    """Whether a layer computes something else in training."""
    side = Side(plugrad, layer, "float64")
    return bool(differences(side.run(True), side.run(False), 1.0))


def numeric(layer: Layer, training: bool = False) -> list[str]:
    """What numeric differentiation has to say of the gradients, in use or training."""
    side = Side(plugrad, layer, "float64")
    side.module.train(training)
    homes = [
        (module._parameters, name)
        for module in side.module.modules()
        for name, p in module._parameters.items()
        if p is not None and p.requires_grad
    ]
    parameters = [home[name] for home, name in homes]
    shared = {id(p): p for p in parameters}
    leaves = (*side.leaves, *shared.values())
    if not leaves:
        return []

    def function(*given: Any) -> Any:
        """The layer on other inputs and parameters."""
        instead = {id(leaf): each for leaf, each in zip(leaves, given, strict=True)}
        for home, name in homes:
            home[name] = instead[id(home[name])]
        try:
            inputs, call = replaced(side.inputs, instead), replaced(side.call, instead)
            outputs = flat(side.module(*inputs, **call))
        finally:
            for (home, name), p in zip(homes, parameters, strict=True):
                home[name] = p
        return tuple(y for y in outputs if getattr(y, "requires_grad", False))

    try:
        plugrad.autograd.gradcheck(function, leaves)
        if layer.higher:
            plugrad.autograd.gradgradcheck(function, leaves)
    except plugrad.autograd.GradcheckError as error:
        return [f"numeric, {'training' if training else 'use'}: {error}"]
    return []


def replaced(value: Any, instead: dict[int, Any]) -> Any:
    """The same nested inputs with other tensors for some."""
    if isinstance(value, dict):
        return {key: replaced(each, instead) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(replaced(each, instead) for each in value)
    return instead.get(id(value), value)
