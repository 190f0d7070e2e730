"""The command `plugrad predict`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import plugrad

from ..train import Trained, load_trained
from .inputs import Input, Unreadable, inputs

TOP = 3  # classes that are printed


def main(words: Sequence[str]) -> int:
    """Read pictures as the words say; what is returned is the exit status."""
    options = parser().parse_args(words)
    with plugrad.backend("numpy"):
        try:
            trained = load_trained(options.checkpoint)
        except plugrad.CheckpointError as error:
            return fail(error)
        except OSError as error:
            return fail(f"{options.checkpoint}: {error.strerror or error}")
        found, failed = [], False
        for name in options.pictures:
            try:
                found += inputs(name, options.index, trained.shape[0], options.invert)
            except Unreadable as error:
                failed = bool(fail(error))
        answers = [answer(trained, each) for each in found]
    if options.json:
        print(json.dumps(answers, indent=1, ensure_ascii=False))
    else:
        for each, said in zip(found, answers):
            print(in_words(each, said))
    return int(failed)


def fail(error: object) -> int:
    """Say what went wrong."""
    print(f"plugrad predict: {error}", file=sys.stderr)
    return 1


def parser() -> argparse.ArgumentParser:
    """What the command line understands."""
    found = argparse.ArgumentParser(
        prog="plugrad predict",
        description="Say what a network that `plugrad train` has trained reads in "
        "pictures. They are brought to the size of the training's pictures.",
        allow_abbrev=False,
    )
    found.add_argument("checkpoint", metavar="CHECKPOINT", help="such as checkpoint.pt")
    found.add_argument(
        "pictures", nargs="+", metavar="PICTURE",
        help="PNG; JPEG and others with Pillow; IDX files with --index",
    )  # fmt: skip
    found.add_argument(
        "--index", type=places, default=[], metavar="N,N,...",
        help="which pictures of IDX files, counted from 0",
    )  # fmt: skip
    text = "swap light and dark, as for dark ink on paper where the training had light "
    found.add_argument("--invert", action="store_true", help=text + "digits on black")
    found.add_argument("--json", action="store_true", help="for programs")
    return found


def places(text: str) -> list[int]:
    """The numbers in "0,3,12"."""
    words = text.split(",")
    if not all(word.isascii() and word.isdigit() for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 0,3,12")
    return [int(word) for word in words]


def answer(trained: Trained, asked: Input) -> dict[str, Any]:
    """What the network says of a picture."""
    shares = trained.probabilities([asked.picture])[0].tolist()
    number = max(range(len(shares)), key=shares.__getitem__)
    return {
        "file": asked.file,
        **({} if asked.index is None else {"index": asked.index}),
        "class": trained.classes[number],
        "number": number,
        "probability": shares[number],
        "probabilities": dict(zip(trained.classes, shares)),
    }


def in_words(asked: Input, said: dict[str, Any]) -> str:
    """The same as lines of text: the likeliest classes."""
    ranked = sorted(said["probabilities"].items(), key=lambda each: -each[1])[:TOP]
    width = max(len(name) for name, _ in ranked)
    lines = [f"{asked.name}: {said['class']}"]
    lines += [f"  {name:<{width}}  {share:7.2%}" for name, share in ranked]
    return "\n".join(lines)
