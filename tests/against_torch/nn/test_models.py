"""Whole networks beside torch's, from its own state: outputs, gradients, training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import plugrad
import plugrad.optim
from tests.against_torch.nn.networks import FULL, NETWORKS, Network

CLOSE = {"float32": 1e-4, "float64": 1e-9}  # of what is compared after some steps
DTYPES = list(CLOSE)


class Side:
    """One library's network and its optimizer."""

    def __init__(self, m: Any, network: Network, dtype: str, state: Any = None) -> None:
        self.m, self.network = m, network
        self.dtype = getattr(m, dtype)
        m.manual_seed(0)
        self.module = network.make(m).to(self.dtype)
        if state is not None:
            self.module.load_state_dict(state)
        self.optimizer: Any = None

    def tensors(self, batch: Any) -> list[Any]:
        """A batch in this library; floats in the dtype of the network."""
        made = [self.m.tensor(each) for each in batch]
        return [x.to(self.dtype) if x.is_floating_point() else x for x in made]

    def loss(self, batch: Any) -> tuple[Any, Any]:
        """The outputs for a batch, and their loss."""
        x, target = self.tensors(batch)
        y = self.module(x)
        return y, self.network.loss(self.m, y, target)

    def step(self, batch: Any) -> float:
        self.optimizer.zero_grad()
        _, loss = self.loss(batch)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def found(self, batch: Any) -> dict[str, Any]:
        """Outputs, loss, gradients and buffers."""
        y, loss = self.loss(batch)
        loss.backward()
        found = {"outputs": y, "loss": loss}
        for name, p in self.module.named_parameters():
            found[f"gradient of {name}"] = p.grad
        return arrays(found | dict(self.module.named_buffers()))

    def use(self, optimizer: str) -> None:
        adam, sgd = self.network.rates
        optim, params = self.m.optim, self.module.parameters()
        if optimizer == "Adam":
            self.optimizer = optim.Adam(params, lr=adam)
        else:
            self.optimizer = optim.SGD(params, lr=sgd, momentum=0.9)


def both(network: Network, dtype: str) -> tuple[Side, Side]:
    """plugrad's side, in the state of torch's, and that."""
    theirs = Side(torch, network, dtype)
    state = {k: v.numpy().copy() for k, v in theirs.module.state_dict().items()}
    return Side(plugrad, network, dtype, state), theirs


def arrays(found: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: each.detach().numpy() for name, each in found.items()}


def batches(network: Network, count: int) -> list[Any]:
    rng = np.random.default_rng(5)
    return [network.batch(rng) for _ in range(count)]


def differences(ours: Any, theirs: Any, close: float) -> list[str]:
    """What is farther apart than `close`, relative to the largest number of each."""
    assert list(ours) == list(theirs)
    wrong = []
    for name, a in ours.items():
        b = theirs[name]
        assert (a.shape, a.dtype) == (b.shape, b.dtype), name
        far = np.abs(a - b).max(initial=0) / max(1, np.abs(b).max(initial=0))
        if not far <= close:
            wrong.append(f"{name}: {far}")
    return wrong


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*NETWORKS, "ResNet-18 of full width"])
def test_outputs_and_gradients(name, dtype):
    network = NETWORKS.get(name, FULL)
    ours, theirs = both(network, dtype)
    (batch,) = batches(network, 1)
    for training in (True, False):
        for side in (ours, theirs):
            side.module.train(training).zero_grad()
        assert not differences(ours.found(batch), theirs.found(batch), CLOSE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
@pytest.mark.parametrize("name", NETWORKS)
def test_five_steps(name, optimizer, dtype):
    """The losses, and what the network then says; and the parameters, but for Adam's in
    float32: where a gradient is zero but for rounding, its steps are the rounding's."""
    network = NETWORKS[name]
    ours, theirs = both(network, dtype)
    *steps, last = batches(network, 6)
    found = []
    for side in (ours, theirs):
        side.use(optimizer)
        losses = np.array([side.step(batch) for batch in steps])
        with side.m.no_grad():
            seen = {"losses": losses, "outputs": side.loss(last)[0].numpy()}
        if (optimizer, dtype) != ("Adam", "float32"):
            seen |= arrays(dict(side.module.named_parameters()))
        found.append(seen)
    assert not differences(*found, CLOSE[dtype])


# In float32 the losses of a ResNet on four pictures go apart after some 60 steps: one
# rounding decides about a relu, and batch norm shows it to all.
CURVES = [(name, dtype) for name in NETWORKS for dtype in DTYPES]
CURVES.remove(("ResNet-18", "float32"))


@pytest.mark.parametrize(("name", "dtype"), CURVES)
def test_a_hundred_steps(name, dtype):
    """The curves of the loss, which falls."""
    network = NETWORKS[name]
    ours, theirs = both(network, dtype)
    steps = batches(network, 100)
    curves = []
    for side in (ours, theirs):
        side.use("Adam")
        curves.append(np.array([side.step(batch) for batch in steps]))
    mine, other = curves
    assert other[-10:].mean() < 0.9 * other[:10].mean()
    assert np.abs(mine - other).max() < 1e-4
