"""Tables of vectors, one for each word of a vocabulary."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad import Parameter, Tensor

from .. import functional as F
from .module import Module

__all__ = ["Embedding", "EmbeddingBag"]


class Table(Module):
    """A layer with a row of numbers for each index."""

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    max_norm: float | None
    norm_type: float
    scale_grad_by_freq: bool
    sparse: bool
    weight: Tensor

    def make_weight(
        self, given: Tensor | None, train: bool, device: Any, dtype: Any
    ) -> None:
        """Take the weight that was given, or draw one."""
        n, dim = self.num_embeddings, self.embedding_dim
        padding = self.padding_idx
        if padding is not None:
            if not -n <= padding < n and padding:
                raise AssertionError(
                    f"padding_idx must be within num_embeddings, but is {padding} with "
                    f"{n} embeddings"
                )
            self.padding_idx = padding + n if padding < 0 else padding
        if given is None:
            empty = plugrad.empty(n, dim, device=device, dtype=dtype)
            self.weight = Parameter(empty, requires_grad=train)
            self.reset_parameters()
            return
        if tuple(given.shape) != (n, dim):
            raise AssertionError(
                f"the weight has shape {list(given.shape)}, not {[n, dim]}: "
                "num_embeddings and embedding_dim"
            )
        self.weight = Parameter(given, requires_grad=train)

    def reset_parameters(self) -> None:
        """Draw the weight anew."""
        with plugrad.no_grad():
            self.weight.normal_()
        self._fill_padding_idx_with_zero()

    def _fill_padding_idx_with_zero(self) -> None:
        if self.padding_idx is not None:
            with plugrad.no_grad():
                self.weight[self.padding_idx].fill_(0)


class Embedding(Table):
    """The rows of a weight that indices name.

    The row `padding_idx` starts as zeros and is not trained; `max_norm`, `norm_type`,
    `scale_grad_by_freq` and `sparse` are those of `plugrad.nn.functional.embedding`.

    >>> import plugrad
    >>> layer = plugrad.nn.Embedding(10, 3)
    >>> layer(plugrad.tensor([[1, 2, 4, 5], [4, 3, 2, 9]])).shape
    plugrad.Size([2, 4, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.make_weight(_weight, not _freeze, device, dtype)
        self.sparse = sparse

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        given = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.padding_idx is not None:
            given.append(f"padding_idx={self.padding_idx}")
        if self.max_norm is not None:
            given.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            given.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq is not False:
            given.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        if self.sparse is not False:
            given.append("sparse=True")
        return ", ".join(given)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """A layer with a weight that is there already; it is trained unless `freeze`.

        >>> import plugrad
        >>> weight = plugrad.tensor([[1.0, 2.5], [4.0, 5.5]])
        >>> layer = plugrad.nn.Embedding.from_pretrained(weight)
        >>> layer(plugrad.tensor([1]))
        tensor([[4.0000, 5.5000]])
        """
        return cls(
            *sizes_of(embeddings),
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )


def sizes_of(embeddings: Tensor) -> tuple[int, int]:
    """The number of rows and their length."""
    if embeddings.ndim != 2:
        raise AssertionError(
            "Embeddings parameter is expected to be 2-dimensional, but has shape "
            f"{list(embeddings.shape)}"
        )
    n, dim = embeddings.shape
    return n, dim


class EmbeddingBag(Table):
    """The sum, mean or maximum of the rows of a weight that each bag of indices names;
    see `plugrad.nn.functional.embedding_bag`.

    >>> import plugrad
    >>> layer = plugrad.nn.EmbeddingBag(10, 3, mode="sum")
    >>> indices = plugrad.tensor([1, 2, 4, 5, 4, 3, 2, 9])
    >>> layer(indices, plugrad.tensor([0, 4])).shape
    plugrad.Size([2, 3])
    """

    mode: str
    include_last_offset: bool

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.padding_idx = padding_idx
        self.make_weight(_weight, True, device, dtype)
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        given = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.max_norm is not None:
            given.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            given.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq is not False:
            given.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        given.append(f"mode={self.mode!r}")
        if self.padding_idx is not None:
            given.append(f"padding_idx={self.padding_idx}")
        return ", ".join(given)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """A layer with a weight that is there already; it is trained unless `freeze`.

        >>> import plugrad
        >>> weight = plugrad.tensor([[1.0, 2.5], [4.0, 5.5]])
        >>> layer = plugrad.nn.EmbeddingBag.from_pretrained(weight)
        >>> layer(plugrad.tensor([[1, 0]]))
        tensor([[2.5000, 4.0000]])
        """
        layer = cls(
            *sizes_of(embeddings),
            _weight=embeddings,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
        layer.weight.requires_grad = not freeze
        return layer
