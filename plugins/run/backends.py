"""`torch.backends`: what scripts ask of PyTorch's libraries, and how they set them.

Plugrad computes with none of these libraries. So those that may be missing are not
available; what is set is remembered, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

__path__: list[str] = []  # so that `import torch.backends.cudnn` finds what is here


class Settings(ModuleType):
    """A module of settings; what is not among them cannot be read or set."""

    def __init__(
        self, name: str, absent: tuple[str, ...] = (), **settings: Any
    ) -> None:
        super().__init__(f"torch.backends.{name}")
        for each in absent:
            vars(self)[each] = answer(each)
        vars(self).update(settings)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in vars(self) and not name.startswith("__"):
            raise AttributeError(f"{self.__name__} has no setting {name!r}", name=name)
        vars(self)[name] = value

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self.__name__} has no setting {name!r}", name=name)

    @contextmanager
    def flags(self, *values: Any, **settings: Any) -> Iterator[None]:
        """Set what is given, inside `with`."""
        names = [each for each in vars(self) if is_setting(vars(self)[each], each)]
        settings = {**dict(zip(names, values)), **settings}
        before = {name: getattr(self, name) for name in settings}
        for name, value in settings.items():
            setattr(self, name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                setattr(self, name, value)


def is_setting(value: Any, name: str) -> bool:
    """Whether something in a module is a setting."""
    return not name.startswith("__") and not callable(value)


def answer(name: str) -> Callable[..., Any]:
    """A function that says that a library is not there."""

    def function(*args: Any) -> Any:
        return None if name == "version" else False

    function.__name__ = name
    return function


cudnn = Settings(
    "cudnn",
    ("is_available", "is_acceptable", "version"),
    enabled=True,
    benchmark=False,
    deterministic=False,
    allow_tf32=True,
    benchmark_limit=10,
)
mps = Settings("mps", ("is_available", "is_built", "is_macos_or_newer"))
mkl = Settings("mkl", ("is_available",))
mkldnn = Settings("mkldnn", ("is_available",), enabled=True, deterministic=False)
openmp = Settings("openmp", ("is_available",))
nnpack = Settings("nnpack", ("is_available",))
opt_einsum = Settings("opt_einsum", ("is_available",), enabled=True, strategy="auto")
cuda = Settings(
    "cuda",
    (
        "is_built",
        "flash_sdp_enabled",
        "mem_efficient_sdp_enabled",
        "cudnn_sdp_enabled",
    ),
    matmul=Settings(
        "cuda.matmul",
        allow_tf32=False,
        allow_fp16_reduced_precision_reduction=True,
        allow_bf16_reduced_precision_reduction=True,
    ),
    math_sdp_enabled=lambda: True,
    enable_flash_sdp=lambda enabled: None,
    enable_math_sdp=lambda enabled: None,
    enable_mem_efficient_sdp=lambda enabled: None,
    enable_cudnn_sdp=lambda enabled: None,
)
