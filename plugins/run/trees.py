"""`torch.utils._pytree`: nested lists, tuples and dicts, apart and together again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TreeSpec:
    """How leaves are put together: a type, what it needs beside them, its parts."""

    type: Any
    context: Any
    parts: tuple[TreeSpec, ...]

    @property
    def num_leaves(self) -> int:
        """How many leaves there are."""
        if self.type is None:
            return 1
        return sum(part.num_leaves for part in self.parts)


LEAF = TreeSpec(None, None, ())


def tree_flatten(
    tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> tuple[list[Any], TreeSpec]:
    """The leaves of a tree, and how to put them together again.

    >>> tree_flatten({"a": [1, 2], "b": 3})[0]
    [1, 2, 3]
    """
    kind = type(tree)
    named = isinstance(tree, tuple) and hasattr(tree, "_fields")
    if is_leaf is not None and is_leaf(tree):
        return [tree], LEAF
    if kind in (dict, OrderedDict):
        context, inside = tuple(tree), tree.values()
    elif kind in (list, tuple) or named:
        context, inside = None, tree
    else:
        return [tree], LEAF
    leaves, parts = [], []
    for each in inside:
        found, part = tree_flatten(each, is_leaf)
        leaves += found
        parts.append(part)
    return leaves, TreeSpec(kind, context, tuple(parts))


def tree_unflatten(leaves: Any, treespec: TreeSpec) -> Any:
    """The tree that `tree_flatten` took apart, with these leaves.

    >>> tree_unflatten([4, 5], tree_flatten((1, [2]))[1])
    (4, [5])
    """
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten: there are {len(leaves)} leaves, and places for "
            f"{treespec.num_leaves}"
        )
    return put_together(iter(leaves), treespec)


def put_together(leaves: Any, spec: TreeSpec) -> Any:
    """A tree, of the next leaves."""
    if spec.type is None:
        return next(leaves)
    inside = [put_together(leaves, part) for part in spec.parts]
    if spec.context is not None:
        return spec.type(zip(spec.context, inside))
    if hasattr(spec.type, "_fields"):
        return spec.type(*inside)
    return spec.type(inside)


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves of a tree."""
    return tree_flatten(tree, is_leaf)[0]


def tree_map(
    func: Callable[..., Any],
    tree: Any,
    *rests: Any,
    is_leaf: Callable[[Any], bool] | None = None,
) -> Any:
    """The tree of what a function gives for each leaf, and for those of other trees.

    >>> tree_map(lambda x, y: x + y, {"a": (1, 2)}, {"a": (10, 20)})
    {'a': (11, 22)}
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [tree_leaves(rest, is_leaf) for rest in rests]
    return tree_unflatten(map(func, leaves, *others), spec)


def tree_map_only(
    kind: Any, func: Callable[[Any], Any], tree: Any, is_leaf: Any = None
) -> Any:
    """The tree with a function of the leaves of some type; the others stay.

    >>> tree_map_only(int, str, [1, 2.5])
    ['1', 2.5]
    """
    return tree_map(
        lambda x: func(x) if isinstance(x, kind) else x, tree, is_leaf=is_leaf
    )
