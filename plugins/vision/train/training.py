"""The training itself: epochs over batches, tests between them, and its state.

A state that was saved and loaded goes on bit for bit as if nothing had happened: beside
network, optimizer and schedule it holds the place in the random stream, from which the
order of the pictures is drawn.
"""

from __future__ import annotations

import math
import time
from typing import Any

import plugrad
import plugrad.nn as nn
import plugrad.optim as optim
from plugrad import Tensor
from plugrad.nn import functional as F
from plugrad.utils.data import DataLoader

from .checkpoints import KIND, VERSION, on_host
from .failures import Failure
from .progress import Bar
from .sets import Pictures

TEST_BATCH = 500
OPTIMIZERS = {
    "adam": (optim.Adam, {}, 0.002),  # with options, and the default rate
    "adamw": (optim.AdamW, {}, 0.002),
    "sgd": (optim.SGD, {"momentum": 0.9}, 0.05),
}
SCHEDULES = ("warm", "cosine", "constant")
RISE = 0.2  # of all steps: how long the rate goes up, if it does


class Training:
    """A network, its pictures, and how far it is. `place` are the arguments of
    `Tensor.to` that bring network and batches to where they are computed."""

    def __init__(
        self,
        network: nn.Module,
        pictures: Pictures,
        settings: dict[str, Any],
        workers: int,
        place: dict[str, Any],
    ) -> None:
        self.pictures, self.settings, self.place = pictures, settings, place
        self.network = network.to(**place)
        keywords: dict[str, Any] = {"num_workers": workers}
        keywords["persistent_workers"] = workers > 0
        self.batches = DataLoader(
            pictures.train, settings["batch_size"], shuffle=True, **keywords
        )
        self.tests = DataLoader(pictures.test, TEST_BATCH, **keywords)
        kind, options, _ = OPTIMIZERS[settings["optimizer"]]
        self.optimizer = kind(self.network.parameters(), lr=settings["lr"], **options)
        self.schedule = optim.lr_scheduler.LambdaLR(self.optimizer, self.factor)
        self.epoch = 0
        self.history: dict[str, Any] = {"steps": [], "epochs": []}
        self.tested: tuple[Tensor, Tensor] | None = None  # probabilities, classes

    def factor(self, step: int) -> float:
        """What the learning rate is multiplied by in a step.

        A network that is trained gently at first forgives rounding: that which puts a
        number on the other side of a rectifier changes all that follows by as much as
        the rate is large. With `warm`, the losses of the first 100 steps are the same
        to 1e-4 wherever they are computed (tests/campaigns/fashion.py).
        """
        kind = self.settings["schedule"]
        if kind == "constant":
            return 1.0
        total = self.settings["epochs"] * len(self.batches)
        rise = RISE * total if kind == "warm" else 0.0
        if step + 1 < rise:
            return ((step + 1) / rise) ** 2
        fall = max(step - rise, 0.0) / (total - rise)
        return 0.5 * (1 + math.cos(math.pi * min(fall, 1.0)))

    def run_epoch(self) -> dict[str, float]:
        """Train on every picture once, then test. What came out is the last entry of
        the history."""
        begin = time.monotonic()
        epochs = self.settings["epochs"]
        bar = Bar(
            f"epoch {self.epoch + 1}/{epochs}",
            len(self.batches),
            self.settings["batch_size"],
        )
        try:
            steps, right, count = self.train(bar)
            test_loss, probabilities, targets = self.test()
            self.tested = probabilities, targets
        finally:
            bar.clear()
        hits = (probabilities.argmax(1) == targets).sum().item()
        entry = {
            "loss": sum(loss * n for loss, n in steps) / count,
            "accuracy": right / count,
            "test_loss": test_loss,
            "test_accuracy": hits / len(targets),
            "seconds": time.monotonic() - begin,
        }
        self.epoch += 1
        self.history["steps"] += [loss for loss, _ in steps]
        self.history["epochs"].append(entry)
        return entry

    def train(self, bar: Bar) -> tuple[list[tuple[float, int]], int, int]:
        """An epoch: the loss and size of each batch, and how many pictures were right,
        of how many."""
        self.network.train()
        steps, right, count = [], 0, 0
        for images, targets in self.batches:
            images, targets = images.to(**self.place), targets.to(**self.place)
            output = self.network(images)
            loss = F.cross_entropy(output, targets)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            value = loss.item()
            if not math.isfinite(value):
                raise Failure(
                    f"the loss became {value} in step {len(steps) + 1} of epoch "
                    f"{self.epoch + 1}: try a smaller --lr than {self.settings['lr']:g}"
                )
            right += (output.detach().argmax(1) == targets).sum().item()
            count += len(targets)
            steps.append((value, len(targets)))
            bar.show(len(steps), value)
        return steps, right, count

    @plugrad.no_grad()
    def test(self) -> tuple[float, Tensor, Tensor]:
        """The mean loss on the test pictures, the probabilities that each class was
        given, and the true classes."""
        self.network.eval()
        total, shares, truths = 0.0, [], []
        for images, targets in self.tests:
            images, aim = images.to(**self.place), targets.to(**self.place)
            output = self.network(images)
            total += F.cross_entropy(output, aim, reduction="sum").item()
            shares.append(on_host(output.softmax(1)))
            truths.append(targets)
        targets = plugrad.cat(truths)
        return total / len(targets), plugrad.cat(shares), targets

    # --- State ----------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        pictures = self.pictures
        return {
            "kind": KIND,
            "version": VERSION,
            "plugrad": plugrad.__version__,
            "data": pictures.name,
            "model": self.settings["model"],
            "shape": list(pictures.shape),
            "classes": list(pictures.classes),
            "mean": pictures.mean,
            "std": pictures.std,
            "network": on_host(dict(self.network.state_dict())),
            "optimizer": on_host(self.optimizer.state_dict()),
            "schedule": self.schedule.state_dict(),
            "random": plugrad.get_rng_state(),
            "epoch": self.epoch,
            "settings": dict(self.settings),
            "history": self.history,
        }

    def restore(self, state: dict[str, Any], name: str) -> None:
        """Go on where a checkpoint was written."""
        if list(self.pictures.classes) != list(state["classes"]):
            raise Failure(f"{name}: it was trained on pictures of other classes")
        scales = [self.pictures.mean, self.pictures.std]
        if scales != [state["mean"], state["std"]]:
            raise Failure(
                f"{name}: the training pictures are not those that it was trained on"
            )
        try:
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
            plugrad.set_rng_state(state["random"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise plugrad.CheckpointError(f"{name}: {error}") from error
        self.epoch, self.history = state["epoch"], state["history"]
