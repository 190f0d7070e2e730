"""What a module is: parameters, buffers and modules by name, hooks, and state.

The layers stand in `plugrad.nn`; whatever they need of Module is here, in five parts:
`base` (attributes, calls and the printed form), `walk` (parameters and modules of the
whole tree), `moving` (devices and dtypes), `hooks`, and `state` (`state_dict`).
"""

from __future__ import annotations

from .base import Module
from .hooks import (
    register_module_backward_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
)
from .registration import (
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]
