"""Ways to choose the weights that are set to zero.

- Pruning a parameter leaves it in `NAME_orig`, puts a mask of ones and zeros into the
  buffer `NAME_mask`, and before each call their product into `NAME`.
- Pruning again works on what the mask has left; a PruningContainer keeps the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any

import plugrad
from plugrad import Module, Tensor, no_grad

from .hooked import Rewriting, hooks_of

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
]


class BasePruningMethod(Rewriting):
    """A way to choose what to prune: subclasses have `compute_mask`, and say in
    `PRUNING_TYPE` whether they choose among the elements that are left
    ("unstructured"), among slices ("structured"), or see all there is ("global").

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> class EveryOther(prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...     def compute_mask(self, t, default_mask):
    ...         mask = default_mask.clone()
    ...         mask.view(-1)[::2] = 0
    ...         return mask
    >>> layer = plugrad.nn.Linear(4, 1)
    >>> method = EveryOther.apply(layer, "weight")
    >>> layer.weight_mask
    tensor([[0., 1., 0., 1.]])
    """

    PRUNING_TYPE: str
    _tensor_name: str = ""

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask for a tensor of importance scores; `default_mask` is that of
        earlier pruning."""
        raise NotImplementedError(f"{type(self).__name__} has no compute_mask")

    def apply_mask(self, module: Module) -> Tensor:
        """The parameter times its mask."""
        if not self._tensor_name:
            raise AssertionError(f"Module {module} has to be pruned")
        mask = getattr(module, self._tensor_name + "_mask")
        original = getattr(module, self._tensor_name + "_orig")
        return mask.to(original.dtype) * original

    @classmethod
    def apply(
        cls,
        module: Module,
        name: str,
        *args: Any,
        importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Prune a parameter of a module, further if it is pruned already. The scores
        say what is important: the parameter itself if they are not given."""
        old = next((m for m in methods_of(module) if m._tensor_name == name), None)
        method: Any = cls(*args, **kwargs)
        method._tensor_name = name
        original = getattr(module, name)
        scores = checked_scores(importance_scores, original, name, module)
        if old is None:
            mask = method.compute_mask(scores, plugrad.ones_like(original))
            delattr(module, name)
            module.register_parameter(name + "_orig", original)
        else:
            before = getattr(module, name + "_mask").detach().clone()
            known = isinstance(old, PruningContainer)
            container: Any = old if known else PruningContainer(old)
            container.add_pruning_method(method)
            try:
                mask = container.compute_mask(scores, before)
            except Exception:
                container.forget_last()
                raise
            old.detach(module)
            method = container
        module.register_buffer(name + "_mask", mask.detach())
        setattr(module, name, method.apply_mask(module))
        method.attach(module)
        return method

    def prune(
        self,
        t: Tensor,
        default_mask: Tensor | None = None,
        importance_scores: Tensor | None = None,
    ) -> Tensor:
        """A pruned version of any tensor."""
        scores = checked_scores(importance_scores, t, "t", None)
        if default_mask is None:
            default_mask = plugrad.ones_like(t)
        return t * self.compute_mask(scores, default_mask)

    def remove(self, module: Module) -> None:
        """Make the pruning permanent: the parameter has its name again, and zeros."""
        name = self._tensor_name
        original = getattr(module, name + "_orig")
        with no_grad():
            original.data = self.apply_mask(module)
        for each in (name, name + "_orig", name + "_mask"):
            delattr(module, each)
        setattr(module, name, original)


def methods_of(module: Module) -> list[BasePruningMethod]:
    """What prunes parameters of a module, of itself alone."""
    return hooks_of(module, BasePruningMethod)


def checked_scores(
    scores: Tensor | None, t: Tensor, name: str, module: Module | None
) -> Tensor:
    """The scores, or the tensor itself; an error if their shapes differ."""
    if scores is None:
        return t.detach()
    if scores.shape != t.shape:
        of = "" if module is None else f" of {module}"
        raise AssertionError(
            f"importance_scores should have the same shape as parameter {name}{of}, "
            f"got {list(scores.shape)} vs {list(t.shape)}"
        )
    return scores


class PruningContainer(BasePruningMethod):
    """Several methods, applied one after the other.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> layer = plugrad.nn.Linear(8, 1)
    >>> for _ in range(2):
    ...     method = prune.L1Unstructured.apply(layer, "weight", amount=0.5)
    >>> len(method), int(layer.weight_mask.sum())
    (2, 2)
    """

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Add one more, of the same parameter."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found "
                f"'{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def forget_last(self) -> None:
        """Take the last one away again."""
        self._pruning_methods = self._pruning_methods[:-1]

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: int) -> BasePruningMethod:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        method: Any = self._pruning_methods[-1]
        seen = visible(method, t, default_mask)
        mask = default_mask.to(t.dtype, copy=True)
        mask[seen] = method.compute_mask(t[seen], default_mask[seen]).to(mask.dtype)
        return mask


def visible(method: Any, t: Tensor, mask: Tensor) -> Any:
    """The index of what earlier pruning has left for a method to choose from."""
    kind = method.PRUNING_TYPE
    if kind == "unstructured":
        return mask == 1
    if kind == "global":
        return (slice(None),) * t.ndim
    if kind != "structured":
        raise ValueError(f"Unrecognized PRUNING_TYPE {kind}")
    if not hasattr(method, "dim"):
        raise AttributeError(
            'Pruning methods of PRUNING_TYPE "structured" need to have the attribute '
            "`dim` defined."
        )
    if not -t.ndim <= method.dim < t.ndim:
        raise IndexError(f"Index is out of bounds for tensor with dimensions {t.ndim}")
    dim = method.dim % t.ndim
    others = [d for d in range(t.ndim) if d != dim]
    return (slice(None),) * dim + (mask.sum(others) != 0,)


# --- Methods --------------------------------------------------------------------------


def check_amount(amount: Any) -> None:
    """Raise unless an amount is a share or a number of elements."""
    if not isinstance(amount, Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    if amount < 0 or (not isinstance(amount, Integral) and amount > 1):
        raise ValueError(
            f"amount={amount} should either be a float in the range [0, 1] or a "
            "non-negative integer"
        )


def number_of(amount: Any, size: int) -> int:
    """How many of `size` an amount is."""
    if not isinstance(amount, Integral):
        return round(float(amount) * size)
    if amount > size:
        raise ValueError(
            f"amount={amount} should be smaller than the number of parameters to "
            f"prune={size}"
        )
    return int(amount)


def without(mask: Tensor, indices: Tensor) -> Tensor:
    """A mask with zeros at places in row-major order."""
    return mask.reshape(-1).index_fill(0, indices, 0).reshape(mask.shape)


def shuffled(t: Tensor, n: int) -> Tensor:
    """0 to n - 1 in random order, where `t` is."""
    return t.new_tensor(plugrad.randperm(n).tolist(), dtype=plugrad.int64)


class Identity(BasePruningMethod):
    """Prunes nothing: for those who want a mask of ones.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> prune.Identity().prune(plugrad.ones(2))
    tensor([1., 1.])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class RandomUnstructured(BasePruningMethod):
    """Prunes a share of the elements, or a number of them, at random.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> prune.RandomUnstructured(3).prune(plugrad.ones(4)).sum()
    tensor(1.)
    """

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        check_amount(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        n = number_of(self.amount, t.numel())
        return without(default_mask, shuffled(t, t.numel())[:n])


class L1Unstructured(BasePruningMethod):
    """Prunes the elements that are smallest in size.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> prune.L1Unstructured(0.5).prune(plugrad.tensor([1.0, -3.0, 2.0, 0.0]))
    tensor([ 0., -3.,  2.,  0.])
    """

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        check_amount(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        n = number_of(self.amount, t.numel())
        order = t.detach().abs().reshape(-1).argsort()
        return without(default_mask, order[:n])


class Structured(BasePruningMethod):
    """Prunes whole slices along `dim`."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        check_amount(amount)
        self.amount = amount
        self.dim = dim

    def order(self, t: Tensor, dim: int) -> Tensor:
        """The slices' indices, the least important first."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if t.ndim < 2:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. "
                f"Found tensor of shape {list(t.shape)} with {t.ndim} dims"
            )
        if not -t.ndim <= self.dim < t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        dim = self.dim % t.ndim
        n = number_of(self.amount, t.shape[dim])
        return default_mask.index_fill(dim, self.order(t.detach(), dim)[:n], 0)


class RandomStructured(Structured):
    """Prunes slices along `dim` at random.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> prune.RandomStructured(1, 0).prune(plugrad.ones(2, 3)).sum()
    tensor(3.)
    """

    def order(self, t: Tensor, dim: int) -> Tensor:
        return shuffled(t, t.shape[dim])


class LnStructured(Structured):
    """Prunes the slices along `dim` with the smallest n-norm.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> x = plugrad.tensor([[1.0, -3.0], [2.0, 0.0]])
    >>> prune.LnStructured(1, n=2, dim=0).prune(x)
    tensor([[ 1., -3.],
            [ 0.,  0.]])
    """

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def order(self, t: Tensor, dim: int) -> Tensor:
        others = [d for d in range(t.ndim) if d != dim]
        return t.norm(self.n, others).argsort()


class CustomFromMask(BasePruningMethod):
    """Prunes where a mask has zeros.

    >>> import plugrad
    >>> from plugrad.nn.utils import prune
    >>> prune.CustomFromMask(plugrad.tensor([0, 1])).prune(plugrad.ones(2))
    tensor([0., 1.])
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"the mask has shape {list(self.mask.shape)}, the parameter "
                f"{list(default_mask.shape)}"
            )
        return default_mask * self.mask.to(default_mask.dtype)
