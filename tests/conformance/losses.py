"""The losses that are tried; named as layers are."""

from __future__ import annotations

from typing import Any

import plugrad.nn as nn

from .rows import Layer, between, fixed, given, ids, row

SIGNS = given(1, -1, -1, 1)
CLASSES = given(0, 2, 1, 2, dtype="int64")


def loss(name: str, *inputs: Any, **options: Any) -> Layer:
    """A loss of numbers (4, 3), and what else it takes."""
    return row(lambda: getattr(nn, name)(**options), (4, 3), *inputs)


class CTC(nn.Module):
    """CTC's loss of logits."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = nn.CTCLoss()

    def forward(self, x: Any, targets: Any) -> Any:
        return self.loss(x.log_softmax(2), targets, (6, 5), (2, 3))


NEAR = fixed((4, 3))
SHARES = fixed(between(0.05, 0.95, 4, 3))
INSIDE = between(0.05, 0.95, 4, 3)

LOSSES = {
    "L1Loss": loss("L1Loss", NEAR),
    "MSELoss": loss("MSELoss", NEAR),
    "MSELoss-sum": loss("MSELoss", (4, 3), reduction="sum"),
    "MSELoss-none": loss("MSELoss", (4, 3), reduction="none"),
    "SmoothL1Loss": loss("SmoothL1Loss", NEAR, beta=0.7),
    "HuberLoss": loss("HuberLoss", NEAR, delta=0.7),
    "CrossEntropyLoss": loss("CrossEntropyLoss", CLASSES),
    "CrossEntropyLoss-smoothed": loss(
        "CrossEntropyLoss", CLASSES, label_smoothing=0.1, ignore_index=1
    ),
    "CrossEntropyLoss-shares": loss("CrossEntropyLoss", SHARES, reduction="sum"),
    "CrossEntropyLoss-pixels": row(
        lambda: nn.CrossEntropyLoss(), (2, 3, 4), ids(3, 2, 4)
    ),
    "NLLLoss": loss("NLLLoss", CLASSES),
    "NLLLoss-none": loss("NLLLoss", CLASSES, reduction="none", ignore_index=2),
    "NLLLoss2d": row(lambda: nn.NLLLoss2d(), (1, 3, 2, 2), ids(3, 1, 2, 2)),
    "BCELoss": row(lambda: nn.BCELoss(), INSIDE, SHARES),
    "BCEWithLogitsLoss": loss("BCEWithLogitsLoss", SHARES),
    "KLDivLoss": loss("KLDivLoss", SHARES, reduction="batchmean"),
    "KLDivLoss-log": loss("KLDivLoss", NEAR, log_target=True, reduction="sum"),
    "PoissonNLLLoss": loss("PoissonNLLLoss", SHARES, full=True),
    "GaussianNLLLoss": row(lambda: nn.GaussianNLLLoss(), (4, 3), NEAR, INSIDE),
    "HingeEmbeddingLoss": row(lambda: nn.HingeEmbeddingLoss(), (4,), SIGNS),
    "SoftMarginLoss": row(lambda: nn.SoftMarginLoss(), (4,), SIGNS),
    "MarginRankingLoss": row(
        lambda: nn.MarginRankingLoss(margin=0.3), (4,), (4,), SIGNS
    ),
    "CosineEmbeddingLoss": row(lambda: nn.CosineEmbeddingLoss(), (4, 3), (4, 3), SIGNS),
    "MultiMarginLoss": loss("MultiMarginLoss", CLASSES),
    "MultiLabelMarginLoss": row(
        lambda: nn.MultiLabelMarginLoss(), (4,), given(3, 0, -1, 1, dtype="int64")
    ),
    "MultiLabelSoftMarginLoss": loss("MultiLabelSoftMarginLoss", SHARES),
    "TripletMarginLoss": row(
        lambda: nn.TripletMarginLoss(swap=True), (4, 3), (4, 3), (4, 3)
    ),
    "TripletMarginWithDistanceLoss": row(
        lambda: nn.TripletMarginWithDistanceLoss(), (4, 3), (4, 3), (4, 3)
    ),
    "CTCLoss": row(
        lambda: CTC(), (6, 2, 4), lambda make: make.integers(2, 3, low=1, high=4)
    ),
    "AdaptiveLogSoftmaxWithLoss": row(
        lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2, 4], div_value=2.0),
        (5, 4),
        ids(6, 5),
    ),
}
