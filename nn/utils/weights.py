"""Weights by direction and length, or of spectral norm 1, kept up by hooks.

These are PyTorch's older functions; those of `parametrizations` do the same.
"""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from plugrad import Module, Parameter, Tensor, no_grad

from .. import functional as F
from ..modules.convolution import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..parameter import UninitializedParameter
from .hooked import Rewriting, hooks_of

__all__ = [
    "remove_spectral_norm",
    "remove_weight_norm",
    "spectral_norm",
    "weight_norm",
]

M = TypeVar("M", bound=Module)

TRANSPOSED = (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)


# --- Direction and length -------------------------------------------------------------


def norm_except(v: Tensor, dim: int | None) -> Tensor:
    """The norms of the slices of `v` along `dim`, or the norm of all."""
    if dim is None or dim == -1:
        return v.norm()
    others = [d for d in range(v.ndim) if d != dim]
    return v.norm(2, others, True) if others else v.abs()


def with_length(v: Tensor, g: Tensor, dim: int | None) -> Tensor:
    """`v` with the norms `g` along `dim`."""
    return v * (g / norm_except(v, dim))


class WeightNorm(Rewriting):
    """Computes a weight from its direction and length."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """The weight."""
        g = getattr(module, self.name + "_g")
        return with_length(getattr(module, self.name + "_v"), g, self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Split a parameter into its direction `NAME_v` and its lengths `NAME_g`: one for
    each slice along `dim`, or a single one for None.

    >>> import plugrad, warnings
    >>> warnings.simplefilter("ignore")
    >>> layer = plugrad.nn.utils.weight_norm(plugrad.nn.Linear(20, 40))
    >>> layer.weight_g.shape, layer.weight_v.shape
    (plugrad.Size([40, 1]), plugrad.Size([40, 20]))
    """
    warnings.warn(
        "`plugrad.nn.utils.weight_norm` is deprecated in favor of "
        "`plugrad.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    if any(hook.name == name for hook in hooks_of(module, WeightNorm)):
        raise RuntimeError(
            f"Cannot register two weight_norm hooks on the same parameter {name}"
        )
    weight = getattr(module, name)
    check_there("WeightNorm", weight)
    hook = WeightNorm(name, dim)
    delattr(module, name)
    with no_grad():
        g = norm_except(weight, hook.dim)
    module.register_parameter(name + "_g", Parameter(g))
    module.register_parameter(name + "_v", Parameter(weight.data))
    setattr(module, name, hook.compute_weight(module))
    hook.attach(module)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Put a plain parameter in place of direction and length.

    >>> import plugrad, warnings
    >>> warnings.simplefilter("ignore")
    >>> layer = plugrad.nn.utils.weight_norm(plugrad.nn.Linear(2, 4))
    >>> [key for key in plugrad.nn.utils.remove_weight_norm(layer).state_dict()]
    ['bias', 'weight']
    """
    for hook in hooks_of(module, WeightNorm):
        if hook.name == name:
            weight = hook.compute_weight(module).detach()
            for each in (name, name + "_g", name + "_v"):
                delattr(module, each)
            setattr(module, name, Parameter(weight))
            hook.detach(module)
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")


def check_there(what: str, weight: Any) -> None:
    """Raise if a lazy module does not know its weight yet."""
    if isinstance(weight, UninitializedParameter):
        raise ValueError(
            f"The module passed to `{what}` can't have uninitialized parameters. Make "
            "sure to run the dummy forward before applying it"
        )


# --- The largest singular value -------------------------------------------------------


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """A weight as a matrix with a row for each index of `dim`."""
    if dim != 0:
        others = [d for d in range(weight.ndim) if d != dim]
        weight = weight.permute(dim, *others)
    return weight.reshape(weight.shape[0], -1)


def unit(x: Tensor, eps: float) -> Tensor:
    """A vector at length 1."""
    return F.normalize(x, dim=0, eps=eps)


def output_dim(module: Module, dim: int | None) -> int:
    """Which dimension of a module's weight is that of its outputs."""
    if dim is None:
        return 1 if isinstance(module, TRANSPOSED) else 0
    return dim


class SpectralNorm(Rewriting):
    """Computes a weight divided by its largest singular value, which is approached
    by one or more steps of the power method in each call in training."""

    def __init__(
        self,
        name: str = "weight",
        n_power_iterations: int = 1,
        dim: int = 0,
        eps: float = 1e-12,
    ) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.n_power_iterations = n_power_iterations
        self.dim = dim
        self.eps = eps

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight."""
        weight = getattr(module, self.name + "_orig")
        u, v = (getattr(module, self.name + end) for end in ("_u", "_v"))
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(unit(matrix.t().mv(u), self.eps))
                    u.copy_(unit(matrix.mv(v), self.eps))
            # the graph keeps what the next call does not write into
            u, v = u.clone(), v.clone()
        return weight / u.dot(matrix.mv(v))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide a parameter by its largest singular value, as a matrix with a row for each
    index of `dim`. The parameter itself becomes `NAME_orig`.

    >>> import plugrad
    >>> layer = plugrad.nn.utils.spectral_norm(plugrad.nn.Linear(20, 40))
    >>> list(layer.state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    if any(hook.name == name for hook in hooks_of(module, SpectralNorm)):
        raise RuntimeError(
            f"Cannot register two spectral_norm hooks on the same parameter {name}"
        )
    hook = SpectralNorm(name, n_power_iterations, output_dim(module, dim), eps)
    weight = getattr(module, name)
    if weight is None:
        raise ValueError(
            f"`SpectralNorm` cannot be applied as parameter `{name}` is None"
        )
    check_there("SpectralNorm", weight)
    with no_grad():
        h, w = as_matrix(weight, hook.dim).shape
        u = unit(weight.new_empty(h).normal_(), eps)
        v = unit(weight.new_empty(w).normal_(), eps)
    delattr(module, name)
    module.register_parameter(name + "_orig", weight)
    setattr(module, name, weight.data)
    module.register_buffer(name + "_u", u)
    module.register_buffer(name + "_v", v)
    hook.attach(module)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Put a plain parameter in place of what `spectral_norm` divides.

    >>> import plugrad
    >>> layer = plugrad.nn.utils.spectral_norm(plugrad.nn.Linear(2, 4))
    >>> [key for key in plugrad.nn.utils.remove_spectral_norm(layer).state_dict()]
    ['bias', 'weight']
    """
    for hook in hooks_of(module, SpectralNorm):
        if hook.name == name:
            with no_grad():
                weight = hook.compute_weight(module, False)
            for end in ("", "_u", "_v", "_orig"):
                delattr(module, name + end)
            module.register_parameter(name, Parameter(weight.detach()))
            hook.detach(module)
            return module
    raise ValueError(f"spectral_norm of '{name}' not found in {module}")
