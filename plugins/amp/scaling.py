"""`GradScaler`: scale a loss, so that small gradients do not become zero in 16 bits.

- `scale` multiplies a loss, `unscale_` divides the gradients again, `step` leaves a
  step out if one of them is not finite, `update` chooses the next scale: less after a
  step that was left out, more after many that were not.
- For "cuda" where there is no GPU it is disabled, as PyTorch's: everything passes.
"""

from __future__ import annotations

import warnings
from typing import Any

import plugrad
from plugrad import Tensor
from plugrad.optim import Optimizer

__all__ = ["GradScaler"]


class GradScaler:
    """Scale losses, and leave out steps whose gradients are not finite.

    >>> import plugrad
    >>> w = plugrad.tensor([1.0], requires_grad=True)
    >>> optimizer = plugrad.optim.SGD([w], lr=0.5)
    >>> scaler = plugrad.amp.GradScaler("cpu", init_scale=1024.0)
    >>> scaler.scale((w * 2).sum()).backward()
    >>> w.grad
    tensor([2048.])
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> w
    tensor([0.], requires_grad=True)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and device == "cuda" and not plugrad.cuda.is_available():
            warnings.warn(
                "GradScaler is disabled: it was made for CUDA, which is not available",
                stacklevel=2 if type(self) is GradScaler else 3,
            )
            enabled = False
        if enabled and growth_factor <= 1.0:
            raise ValueError(f"growth_factor must be more than 1, not {growth_factor}")
        if enabled and backoff_factor >= 1.0:
            raise ValueError(
                f"backoff_factor must be less than 1, not {backoff_factor}"
            )
        self.device = device
        self.enabled = enabled
        self.value = float(init_scale)
        self.growth_factor = growth_factor
        self.backoff_factor = backoff_factor
        self.growth_interval = growth_interval
        self.growth_tracker = 0
        self.found: dict[int, bool] = {}  # optimizers that were unscaled: not finite?
        self.stepped: set[int] = set()

    def scale(self, outputs: Any) -> Any:
        """Losses times the scale; tensors, or lists and tuples of them."""
        if not self.enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self.value
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(self.scale(each) for each in outputs)
        kind = type(outputs).__name__
        raise ValueError(f"scale: expected tensors, or lists of them, not {kind}")

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divide the gradients of an optimizer's parameters by the scale, where they
        are; `step` does it, unless something has to see them before."""
        if not self.enabled:
            return
        if id(optimizer) in self.stepped:
            raise RuntimeError("unscale_() is being called after step().")
        if id(optimizer) in self.found:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last "
                "update()."
            )
        grads = [
            p.grad
            for group in optimizer.param_groups
            for p in group["params"]
            if p.grad is not None
        ]
        if any(grad.dtype is plugrad.float16 for grad in grads):
            raise ValueError("Attempting to unscale FP16 gradients.")
        finite = True
        with plugrad.no_grad():
            for grad in grads:
                finite = finite and bool(grad.isfinite().all())
                grad.mul_(1 / self.value)
        self.found[id(optimizer)] = not finite

    def step(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        """`optimizer.step(...)`, unless a gradient is not finite."""
        if not self.enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError(
                "Closure use is not currently supported if GradScaler is enabled."
            )
        if id(optimizer) in self.stepped:
            raise RuntimeError(
                "step() has already been called since the last update()."
            )
        if id(optimizer) not in self.found:
            self.unscale_(optimizer)
        self.stepped.add(id(optimizer))
        if self.found[id(optimizer)]:
            return None
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Choose the scale of the next loss, or take the one that is given."""
        if not self.enabled:
            return
        if new_scale is not None:
            self.value = float(new_scale)
        elif not self.found:
            raise RuntimeError("No inf checks were recorded prior to update.")
        elif any(self.found.values()):
            self.value *= self.backoff_factor
            self.growth_tracker = 0
        else:
            self.growth_tracker += 1
            if self.growth_tracker == self.growth_interval:
                self.value *= self.growth_factor
                self.growth_tracker = 0
        self.found.clear()
        self.stepped.clear()

    def get_scale(self) -> float:
        """The scale; 1 if disabled."""
        return self.value if self.enabled else 1.0

    def is_enabled(self) -> bool:
        """Whether losses are scaled."""
        return self.enabled

    def get_growth_factor(self) -> float:
        """What the scale is multiplied by after many good steps."""
        return self.growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Change the growth factor."""
        self.growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale is multiplied by after a step that was left out."""
        return self.backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Change the backoff factor."""
        self.backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many good steps are many."""
        return self.growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Change the growth interval."""
        self.growth_interval = new_interval

    def state_dict(self) -> dict[str, Any]:
        """What a later run needs to go on; empty if disabled."""
        if not self.enabled:
            return {}
        return {
            "scale": self.value,
            "growth_factor": self.growth_factor,
            "backoff_factor": self.backoff_factor,
            "growth_interval": self.growth_interval,
            "_growth_tracker": self.growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        if not self.enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a "
                "disabled instance of GradScaler."
            )
        self.value = state_dict["scale"]
        self.growth_factor = state_dict["growth_factor"]
        self.backoff_factor = state_dict["backoff_factor"]
        self.growth_interval = state_dict["growth_interval"]
        self.growth_tracker = state_dict["_growth_tracker"]
