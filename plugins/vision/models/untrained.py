"""What stands for others' trained weights, of which there are none here."""

from __future__ import annotations

from enum import Enum
from typing import Any

__all__: list[str] = []


class Weights(Enum):
    """The names of torchvision's weights, for programs that mention them. Asking a
    network for one is an error that says where they come from."""

    DEFAULT = "DEFAULT"
    IMAGENET1K_V1 = "IMAGENET1K_V1"
    IMAGENET1K_V2 = "IMAGENET1K_V2"


def refuse_weights(name: str, weights: Any, pretrained: Any) -> None:
    """Raise if trained weights are asked for, and say where they come from."""
    if weights is None and not pretrained:
        return
    raise RuntimeError(
        f"{name}: plugrad has no trained weights. Where torchvision is installed, save "
        f"them by torch.save(torchvision.models.{name}(weights='DEFAULT').state_dict(),"
        f" '{name}.pth'); the names are the same, so that they load by model = {name}()"
        f"; model.load_state_dict(plugrad.load('{name}.pth'))"
    )
