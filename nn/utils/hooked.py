"""Hooks that set an attribute of a module before each of its calls."""

from __future__ import annotations

from typing import Any

from plugrad import Module

__all__: list[str] = []

# where a module notes its hooks of this kind; copies of the module get copies of them
NOTED = "_rewritten"


class Rewriting:
    """Computes one attribute of a module from others, before each call."""

    handle: Any

    def attach(self, module: Module) -> None:
        """Start doing so."""
        self.handle = module.register_forward_pre_hook(self)
        vars(module).setdefault(NOTED, []).append(self)

    def detach(self, module: Module) -> None:
        """Stop doing so."""
        self.handle.remove()
        noted = vars(module)[NOTED]
        noted.remove(self)
        if not noted:
            del vars(module)[NOTED]

    def __call__(self, module: Module, inputs: Any) -> None:
        raise NotImplementedError


def hooks_of(module: Module, kind: Any) -> list[Any]:
    """The hooks of a kind that a module has."""
    return [each for each in vars(module).get(NOTED, ()) if isinstance(each, kind)]
