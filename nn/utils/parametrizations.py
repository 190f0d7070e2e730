"""Parametrizations by name: orthogonal, of spectral norm 1, by direction and length."""

from __future__ import annotations

from math import ceil, log2
from typing import Any, TypeVar

import plugrad
from plugrad import Module, Tensor, no_grad

from .parametrize import register_parametrization
from .weights import as_matrix, norm_except, output_dim, unit, with_length

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)

MAPS = ("matrix_exp", "cayley", "householder")


def weight_of(module: Module, name: str) -> Tensor:
    """A module's parameter or buffer."""
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(
            f"Module '{module}' has no parameter or buffer with name '{name}'"
        )
    return weight


# --- Orthogonal -----------------------------------------------------------------------


def eye_like(x: Tensor, n: int) -> Tensor:
    """The identity matrix."""
    return plugrad.diag_embed(x.new_ones(n))


def exponential(a: Tensor) -> Tensor:
    """exp of square matrices, by its series for a matrix halved so often that it is
    small, which is then squared as often."""
    with no_grad():
        size = float(a.abs().sum(-1).amax()) if a.numel() else 0.0
    halvings = max(0, ceil(log2(size)) + 1) if size > 0 else 0
    a = a / 2**halvings
    one = eye_like(a, a.shape[-1])
    y = one
    for i in range(14, 0, -1):  # 0.5 ** 15 / 15! is below the last digit of float64
        y = one + a @ y / i
    for _ in range(halvings):
        y = y @ y
    return y


def nearest(a: Tensor) -> Tensor:
    """The orthogonal factor of QR, with the signs that make the other's diagonal
    positive."""
    x, tau = plugrad.geqrf(a)
    q = plugrad.linalg.householder_product(x, tau)
    return q * x.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def is_orthogonal(q: Tensor) -> bool:
    """Whether the columns are, within rounding."""
    n, k = q.shape[-2:]
    error = 10.0 * n * plugrad.finfo(q.dtype).eps
    return bool(plugrad.allclose(q.mH @ q, eye_like(q, k), atol=error))


class _Orthogonal(Module):
    """Makes matrices with orthonormal columns, or rows where they are wide."""

    base: Tensor | None

    def __init__(
        self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True
    ) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError(
                "The householder parametrization does not support complex tensors."
            )
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        x = x.mT if wide else x
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            a = x.tril(-1)
            tau = 2.0 / (1.0 + (a * a).sum(-2))
            q = plugrad.linalg.householder_product(a, tau)
            signs = x.detach().diagonal(dim1=-2, dim2=-1).trunc()
            q = q * signs.unsqueeze(-2)
        else:
            x = x.tril()
            if n != k:
                x = plugrad.cat([x, x.new_zeros(*x.shape[:-1], n - k)], -1)
            a = x - x.mH
            if self.orthogonal_map == "matrix_exp":
                q = exponential(a)
            else:
                one = eye_like(a, n)
                q = plugrad.linalg.solve(one - a * 0.5, one + a * 0.5)
            q = q[..., :k] if n != k else q
        if self.use_trivialization:
            q = self.base @ q
        return q.mT if wide else q

    @no_grad()
    def right_inverse(self, q: Tensor) -> Tensor:
        """What `forward` makes `q` of, if that is orthogonal, else its orthogonal
        factor; kept in `base`, where that is used."""
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a "
                f"tensor of shape {q.shape}."
            )
        given = q
        wide = q.shape[-2] < q.shape[-1]
        q = q.mT if wide else q
        n, k = q.shape[-2:]
        if not self.use_trivialization:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the "
                    "Cayley parametrizations when use_trivialization=False."
                )
            a, tau = plugrad.geqrf(q)
            # the diagonal says only by which sign a column is multiplied
            signs = a.diagonal(dim1=-2, dim2=-1).sign()
            signs = plugrad.where(tau == 0, -signs, signs)
            a = a.tril(-1) + a.triu(1) + diagonal_of(signs, a)
            return a.mT if wide else a
        if n == k:
            q = q.clone() if is_orthogonal(q) else nearest(q)
        else:
            more = q.new_empty(*q.shape[:-2], n, n - k).normal_()
            q = nearest(plugrad.cat([q, more], -1))
        self.base = q
        # forward makes the identity of this, by all three maps
        ones = given.new_ones(*given.shape[:-2], min(n, k))
        return -diagonal_of(ones, given)


def diagonal_of(values: Tensor, like: Tensor) -> Tensor:
    """Matrices of the shape of others, with these diagonals, and zeros."""
    n, k = like.shape[-2:]
    square = plugrad.diag_embed(values)
    rows = square.new_zeros(*values.shape[:-1], n - square.shape[-2], square.shape[-1])
    square = plugrad.cat([square, rows], -2)
    columns = square.new_zeros(*values.shape[:-1], n, k - square.shape[-1])
    return plugrad.cat([square, columns], -1)


def orthogonal(
    module: M,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> M:
    """Keep a matrix, or a batch of them, orthogonal: "matrix_exp", "cayley" and
    "householder" are ways from any matrix to such.

    >>> import plugrad
    >>> from plugrad import nn
    >>> layer = nn.utils.parametrizations.orthogonal(nn.Linear(3, 3))
    >>> w = layer.weight
    >>> plugrad.allclose(w @ w.mT, plugrad.eye(3), atol=1e-5)
    True
    """
    weight = weight_of(module, name)
    if weight.ndim < 2:
        raise ValueError(
            "Expected a matrix or batch of matrices. Got a tensor of "
            f"{weight.ndim} dimensions."
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        cheap = square or weight.is_complex()
        orthogonal_map = "matrix_exp" if cheap else "householder"
    if orthogonal_map not in MAPS:
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


# --- Direction and length -------------------------------------------------------------


class _WeightNorm(Module):
    """Makes a weight of its lengths and its direction."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return with_length(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Lengths and direction of a weight."""
        return norm_except(weight, self.dim), weight


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Split a parameter into lengths, one for each slice along `dim` (or a single one
    for None), and direction.

    >>> import plugrad
    >>> from plugrad import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.shape
    plugrad.Size([40, 1])
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def from_old(module: Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
        """Read what the older `weight_norm` saved."""
        for i, end in enumerate("gv"):
            old = f"{prefix}{name}_{end}"
            if old in state:
                state[f"{prefix}parametrizations.{name}.original{i}"] = state.pop(old)

    module.register_load_state_dict_pre_hook(from_old)
    return module


# --- The largest singular value -------------------------------------------------------


class _SpectralNorm(Module):
    """Divides a weight by its largest singular value; in training each call comes
    nearer to that by steps of the power method."""

    def __init__(
        self,
        weight: Tensor,
        n_power_iterations: int = 1,
        dim: int = 0,
        eps: float = 1e-12,
    ) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(
                "Dimension out of range (expected to be in range of "
                f"[-{ndim}, {ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            with no_grad():
                matrix = as_matrix(weight, self.dim)
                h, w = matrix.shape
                u, v = (matrix.new_empty(n).normal_() for n in (h, w))
                self.register_buffer("_u", unit(u, eps))
                self.register_buffer("_v", unit(v, eps))
                self.approach(matrix, 15)

    @no_grad()
    def approach(self, matrix: Tensor, steps: int) -> None:
        """Bring both vectors nearer to those of the largest singular value."""
        for _ in range(steps):
            self._u.copy_(unit(matrix.mv(self._v), self.eps))
            self._v.copy_(unit(matrix.mH.mv(self._u), self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return unit(weight, self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self.approach(matrix, self.n_power_iterations)
        # the graph keeps what the next call does not write into
        u, v = self._u.clone(), self._v.clone()
        return weight / u.vdot(matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        """Any weight will do."""
        return value


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide a parameter by its largest singular value, as a matrix with a row for each
    index of `dim`.

    >>> import plugrad
    >>> from plugrad import nn
    >>> layer = nn.utils.parametrizations.spectral_norm(nn.Linear(20, 40))
    >>> size = plugrad.linalg.svdvals(layer.eval().weight)[0]
    >>> 0.9 < size.item() < 1.2
    True
    """
    weight = weight_of(module, name)
    dim = output_dim(module, dim)
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return register_parametrization(module, name, made)
