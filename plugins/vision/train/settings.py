"""What the command line says, made whole by defaults or by a checkpoint."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any

from .failures import Failure
from .networks import NETWORKS
from .sets import KINDS
from .training import OPTIMIZERS, SCHEDULES

# What the result depends on: a checkpoint keeps it, and --resume does not change it.
# (--epochs may: a training may be made longer.)
FIXED = "data model batch_size lr optimizer schedule seed size".split()


def number(kind: type, low: float, text: str) -> Callable[[str], Any]:
    """A function that reads a number of at least (or, for floats, above) `low`."""

    def parse(word: str) -> Any:
        try:
            value = kind(word)
        except ValueError:
            value = math.nan
        if not (value > low if kind is float else value >= low) or math.isinf(value):
            raise argparse.ArgumentTypeError(f"{word!r} is not {text}")
        return value

    return parse


def parser() -> argparse.ArgumentParser:
    """What the command line understands. What is not said is None."""
    found = argparse.ArgumentParser(
        prog="plugrad train",
        description="Train a network on pictures; without options, a small one on the "
        "handwritten digits that come with plugrad-vision.",
        allow_abbrev=False,
    )
    add = found.add_argument
    count = number(int, 1, "a number from 1 on")
    whole = number(int, 0, "a number from 0 on")
    above = number(float, 0, "a number above 0")
    add("--data", choices=KINDS, help="the pictures (digits)")
    add("--model", choices=NETWORKS, help="the network; the data's own if not said")
    add("--epochs", type=count, metavar="N", help="rounds over all pictures (5)")
    add("--batch-size", type=count, metavar="N", help="pictures in a step (64)")
    add("--optimizer", choices=OPTIMIZERS, help="(adam)")
    add("--lr", type=above, metavar="RATE", help="0.002; for sgd 0.05")
    text = "how the rate goes: up to there and then to 0, to 0 at once, or not at all"
    add("--schedule", choices=SCHEDULES, help=text + " (warm)")
    add("--seed", type=whole, metavar="N", help="of weights and order (0)")
    add("--size", type=count, metavar="PIXELS", help="of --data folder (32)")
    add("--root", metavar="FOLDER", help="where the data's files are (data)")
    add("--download", action="store_true", help="fetch files that are not there")
    add("--out", metavar="FOLDER", help="where results go (runs/DATA-MODEL)")
    text = "let results take the place of older ones in --out"
    add("--overwrite", action="store_true", help=text)
    add("--resume", metavar="CHECKPOINT", help="go on with a training")
    text = "processes that load pictures (0: none but the one that trains)"
    add("--workers", type=whole, metavar="N", default=0, help=text)
    text = "of the processor (as many as it has; for digits 1)"
    add("--threads", type=count, metavar="N", help=text)
    add("--backend", metavar="NAME", help="the array library to compute with")
    add("--device", metavar="NAME", help="where to compute: cpu, cuda, cuda:1")
    return found


def fresh(options: argparse.Namespace) -> dict[str, Any]:
    """The settings of a new training."""
    data = options.data or "digits"
    kind = KINDS[data]
    defaults = {
        "data": data,
        "model": kind.model,
        "epochs": kind.epochs,
        "batch_size": kind.batch_size,
        "optimizer": "adam",
        "lr": OPTIMIZERS[options.optimizer or "adam"][2],
        "schedule": "warm",
        "seed": 0,
        "size": 32,
    }
    given = {name: getattr(options, name) for name in defaults}
    said = {name: value for name, value in given.items() if value is not None}
    if "size" in said and data != "folder":
        raise Failure(f"--size is for --data folder; {data} has a size of its own")
    return defaults | said


def resumed(options: argparse.Namespace, state: dict[str, Any]) -> dict[str, Any]:
    """The settings in a checkpoint, with more epochs where that was said."""
    settings = dict(state["settings"])
    missing = [name for name in (*FIXED, "epochs") if name not in settings]
    if missing:
        raise Failure(f"{options.resume}: its settings lack {', '.join(missing)}")
    for name in FIXED:
        said = getattr(options, name)
        if said is not None and said != settings[name]:
            word = "--" + name.replace("_", "-")
            raise Failure(
                f"{options.resume} was trained with {word} {settings[name]}, not "
                f"{said}: leave out {word}, or start anew without --resume"
            )
    if options.epochs is not None:
        settings["epochs"] = options.epochs
    if state["epoch"] >= settings["epochs"]:
        raise Failure(
            f"{options.resume} has had its {state['epoch']} epochs: say more by "
            f"--epochs {state['epoch'] * 2}"
        )
    return settings


def place_of(options: argparse.Namespace, default: str) -> dict[str, Any]:
    """The arguments of `Tensor.to` that bring a tensor to where is computed."""
    place: dict[str, Any] = {}
    if options.backend or not options.device:
        place["backend"] = options.backend or default
    if options.device:
        place["device"] = options.device
    return place


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """The words of a command line."""
    return parser().parse_args(words)
