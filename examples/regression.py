"""Fit a curve with tensors and autograd alone.

A small network (1-32-32-1, tanh) learns sin(x) + x/3 from 256 noisy points, by plain
gradient descent with momentum. It prints its progress, the error on points it has not
seen, and a plot made of letters.
"""

from __future__ import annotations

import math
import sys
import time

import plugrad

STEPS = 6000


def curve(x: plugrad.Tensor) -> plugrad.Tensor:
    """What the network is to learn."""
    return x.sin() + x / 3


def network() -> list[plugrad.Tensor]:
    """Weights and biases, scaled to the width of the layer they come from."""
    sizes = [(1, 32), (32, 32), (32, 1)]
    layers: list[plugrad.Tensor] = []
    for n_in, n_out in sizes:
        layers.append(plugrad.randn(n_in, n_out) / math.sqrt(n_in))
        layers.append(plugrad.zeros(n_out))
    return [parameter.requires_grad_() for parameter in layers]


def predict(parameters: list[plugrad.Tensor], x: plugrad.Tensor) -> plugrad.Tensor:
    """The network's answer for a column of points, (N, 1) -> (N, 1)."""
    w1, b1, w2, b2, w3, b3 = parameters
    hidden = (x @ w1 + b1).tanh()
    hidden = (hidden @ w2 + b2).tanh()
    return hidden @ w3 + b3


def train(x: plugrad.Tensor, y: plugrad.Tensor) -> list[plugrad.Tensor]:
    """Gradient descent with momentum on the mean squared error."""
    parameters = network()
    velocities = [plugrad.zeros_like(p) for p in parameters]
    for step in range(1, STEPS + 1):
        loss = ((predict(parameters, x) - y) ** 2).mean()
        loss.backward()
        with plugrad.no_grad():
            for p, v in zip(parameters, velocities):
                v.mul_(0.9).add_(p.grad)
                p.sub_(v, alpha=0.05)
                p.grad = None
        if step % 100 == 0:
            progress(step, loss.item())
    print()
    return parameters


def progress(step: int, loss: float) -> None:
    """One line that fills up."""
    done = 30 * step // STEPS
    bar = "#" * done + "." * (30 - done)
    end = "\r" if sys.stdout.isatty() else "\n"
    if end == "\r" or step % 1000 == 0:
        print(f"  [{bar}] step {step:4}  loss {loss:.4f}", end=end, flush=True)


def plot(x: list[float], truth: list[float], guess: list[float]) -> None:
    """`.` the curve, `o` the network, `@` where they are in the same place."""
    width, height = 64, 15
    low, high = min(truth), max(truth)
    rows = [[" "] * width for _ in range(height)]
    for mark, values in ((".", truth), ("o", guess)):
        for xi, yi in zip(x, values):
            column = int((xi - x[0]) / (x[-1] - x[0]) * (width - 1))
            row = round((high - yi) / (high - low) * (height - 1))
            row = min(max(row, 0), height - 1)
            rows[row][column] = "@" if rows[row][column] == "." != mark else mark
    print("\n".join("  " + "".join(row) for row in rows))


def main() -> None:
    """Train, and say how well it went."""
    plugrad.manual_seed(0)
    print(f"plugrad {plugrad.__version__}, backend {plugrad.default_backend().name}")
    x = plugrad.rand(256, 1) * 10 - 5
    y = curve(x) + 0.05 * plugrad.randn(256, 1)
    begin = time.perf_counter()
    parameters = train(x, y)
    seconds = time.perf_counter() - begin
    with plugrad.no_grad():
        unseen = plugrad.linspace(-5, 5, 64).reshape(64, 1)
        guess, truth = predict(parameters, unseen), curve(unseen)
        error = ((guess - truth) ** 2).mean().sqrt().item()
    plot(unseen.flatten().tolist(), truth.flatten().tolist(), guess.flatten().tolist())
    print(f"\n  {STEPS} steps in {seconds:.1f} s, {seconds / STEPS * 1e6:.0f} us each")
    print(f"  error on unseen points: {error:.3f} (the noise in the data is 0.05)")


if __name__ == "__main__":
    main()
