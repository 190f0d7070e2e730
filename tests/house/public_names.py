"""The public names: what `__all__` of the public modules lists."""

from __future__ import annotations

import inspect
from importlib import import_module

MODULES = (
    "plugrad",
    "plugrad.amp",
    "plugrad.autograd",
    "plugrad.distributions",
    "plugrad.distributions.transforms",
    "plugrad.linalg",
    "plugrad.nn",
    "plugrad.nn.functional",
    "plugrad.nn.init",
    "plugrad.nn.parallel",
    "plugrad.nn.utils",
    "plugrad.nn.utils.parametrizations",
    "plugrad.nn.utils.parametrize",
    "plugrad.nn.utils.prune",
    "plugrad.nn.utils.stateless",
    "plugrad.optim",
    "plugrad.plugins.vision.datasets",
    "plugrad.plugins.vision.io",
    "plugrad.plugins.vision.models",
    "plugrad.plugins.vision.train",
    "plugrad.plugins.vision.transforms",
    "plugrad.plugins.vision.transforms.functional",
    "plugrad.plugins.vision.utils",
    "plugrad.special",
    "plugrad.testing",
    "plugrad.random",
    "plugrad.utils.checkpoint",
    "plugrad.utils.data",
    "plugrad.utils.data.distributed",
)


def listed() -> dict[str, object]:
    """Whatever the modules list, by its whole name."""
    found = {}
    for name in MODULES:
        module = import_module(name)
        for each in module.__all__:
            found[f"{name}.{each}"] = getattr(module, each)
    return found


def is_declared(value: object) -> bool:
    """Whether a name stands for a function or a class, and so has documentation."""
    return inspect.isfunction(value) or inspect.isclass(value)


def declared() -> dict[str, object]:
    """The functions and classes that are listed, each under the first of its names."""
    by_id = {}
    for name, value in listed().items():
        if is_declared(value):
            by_id.setdefault(id(value), (name, value))
    return dict(by_id.values())
