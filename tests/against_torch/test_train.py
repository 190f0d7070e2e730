"""`plugrad train` beside torch: its curves are torch's, torch reads its checkpoints."""

from __future__ import annotations

import pytest
import torch

import plugrad
from plugrad.plugins.vision import datasets
from plugrad.plugins.vision.train import load_trained
from plugrad.plugins.vision.train.command import CHECKPOINT, main
from plugrad.testing import assert_close
from tests.campaigns import fashion
from tests.campaigns.runner import Report


def failures(model):
    """What the campaign says of a network's curves on the digits."""
    found = Report()
    fashion.compare_curves(model, 0, True, found, 0)
    return found.failures


@pytest.mark.parametrize("model", ["cnn", *fashion.MODELS])
def test_the_curves_of_the_digits_are_torchs(model):
    assert failures(model) == []


def test_another_rate_is_seen(monkeypatch):
    train = fashion.Other.train

    def with_another_rate(self, batches):
        self.schedule.base_lrs = [1.01 * lr for lr in self.schedule.base_lrs]
        return train(self, batches)

    monkeypatch.setattr(fashion.Other, "train", with_another_rate)
    found = failures("mlp")
    assert any("float64" in each for each in found)
    assert any("float32" in each for each in found)


def test_torch_loads_a_checkpoint(tmp_path):
    assert main(["--epochs", "1", "--out", str(tmp_path)]) == 0
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    trained = load_trained(tmp_path / CHECKPOINT)
    network = fashion.torch_network(trained.network)
    for ours, theirs in zip(network.state_dict().values(), state["network"].values()):
        assert torch.equal(ours, theirs)
    pictures = datasets.Digits(train=False).data[:50, None]
    batch = plugrad.stack([trained.prepared(each) for each in pictures])
    with torch.no_grad():
        theirs = network(torch.from_numpy(batch.numpy())).softmax(1)
    ours = trained.probabilities(list(pictures))
    assert_close(ours, plugrad.from_numpy(theirs.numpy()), rtol=1e-4, atol=1e-6)
