"""Steps in tinygrad, through its TinyJit; on a CPU it needs clang (or CC names one)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad import Context, Tensor, TinyJit
from tinygrad.nn import optim

from . import start


def step(name: str) -> Callable[[], float]:
    begun = start(name)
    p = {key: Tensor(each).realize() for key, each in begun.weights.items()}
    x, y = Tensor(begun.inputs).realize(), Tensor(begun.targets).realize()
    optimizer = getattr(optim, begun.optimizer)(list(p.values()), **begun.options)

    def forward(x: Any) -> Any:
        for kind, layer, given in begun.layers:
            w, b = p.get(f"{layer}.weight"), p.get(f"{layer}.bias")
            match kind:
                case "Linear":
                    x = x.linear(w.T, b)
                case "Conv2d":
                    x = x.conv2d(w, b, stride=given.stride, padding=given.padding[0])
                case "MaxPool2d":
                    x = x.max_pool2d((given.kernel_size, given.kernel_size))
                case "ReLU":
                    x = x.relu()
                case "Flatten":
                    x = x.flatten(1)
        return x

    @TinyJit
    def program() -> Tensor:
        optimizer.zero_grad()
        loss = forward(x).sparse_categorical_crossentropy(y).backward()
        return loss.realize(*optimizer.schedule_step())

    def one_step() -> float:
        with Context(TRAINING=1):
            return program().item()

    return one_step
