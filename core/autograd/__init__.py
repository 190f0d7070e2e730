"""Gradients: `backward`, `grad`, and what people build on them."""

from __future__ import annotations

from ..modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .backward import backward, grad

# 0.3 ms; loaded later, the module of this name would take the function's place.
from .gradcheck import GradcheckError, gradcheck, gradgradcheck

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .anomaly_mode import (
        check_saved_tensors,
        detect_anomaly,
        is_anomaly_check_nan_enabled,
        is_anomaly_enabled,
        set_detect_anomaly,
    )
    from .function import Function
    from .variable import Variable

# The rest is loaded when it is asked for: name -> the module here that has it.
LATER = {
    "Function": "function",
    "Variable": "variable",
    "check_saved_tensors": "anomaly_mode",
    "detect_anomaly": "anomaly_mode",
    "is_anomaly_check_nan_enabled": "anomaly_mode",
    "is_anomaly_enabled": "anomaly_mode",
    "set_detect_anomaly": "anomaly_mode",
}
MODULES = ("anomaly_mode", "function", "functional", "grad_mode", "graph")

__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "backward",
    "check_saved_tensors",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in MODULES:
        return import_module("." + name, __name__)
    if name in LATER:
        found = getattr(import_module("." + LATER[name], __name__), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
