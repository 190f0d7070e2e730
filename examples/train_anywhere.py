"""Train a network in whatever array library PLUGRAD_BACKEND names.

    PLUGRAD_BACKEND=jax python examples/train_anywhere.py --steps 100

Points of three spiral arms are told apart by a network of two hidden layers with
dropout, by Adam on minibatches. Data, weights, dropout and the order of the points all
come from the one random stream, which is the same in every library: so is the training,
but for the last bits of sums and logarithms.
"""

from __future__ import annotations

import argparse
import math
import time

import plugrad
from plugrad import Tensor

POINTS, CLASSES, HIDDEN, BATCH = 300, 3, 32, 50
DROPOUT, RATE, BETA1, BETA2, EPSILON = 0.1, 0.01, 0.9, 0.999, 1e-8


def spirals() -> tuple[Tensor, Tensor]:
    """Points (N, 2) and the number (N,) of the arm that each lies on."""
    arm = plugrad.randint(CLASSES, (POINTS,))
    radius = plugrad.rand(POINTS)
    angle = 4 * radius + arm * (2 * math.pi / CLASSES) + 0.1 * plugrad.randn(POINTS)
    return plugrad.stack([radius * angle.cos(), radius * angle.sin()], dim=1), arm


def network() -> list[Tensor]:
    """Weights and biases, scaled to the width of the layer they come from."""
    parameters: list[Tensor] = []
    for n_in, n_out in ((2, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, CLASSES)):
        parameters.append(plugrad.randn(n_in, n_out) / math.sqrt(n_in))
        parameters.append(plugrad.zeros(n_out))
    return [p.requires_grad_() for p in parameters]


def dropout(x: Tensor) -> Tensor:
    """Some elements zero, the others larger, so that sums stay what they were."""
    kept = plugrad.bernoulli(plugrad.full_like(x, 1 - DROPOUT))
    return x * kept / (1 - DROPOUT)


def predict(parameters: list[Tensor], x: Tensor, training: bool) -> Tensor:
    """The logarithm of each arm's probability, (N, 2) -> (N, 3)."""
    w1, b1, w2, b2, w3, b3 = parameters
    for w, b in ((w1, b1), (w2, b2)):
        x = (x @ w + b).tanh()
        if training:
            x = dropout(x)
    return (x @ w3 + b3).log_softmax(dim=1)


def cross_entropy(logs: Tensor, arm: Tensor) -> Tensor:
    """The mean of -log(the probability of what is true)."""
    return -logs.gather(1, arm[:, None]).mean()


class Adam:
    """Steps along the mean gradient, in units of its root mean square."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self.parameters = parameters
        self.means = [plugrad.zeros_like(p) for p in parameters]
        self.squares = [plugrad.zeros_like(p) for p in parameters]
        self.steps = 0

    @plugrad.no_grad()
    def step(self) -> None:
        """Use the gradients up."""
        self.steps += 1
        rate = RATE / (1 - BETA1**self.steps)
        unbias = 1 / math.sqrt(1 - BETA2**self.steps)
        for p, m, v in zip(self.parameters, self.means, self.squares):
            m.mul_(BETA1).add_(p.grad, alpha=1 - BETA1)
            v.mul_(BETA2).addcmul_(p.grad, p.grad, value=1 - BETA2)
            p.addcdiv_(m, v.sqrt().mul_(unbias).add_(EPSILON), value=-rate)
            p.grad = None


def train(steps: int) -> float:
    """The loss on all points after so many steps."""
    x, arm = spirals()
    parameters = network()
    adam = Adam(parameters)
    batches: list[Tensor] = []
    for step in range(1, steps + 1):
        if not batches:
            batches = list(plugrad.randperm(POINTS).split(BATCH))
        batch = batches.pop()
        loss = cross_entropy(predict(parameters, x[batch], training=True), arm[batch])
        loss.backward()
        adam.step()
        if step % 20 == 0:
            print(f"  step {step:4}  loss {loss.item():.6f}")
    with plugrad.no_grad():
        logs = predict(parameters, x, training=False)
        right = (logs.argmax(dim=1) == arm).sum().item()
        print(f"  {right} of {POINTS} points are told right")
        return cross_entropy(logs, arm).item()


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    plugrad.set_default_dtype(getattr(plugrad, chosen.dtype))
    plugrad.manual_seed(chosen.seed)
    print(f"backend {plugrad.default_backend().name}, {chosen.dtype}")
    begin = time.perf_counter()
    loss = train(chosen.steps)
    print(f"  {time.perf_counter() - begin:.1f} s")
    print(f"final loss {loss!r}")


if __name__ == "__main__":
    main()
