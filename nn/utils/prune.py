"""Set weights to zero, and keep them there: the functions, and the ways to choose.

What a pruned module holds is told in `plugrad.nn.utils.pruning`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import plugrad
from plugrad import Module, Tensor

from . import pruning
from .convert_parameters import parameters_to_vector
from .pruning import (
    BasePruningMethod,
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    PruningContainer,
    RandomStructured,
    RandomUnstructured,
    methods_of,
)

__all__ = [
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]
__all__ += pruning.__all__

M = TypeVar("M", bound=Module)


def identity(module: M, name: str) -> M:
    """Give a parameter a mask of ones.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> layer = prune.identity(plugrad.nn.Linear(2, 1), "bias")
    >>> layer.bias_mask
    tensor([1.])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: M, name: str, amount: float) -> M:
    """Prune elements of a parameter at random: a share, or a number of them.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> layer = prune.random_unstructured(plugrad.nn.Linear(4, 2), "weight", amount=6)
    >>> int(layer.weight_mask.sum())
    2
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: M, name: str, amount: float, importance_scores: Tensor | None = None
) -> M:
    """Prune the elements of a parameter that are smallest in size.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> layer = prune.l1_unstructured(plugrad.nn.Linear(4, 2), "weight", amount=0.25)
    >>> int((layer.weight == 0).sum())
    2
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: M, name: str, amount: float, dim: int) -> M:
    """Prune slices of a parameter at random.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> layer = plugrad.nn.Linear(4, 2)
    >>> layer = prune.random_structured(layer, "weight", amount=1, dim=0)
    >>> int(layer.weight_mask.sum())
    4
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: M,
    name: str,
    amount: float,
    n: Any,
    dim: int,
    importance_scores: Tensor | None = None,
) -> M:
    """Prune the slices of a parameter with the smallest n-norm.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> layer = plugrad.nn.Linear(4, 2)
    >>> layer = prune.ln_structured(layer, "weight", amount=0.5, n=2, dim=1)
    >>> int(layer.weight_mask.sum())
    4
    """
    LnStructured.apply(
        module, name, amount, n, dim, importance_scores=importance_scores
    )
    return module


def custom_from_mask(module: M, name: str, mask: Tensor) -> M:
    """Prune a parameter where a mask has zeros.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> layer = plugrad.nn.Linear(2, 2)
    >>> layer = prune.custom_from_mask(layer, "bias", plugrad.tensor([0, 1]))
    >>> layer.bias_mask
    tensor([0., 1.])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune several parameters as if they were one.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> a, b = plugrad.nn.Linear(4, 2), plugrad.nn.Linear(2, 2)
    >>> prune.global_unstructured(
    ...     [(a, "weight"), (b, "weight")], prune.L1Unstructured, amount=6
    ... )
    >>> int(a.weight_mask.sum() + b.weight_mask.sum())
    6
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    given = list(parameters)
    tensors = [getattr(module, name) for module, name in given]
    masks = [
        getattr(module, name + "_mask", plugrad.ones_like(t))
        for (module, name), t in zip(given, tensors)
    ]
    method: Any = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. '
            f"Found method {pruning_method} of type {method.PRUNING_TYPE}"
        )
    together = parameters_to_vector(
        [scores.get(place, t).detach() for place, t in zip(given, tensors)]
    )
    mask = PruningContainer(method).compute_mask(together, parameters_to_vector(masks))
    start = 0
    for (module, name), t in zip(given, tensors):
        part = mask[start : start + t.numel()].reshape(t.shape)
        custom_from_mask(module, name, part)
        start += t.numel()


def remove(module: M, name: str) -> M:
    """Make the pruning of a parameter permanent, and forget the mask.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> layer = prune.l1_unstructured(plugrad.nn.Linear(2, 1), "weight", 1)
    >>> [key for key in prune.remove(layer, "weight").state_dict()]
    ['bias', 'weight']
    """
    for method in methods_of(module):
        if method._tensor_name == name:
            method.remove(module)
            method.detach(module)
            return module
    raise ValueError(
        f"Parameter '{name}' of module {module} has to be pruned before pruning can be "
        "removed"
    )


def is_pruned(module: Module) -> bool:
    """Whether a parameter of the module, or of one below it, is pruned.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> prune.is_pruned(plugrad.nn.Linear(2, 1))
    False
    """
    return any(methods_of(each) for each in module.modules())
