"""The layers that are tried.

A row's name is the layer's class, and after a dash which of its options it has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plugrad.nn as nn

from .losses import LOSSES
from .rows import Layer, between, given, ids, mask, row

LATER = [[False, True, True], [False, False, True], [False, False, False]]

# --- Products, embeddings, shapes ----------------------------------------------------

PRODUCTS = {
    "Linear": row(lambda: nn.Linear(4, 3), (5, 4)),
    "Linear-no_bias": row(lambda: nn.Linear(4, 3, bias=False), (2, 5, 4)),
    "Linear-one": row(lambda: nn.Linear(4, 3), (4,)),
    "Linear-empty": row(lambda: nn.Linear(4, 3), (0, 4)),
    "Bilinear": row(lambda: nn.Bilinear(3, 2, 4), (5, 3), (5, 2)),
    "LazyLinear": row(lambda: nn.LazyLinear(3), (5, 4)),
    "Embedding": row(lambda: nn.Embedding(7, 3), ids(7, 2, 5)),
    "Embedding-padding": row(lambda: nn.Embedding(7, 3, padding_idx=2), ids(7, 8)),
    "Embedding-max_norm": row(lambda: nn.Embedding(7, 3, max_norm=1.0), ids(7, 4)),
    "Embedding-by_frequency": row(
        lambda: nn.Embedding(5, 3, scale_grad_by_freq=True), ids(5, 8)
    ),
    "EmbeddingBag": row(lambda: nn.EmbeddingBag(7, 3), ids(7, 2, 5)),
    "EmbeddingBag-sum": row(
        lambda: nn.EmbeddingBag(7, 3, mode="sum"),
        ids(7, 6),
        given(0, 2, 5, dtype="int64"),
    ),
    "EmbeddingBag-max": row(lambda: nn.EmbeddingBag(7, 3, mode="max"), ids(7, 2, 5)),
    "CosineSimilarity": row(lambda: nn.CosineSimilarity(dim=1), (4, 3), (4, 3)),
    "PairwiseDistance": row(lambda: nn.PairwiseDistance(), (4, 3), (4, 3)),
    "Flatten": row(lambda: nn.Flatten(), (2, 3, 4)),
    "Unflatten": row(lambda: nn.Unflatten(1, (2, 3)), (2, 6)),
    "Identity": row(lambda: nn.Identity(), (2, 3)),
    "Sequential": row(
        lambda: nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)), (3, 4)
    ),
}

# --- Convolutions, and what goes with them -------------------------------------------

CONVOLUTIONS = {
    "Conv1d": row(lambda: nn.Conv1d(2, 4, 3), (2, 2, 8)),
    "Conv1d-dilated": row(lambda: nn.Conv1d(2, 4, 3, dilation=2), (2, 2, 9)),
    "Conv1d-same": row(lambda: nn.Conv1d(2, 4, 3, padding="same"), (2, 2, 8)),
    "Conv2d": row(lambda: nn.Conv2d(2, 3, 3), (2, 2, 6, 7)),
    "Conv2d-strided": row(lambda: nn.Conv2d(2, 3, 3, stride=2), (2, 2, 7, 8)),
    "Conv2d-padded": row(lambda: nn.Conv2d(2, 3, 3, padding=(1, 2)), (2, 2, 5, 5)),
    "Conv2d-dilated": row(lambda: nn.Conv2d(2, 3, 2, dilation=2), (2, 2, 6, 6)),
    "Conv2d-grouped": row(lambda: nn.Conv2d(4, 6, 3, groups=2), (2, 4, 5, 6)),
    "Conv2d-depthwise": row(lambda: nn.Conv2d(3, 3, 3, groups=3), (2, 3, 5, 6)),
    "Conv2d-no_bias": row(lambda: nn.Conv2d(2, 3, 3, bias=False), (1, 2, 5, 5)),
    "Conv2d-one_by_one": row(lambda: nn.Conv2d(3, 4, 1), (2, 3, 4, 4)),
    "Conv2d-reflect": row(
        lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"), (1, 2, 5, 5)
    ),
    "Conv2d-circular": row(
        lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), (1, 2, 5, 5)
    ),
    "Conv2d-unbatched": row(lambda: nn.Conv2d(2, 3, 3), (2, 5, 6)),
    "Conv2d-empty": row(lambda: nn.Conv2d(2, 3, 3), (0, 2, 5, 6)),
    "Conv3d": row(lambda: nn.Conv3d(2, 3, 2), (1, 2, 4, 4, 3)),
    "ConvTranspose1d": row(lambda: nn.ConvTranspose1d(2, 3, 3, stride=2), (2, 2, 5)),
    "ConvTranspose2d": row(lambda: nn.ConvTranspose2d(2, 3, 3), (2, 2, 4, 5)),
    "ConvTranspose2d-strided": row(
        lambda: nn.ConvTranspose2d(2, 3, 3, 2, 1, output_padding=1), (1, 2, 4, 4)
    ),
    "ConvTranspose2d-grouped": row(
        lambda: nn.ConvTranspose2d(4, 2, 3, groups=2, dilation=2), (1, 4, 4, 4)
    ),
    "ConvTranspose3d": row(lambda: nn.ConvTranspose3d(2, 3, 2), (1, 2, 3, 3, 3)),
    "LazyConv1d": row(lambda: nn.LazyConv1d(3, 3), (2, 2, 6)),
    "LazyConv2d": row(lambda: nn.LazyConv2d(3, 3), (2, 2, 5, 5)),
    "LazyConv3d": row(lambda: nn.LazyConv3d(3, 2), (1, 2, 3, 3, 3)),
    "LazyConvTranspose1d": row(lambda: nn.LazyConvTranspose1d(3, 3), (2, 2, 6)),
    "LazyConvTranspose2d": row(lambda: nn.LazyConvTranspose2d(3, 3), (1, 2, 4, 4)),
    "LazyConvTranspose3d": row(lambda: nn.LazyConvTranspose3d(3, 2), (1, 2, 3, 3, 3)),
    "Fold": row(lambda: nn.Fold((4, 5), 2), (2, 8, 12)),
    "Unfold": row(lambda: nn.Unfold(2, stride=2, padding=1), (2, 3, 4, 5)),
    "PixelShuffle": row(lambda: nn.PixelShuffle(2), (2, 8, 3, 3)),
    "PixelUnshuffle": row(lambda: nn.PixelUnshuffle(2), (2, 2, 4, 6)),
    "ChannelShuffle": row(lambda: nn.ChannelShuffle(2), (2, 4, 3, 3)),
    "Upsample-nearest": row(lambda: nn.Upsample(scale_factor=2), (1, 2, 3, 4)),
    "Upsample-linear": row(lambda: nn.Upsample(7, mode="linear"), (2, 2, 4)),
    "Upsample-bicubic": row(lambda: nn.Upsample((5, 6), mode="bicubic"), (1, 2, 3, 4)),
    "Upsample-trilinear": row(
        lambda: nn.Upsample((3, 4, 5), mode="trilinear"), (1, 2, 2, 3, 3)
    ),
    "UpsamplingBilinear2d": row(
        lambda: nn.UpsamplingBilinear2d(scale_factor=2), (1, 2, 3, 4)
    ),
    "UpsamplingNearest2d": row(
        lambda: nn.UpsamplingNearest2d(scale_factor=2), (1, 2, 3, 4)
    ),
}

# --- Pooling -------------------------------------------------------------------------


def unpooled(d: int) -> Callable[[], Any]:
    """Pooling and its reverse, of d dimensions."""
    pool, unpool = (getattr(nn, f"Max{each}{d}d") for each in ("Pool", "Unpool"))

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool, self.unpool = pool(2, return_indices=True), unpool(2)

        def forward(self, x: Any) -> Any:
            return self.unpool(*self.pool(x))

    return Both


POOLING = {
    "MaxPool1d": row(lambda: nn.MaxPool1d(2), (2, 2, 7)),
    "MaxPool2d": row(lambda: nn.MaxPool2d(2), (2, 2, 6, 7)),
    "MaxPool2d-overlapping": row(lambda: nn.MaxPool2d(3, 2, padding=1), (2, 2, 6, 7)),
    "MaxPool2d-indices": row(
        lambda: nn.MaxPool2d(2, return_indices=True, ceil_mode=True), (1, 2, 5, 5)
    ),
    "MaxPool2d-dilated": row(lambda: nn.MaxPool2d(2, 1, dilation=2), (1, 2, 5, 5)),
    "MaxPool3d": row(lambda: nn.MaxPool3d(2), (1, 2, 4, 4, 4)),
    "MaxUnpool1d": row(lambda: unpooled(1)(), (2, 2, 6)),
    "MaxUnpool2d": row(lambda: unpooled(2)(), (2, 2, 4, 6)),
    "MaxUnpool3d": row(lambda: unpooled(3)(), (1, 2, 4, 4, 4)),
    "AvgPool1d": row(lambda: nn.AvgPool1d(2), (2, 2, 7)),
    "AvgPool2d": row(lambda: nn.AvgPool2d(3, 2, padding=1), (2, 2, 6, 7)),
    "AvgPool2d-inside": row(
        lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), (2, 2, 6, 7)
    ),
    "AvgPool3d": row(lambda: nn.AvgPool3d(2), (1, 2, 4, 4, 4)),
    "LPPool1d": row(lambda: nn.LPPool1d(2, 2), between(0.1, 2, 2, 2, 6)),
    "LPPool2d": row(lambda: nn.LPPool2d(2, 2), between(0.1, 2, 2, 2, 4, 4)),
    "LPPool3d": row(lambda: nn.LPPool3d(2, 2), between(0.1, 2, 1, 2, 4, 4, 4)),
    "AdaptiveAvgPool1d": row(lambda: nn.AdaptiveAvgPool1d(3), (2, 2, 7)),
    "AdaptiveAvgPool2d": row(lambda: nn.AdaptiveAvgPool2d((3, 2)), (2, 2, 7, 5)),
    "AdaptiveAvgPool3d": row(lambda: nn.AdaptiveAvgPool3d(2), (1, 2, 3, 4, 5)),
    "AdaptiveMaxPool1d": row(lambda: nn.AdaptiveMaxPool1d(3), (2, 2, 7)),
    "AdaptiveMaxPool2d": row(lambda: nn.AdaptiveMaxPool2d((3, 2)), (2, 2, 7, 5)),
    "AdaptiveMaxPool3d": row(lambda: nn.AdaptiveMaxPool3d(2), (1, 2, 3, 4, 5)),
    "FractionalMaxPool2d": row(
        lambda: nn.FractionalMaxPool2d(2, output_size=3), (2, 2, 6, 7)
    ),
    "FractionalMaxPool3d": row(
        lambda: nn.FractionalMaxPool3d(2, output_size=2), (1, 2, 4, 4, 5)
    ),
}

# --- Padding -------------------------------------------------------------------------

SHAPES = {1: (2, 2, 5), 2: (1, 2, 4, 5), 3: (1, 2, 3, 4, 3)}


def padding(kind: str, d: int) -> Layer:
    """One layer of padding, with other widths at the two ends."""
    widths = [(1, 2), (1, 2, 2, 1), (1, 2, 2, 1, 0, 1)][d - 1]
    args = (widths, 0.5) if kind == "Constant" else (widths,)
    return row(lambda: getattr(nn, f"{kind}Pad{d}d")(*args), SHAPES[d])


PADDING = {
    f"{kind}Pad{d}d": padding(kind, d)
    for kind in ("Constant", "Zero", "Reflection", "Replication", "Circular")
    for d in (1, 2, 3)
}

# --- Norms and dropout ---------------------------------------------------------------


def norm(name: str, d: int, **options: Any) -> Layer:
    """A norm of two channels over d dimensions."""
    args = () if name.startswith("Lazy") else (2,)
    shape = (3, 2, *(4, 3, 2)[:d])
    return row(lambda: getattr(nn, f"{name}{d}d")(*args, **options), shape)


NORMS = {
    **{f"BatchNorm{d}d": norm("BatchNorm", d) for d in (1, 2, 3)},
    **{f"LazyBatchNorm{d}d": norm("LazyBatchNorm", d) for d in (1, 2, 3)},
    **{f"InstanceNorm{d}d": norm("InstanceNorm", d) for d in (1, 2, 3)},
    **{f"LazyInstanceNorm{d}d": norm("LazyInstanceNorm", d) for d in (1, 2, 3)},
    "BatchNorm2d-plain": norm(
        "BatchNorm", 2, affine=False, track_running_stats=False, eps=0.1
    ),
    "BatchNorm2d-cumulative": norm("BatchNorm", 2, momentum=None),
    "InstanceNorm2d-affine": norm(
        "InstanceNorm", 2, affine=True, track_running_stats=True
    ),
    "SyncBatchNorm": row(lambda: nn.SyncBatchNorm(2), (3, 2, 4, 4)),
    "LayerNorm": row(lambda: nn.LayerNorm(4), (2, 3, 4)),
    "LayerNorm-two": row(lambda: nn.LayerNorm((3, 4), eps=0.1), (2, 3, 4)),
    "LayerNorm-plain": row(
        lambda: nn.LayerNorm(4, elementwise_affine=False), (2, 3, 4)
    ),
    "RMSNorm": row(lambda: nn.RMSNorm(4), (2, 3, 4)),
    "GroupNorm": row(lambda: nn.GroupNorm(2, 4), (2, 4, 3, 3)),
    "GroupNorm-plain": row(lambda: nn.GroupNorm(2, 4, affine=False), (2, 4, 3)),
    "LocalResponseNorm": row(lambda: nn.LocalResponseNorm(2), (2, 4, 3, 3)),
    "CrossMapLRN2d": row(lambda: nn.CrossMapLRN2d(3), (2, 4, 3, 3)),
    "Dropout": row(lambda: nn.Dropout(0.3), (6, 7)),
    "Dropout-all": row(lambda: nn.Dropout(1.0), (2, 3)),
    "Dropout1d": row(lambda: nn.Dropout1d(0.4), (4, 5, 2)),
    "Dropout2d": row(lambda: nn.Dropout2d(0.4), (4, 5, 2, 2)),
    "Dropout3d": row(lambda: nn.Dropout3d(0.4), (4, 5, 2, 2, 2)),
    "AlphaDropout": row(lambda: nn.AlphaDropout(0.3), (6, 7)),
    "FeatureAlphaDropout": row(lambda: nn.FeatureAlphaDropout(0.4), (4, 5, 2)),
}

# --- Activations ---------------------------------------------------------------------


def plain(name: str, *args: Any, **options: Any) -> Layer:
    """A layer of one argument, on numbers of both signs."""
    return row(lambda: getattr(nn, name)(*args, **options), between(-4, 4, 3, 4))


ACTIVATIONS = {
    name: plain(name)
    for name in (
        "CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU"
        " LogSigmoid Mish PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softplus Softshrink"
        " Softsign Tanh Tanhshrink"
    ).split()
} | {
    "CELU-alpha": plain("CELU", alpha=2.0),
    "ELU-inplace": row(
        lambda: nn.Sequential(nn.Linear(4, 3), nn.ELU(0.5, inplace=True)), (3, 4)
    ),
    "GELU-tanh": plain("GELU", approximate="tanh"),
    "GLU-dim": plain("GLU", dim=1),
    "PReLU-channels": plain("PReLU", 4),
    "ReLU-inplace": row(
        lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU(inplace=True)), (3, 4)
    ),
    "ReLU-empty": row(lambda: nn.ReLU(), (0, 3)),
    "Softplus-beta": plain("Softplus", beta=3.0, threshold=2.0),
    "Threshold": plain("Threshold", 0.1, 20.0),
    "Softmax": plain("Softmax", dim=1),
    "Softmax-first": plain("Softmax", dim=0),
    "Softmin": plain("Softmin", dim=1),
    "LogSoftmax": plain("LogSoftmax", dim=-1),
    "Softmax2d": row(lambda: nn.Softmax2d(), (2, 3, 2, 2)),
}

# --- Recurrent layers, attention -----------------------------------------------------

SEQUENCES = {
    "RNN": row(lambda: nn.RNN(3, 4), (5, 2, 3)),
    "RNN-relu": row(lambda: nn.RNN(3, 4, nonlinearity="relu"), (3, 2, 3)),
    "LSTM": row(lambda: nn.LSTM(3, 4), (5, 2, 3)),
    "LSTM-deep": row(
        lambda: nn.LSTM(3, 4, 2, batch_first=True, dropout=0.3), (2, 3, 3)
    ),
    "LSTM-both_ways": row(lambda: nn.LSTM(3, 2, bidirectional=True), (3, 2, 3)),
    "LSTM-projected": row(lambda: nn.LSTM(3, 4, proj_size=2, bias=False), (3, 2, 3)),
    "GRU": row(lambda: nn.GRU(3, 4), (5, 2, 3), (1, 2, 4)),
    "GRU-both_ways": row(lambda: nn.GRU(3, 2, 2, bidirectional=True), (3, 2, 3)),
    "RNNCell": row(lambda: nn.RNNCell(3, 4), (2, 3), (2, 4)),
    "LSTMCell": row(lambda: nn.LSTMCell(3, 4), (2, 3)),
    "GRUCell": row(lambda: nn.GRUCell(3, 4), (2, 3), (2, 4)),
    "MultiheadAttention": row(
        lambda: nn.MultiheadAttention(4, 2), (3, 2, 4), (5, 2, 4), (5, 2, 4)
    ),
    "MultiheadAttention-batch_first": row(
        lambda: nn.MultiheadAttention(4, 2, batch_first=True, dropout=0.2),
        (2, 3, 4),
        (2, 5, 4),
        (2, 5, 4),
    ),
    "MultiheadAttention-other_sizes": row(
        lambda: nn.MultiheadAttention(4, 2, kdim=3, vdim=2, add_bias_kv=True),
        (3, 2, 4),
        (5, 2, 3),
        (5, 2, 2),
    ),
    "TransformerEncoderLayer": row(
        lambda: nn.TransformerEncoderLayer(4, 2, 6), (3, 2, 4), mask(LATER)
    ),
    "TransformerEncoderLayer-norm_first": row(
        lambda: nn.TransformerEncoderLayer(
            4, 2, 6, activation="gelu", batch_first=True, norm_first=True
        ),
        (2, 3, 4),
    ),
    "TransformerDecoderLayer": row(
        lambda: nn.TransformerDecoderLayer(4, 2, 6), (3, 2, 4), (5, 2, 4)
    ),
    "TransformerEncoder": row(
        lambda: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(4, 2, 6), 2, enable_nested_tensor=False
        ),
        (3, 2, 4),
    ),
    "TransformerDecoder": row(
        lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 6), 2),
        (3, 2, 4),
        (2, 2, 4),
    ),
    "Transformer": row(
        lambda: nn.Transformer(4, 2, 1, 1, 6, batch_first=True), (2, 3, 4), (2, 2, 4)
    ),
}

LAYERS = {
    **PRODUCTS,
    **CONVOLUTIONS,
    **POOLING,
    **PADDING,
    **NORMS,
    **ACTIVATIONS,
    **SEQUENCES,
    **LOSSES,
}
