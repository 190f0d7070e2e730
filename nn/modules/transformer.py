"""Transformers: layers of attention, stacks of layers, and both stacks together."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import plugrad
from plugrad import Tensor

from .. import functional as F
from .. import init
from ..functional.attention import added
from .attention import MultiheadAttention
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

Activation = str | Callable[[Tensor], Tensor]


def activation_of(given: Activation) -> Callable[[Tensor], Tensor]:
    """The function of a name, or the one that was given."""
    if not isinstance(given, str):
        return given
    if given not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {given}")
    return getattr(F, given)


def copies(layer: Module, count: int) -> ModuleList:
    """Copies of a layer, each with parameters of its own."""
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


def subsequent_mask(size: int, device: Any = None, dtype: Any = None) -> Tensor:
    """What lets each place see itself and those before: -inf above the diagonal."""
    mask = plugrad.full((size, size), -float("inf"), device=device, dtype=dtype)
    return mask.triu(1)


def is_causal_mask(mask: Tensor | None, is_causal: bool | None, size: int) -> bool:
    """Whether the mask hides what comes later: as said, or as it looks."""
    if is_causal is not None or mask is None:
        return is_causal is True
    if tuple(mask.shape) != (size, size):
        return False
    causal = subsequent_mask(size, mask.device, mask.dtype).to(backend=mask.backend)
    return bool((mask == causal).all())


def steps_of(x: Tensor, batch_first: bool) -> int:
    """The length of the sequences."""
    return x.shape[1 if x.ndim == 3 and batch_first else 0]


# --- Layers ---------------------------------------------------------------------------


class Layer(Module):
    """What layers of encoders and decoders share: attention of a sequence to itself,
    and two linear layers with an activation between."""

    linear1: Linear
    linear2: Linear

    def _start(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float,
        activation: Activation,
        norm: dict[str, Any],
        batch_first: bool,
        norm_first: bool,
        attentions: tuple[str, ...],
    ) -> None:
        """Make the parts, in the order in which they are printed."""
        made = {key: norm[key] for key in ("bias", "device", "dtype")}
        for name in attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout=dropout, batch_first=batch_first, **made
            )
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        count = len(attentions) + 1
        for i in range(count):
            setattr(self, f"norm{i + 1}", LayerNorm(d_model, **norm))
        for i in range(count):
            setattr(self, f"dropout{i + 1}", Dropout(dropout))
        self.activation = activation_of(activation)

    def _attend(
        self, which: str, x: Tensor, to: Tensor, mask: Any, padding: Any, causal: bool
    ) -> Tensor:
        """What one attention gives."""
        y, _ = self._modules[which](  # type: ignore[misc]
            x,
            to,
            to,
            attn_mask=mask,
            key_padding_mask=padding,
            need_weights=False,
            is_causal=causal,
        )
        return y

    def _sa_block(
        self, x: Tensor, attn_mask: Any, key_padding_mask: Any, is_causal: bool = False
    ) -> Tensor:
        """Attention of the sequence to itself."""
        y = self._attend("self_attn", x, x, attn_mask, key_padding_mask, is_causal)
        return self.dropout1(y)

    def _ff(self, x: Tensor) -> Tensor:
        """The linear layers."""
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(Layer):
    """Attention of a sequence to itself, then two linear layers at each place; what
    goes in is added to what comes out of either, and normed after that (`norm_first`:
    before).

    >>> import plugrad
    >>> layer = plugrad.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> layer(plugrad.zeros(3, 5, 8)).shape
    plugrad.Size([3, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        norm = {"eps": layer_norm_eps, "bias": bias, "device": device, "dtype": dtype}
        sizes = d_model, nhead, dim_feedforward, dropout, activation
        self._start(*sizes, norm, batch_first, norm_first, ("self_attn",))

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        mask, padding = both_added(src, src_mask, src_key_padding_mask, "src_")
        if self.norm_first:
            x = src + self._sa_block(self.norm1(src), mask, padding, is_causal)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(src + self._sa_block(src, mask, padding, is_causal))
        return self.norm2(x + self._ff_block(x))

    def _ff_block(self, x: Tensor) -> Tensor:
        """The linear layers, and dropout."""
        return self.dropout2(self._ff(x))


class TransformerDecoderLayer(Layer):
    """Attention of a sequence to itself, then to the encoder's results (`memory`), then
    two linear layers at each place.

    >>> import plugrad
    >>> layer = plugrad.nn.TransformerDecoderLayer(8, 2, 16)
    >>> layer(plugrad.zeros(5, 3, 8), plugrad.zeros(7, 3, 8)).shape
    plugrad.Size([5, 3, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        norm = {"eps": layer_norm_eps, "bias": bias, "device": device, "dtype": dtype}
        sizes = d_model, nhead, dim_feedforward, dropout, activation
        names = ("self_attn", "multihead_attn")
        self._start(*sizes, norm, batch_first, norm_first, names)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        own = tgt_mask, tgt_key_padding_mask, tgt_is_causal
        other = memory, memory_mask, memory_key_padding_mask, memory_is_causal
        if self.norm_first:
            x = tgt + self._sa_block(self.norm1(tgt), *own)
            x = x + self._mha_block(self.norm2(x), *other)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(tgt + self._sa_block(tgt, *own))
        x = self.norm2(x + self._mha_block(x, *other))
        return self.norm3(x + self._ff_block(x))

    def _mha_block(
        self,
        x: Tensor,
        mem: Tensor,
        attn_mask: Any,
        key_padding_mask: Any,
        is_causal: bool = False,
    ) -> Tensor:
        """Attention to the encoder's results."""
        masks = attn_mask, key_padding_mask, is_causal
        return self.dropout2(self._attend("multihead_attn", x, mem, *masks))

    def _ff_block(self, x: Tensor) -> Tensor:
        """The linear layers, and dropout."""
        return self.dropout3(self._ff(x))


def both_added(x: Tensor, mask: Any, padding: Any, before: str) -> tuple[Any, Any]:
    """Two masks of which booleans have become numbers."""
    other = None if mask is None else mask.dtype
    name, other_name = f"{before or 'src_'}key_padding_mask", f"{before}mask"
    padding = added(padding, name, x.dtype, other, other_name)
    return added(mask, other_name, x.dtype), padding


# --- Stacks ---------------------------------------------------------------------------


class TransformerEncoder(Module):
    """Copies of a TransformerEncoderLayer, one after the other.

    `enable_nested_tensor` and `mask_check` are taken and have no effect: padded places
    are computed, as in PyTorch without its nested tensors.

    >>> import plugrad
    >>> layer = plugrad.nn.TransformerEncoderLayer(8, 2, 16)
    >>> encoder = plugrad.nn.TransformerEncoder(layer, 2)
    >>> encoder(plugrad.zeros(5, 3, 8)).shape
    plugrad.Size([5, 3, 8])
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = False
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        mask, padding = both_added(src, mask, src_key_padding_mask, "")
        size = steps_of(src, self.layers[0].self_attn.batch_first)
        is_causal = is_causal_mask(mask, is_causal, size)
        x = src
        for layer in self.layers:
            x = layer(
                x,
                src_mask=mask,
                is_causal=is_causal,
                src_key_padding_mask=padding,
            )
        return x if self.norm is None else self.norm(x)


class TransformerDecoder(Module):
    """Copies of a TransformerDecoderLayer, one after the other.

    >>> import plugrad
    >>> layer = plugrad.nn.TransformerDecoderLayer(8, 2, 16)
    >>> decoder = plugrad.nn.TransformerDecoder(layer, 2)
    >>> decoder(plugrad.zeros(5, 3, 8), plugrad.zeros(7, 3, 8)).shape
    plugrad.Size([5, 3, 8])
    """

    def __init__(
        self, decoder_layer: Module, num_layers: int, norm: Module | None = None
    ) -> None:
        super().__init__()
        self.layers = copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        size = steps_of(tgt, self.layers[0].self_attn.batch_first)
        causal = is_causal_mask(tgt_mask, tgt_is_causal, size)
        x = tgt
        for layer in self.layers:
            x = layer(
                x,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """An encoder of one sequence and a decoder of another, which attends to it.

    >>> import plugrad
    >>> model = plugrad.nn.Transformer(8, 2, 1, 1, 16)
    >>> src, tgt = plugrad.zeros(7, 3, 8), plugrad.zeros(5, 3, 8)
    >>> mask = model.generate_square_subsequent_mask(5)
    >>> model(src, tgt, tgt_mask=mask).shape
    plugrad.Size([5, 3, 8])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made = {"bias": bias, "device": device, "dtype": dtype}
        layer = (
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
        )
        if custom_encoder is None:
            custom_encoder = TransformerEncoder(
                TransformerEncoderLayer(*layer, **made),
                num_encoder_layers,
                LayerNorm(d_model, eps=layer_norm_eps, **made),
            )
        self.encoder = custom_encoder
        if custom_decoder is None:
            custom_decoder = TransformerDecoder(
                TransformerDecoderLayer(*layer, **made),
                num_decoder_layers,
                LayerNorm(d_model, eps=layer_norm_eps, **made),
            )
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[batch] != tgt.shape[batch]:
            raise RuntimeError(
                "the batch number of src and tgt must be equal, but their shapes are "
                f"{list(src.shape)} and {list(tgt.shape)}"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError(
                "the feature number of src and tgt must be equal to d_model, "
                f"{self.d_model}, but is {src.shape[-1]} and {tgt.shape[-1]}"
            )
        memory = self.encoder(
            src,
            mask=src_mask,
            src_key_padding_mask=src_key_padding_mask,
            is_causal=src_is_causal,
        )
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: Any = None, dtype: Any = None
    ) -> Tensor:
        """A mask that lets each place see itself and those before it."""
        return subsequent_mask(sz, device, dtype)

    def _reset_parameters(self) -> None:
        """Draw all weights anew."""
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)
