"""The command `plugrad train`: its course, and what it says."""

from __future__ import annotations

import argparse
import itertools
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plugrad

from ..datasets import DataError
from ..io import write_png
from .checkpoints import on_host, read
from .confusion import confusion_table, counts
from .failures import Failure
from .networks import build, described
from .pictures import MOST, draw_curves, draw_misread
from .sets import KINDS, Pictures, open_pictures
from .settings import fresh, parsed, place_of, resumed
from .training import Training

CHECKPOINT, CURVES, MISREAD, SAMPLE = (
    "checkpoint.pt", "curves.png", "misread.png", "sample.png",
)  # fmt: skip
FAILED, MISUSED, INTERRUPTED = 1, 2, 130


def main(words: Sequence[str]) -> int:
    """Train as the words say; what is returned is the exit status."""
    options = parsed(words)
    default = plugrad.default_backend().name
    threads = plugrad.get_num_threads()
    try:
        # Pictures are loaded and drawn by NumPy, whatever computes the network.
        with plugrad.backend("numpy"):
            return train(options, place_of(options, default))
    except KeyboardInterrupt:
        print("\ninterrupted before it began: nothing is saved", file=sys.stderr)
        return INTERRUPTED
    except (Failure, plugrad.BackendError) as error:
        return fail(error, MISUSED)
    except (DataError, ImportError, OSError, RuntimeError, ValueError) as error:
        return fail(error, FAILED)
    finally:
        if plugrad.get_num_threads() != threads:
            plugrad.set_num_threads(threads)


def fail(error: BaseException, status: int) -> int:
    """Say what went wrong."""
    print(f"plugrad train: {error}", file=sys.stderr)
    return status


def train(options: argparse.Namespace, place: dict[str, Any]) -> int:
    """Train from the beginning or from a checkpoint, and write what came out."""
    try:
        state = read(options.resume) if options.resume else None
    except plugrad.CheckpointError as error:
        raise Failure(error) from error
    except OSError as error:
        raise Failure(f"{options.resume}: {error.strerror or error}") from error
    settings = fresh(options) if state is None else resumed(options, state)
    pictures = open_pictures(
        settings["data"], options.root, options.download, settings["size"]
    )
    threads = options.threads or KINDS[settings["data"]].threads
    if threads:
        plugrad.set_num_threads(threads)
    plugrad.manual_seed(settings["seed"])
    training = Training(
        network(settings, pictures), pictures, settings, options.workers, place
    )
    if state is not None:
        training.restore(state, options.resume)
    folder = results_folder(options, settings)
    introduce(training, folder)
    try:
        for _ in range(training.epoch, settings["epochs"]):
            entry = training.run_epoch()
            plugrad.save(training.state(), folder / CHECKPOINT)
            print(line(training.epoch, settings["epochs"], entry), flush=True)
        finish(training, folder)
    except KeyboardInterrupt:
        return interrupted(folder / CHECKPOINT, training)
    return 0


def network(settings: dict[str, Any], pictures: Pictures) -> plugrad.nn.Module:
    """The network, if it can take the pictures."""
    try:
        found = build(settings["model"], pictures.shape, len(pictures.classes))
    except ValueError as error:
        raise Failure(error) from error
    normed = any("BatchNorm" in type(each).__name__ for each in found.modules())
    if normed and len(pictures.train) % settings["batch_size"] == 1:
        raise Failure(
            f"--batch-size {settings['batch_size']} leaves one picture for the last "
            f"batch, which {settings['model']} cannot normalise: choose another"
        )
    return found


def results_folder(options: argparse.Namespace, settings: dict[str, Any]) -> Path:
    """The folder for the results. A checkpoint that is there stays, unless it is the
    one to go on from or --overwrite was said."""
    if options.resume and not options.out:
        return Path(options.resume).parent
    name = f"runs/{settings['data']}-{settings['model']}"
    folder = Path(options.out or name)
    own = options.resume and same_file(folder / CHECKPOINT, Path(options.resume))
    if (folder / CHECKPOINT).exists() and not (own or options.overwrite):
        if options.out:
            raise Failure(
                f"{folder} holds the results of another training: choose another "
                f"--out, go on by --resume {folder / CHECKPOINT}, or say --overwrite"
            )
        folders = (Path(f"{name}-{i}") for i in itertools.count(2))
        folder = next(each for each in folders if not (each / CHECKPOINT).exists())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def same_file(a: Path, b: Path) -> bool:
    """Whether two paths lead to one file."""
    return a.exists() and b.exists() and a.samefile(b)


# --- What is said -------------------------------------------------------------------


def introduce(training: Training, folder: Path) -> None:
    """Who trains on what, and where it goes."""
    pictures, settings = training.pictures, training.settings
    parameter = next(iter(training.network.parameters()))
    size = sum(each.numel() for each in training.network.parameters())
    print(
        f"plugrad {plugrad.__version__} on {parameter.backend}, {parameter.device}, "
        f"threads: {plugrad.get_num_threads()}"
    )
    print(
        f"{pictures.name}: {len(pictures.train):,} {described(pictures.shape)} to "
        f"train, {len(pictures.test):,} to test, {len(pictures.classes)} classes"
        f" ({pictures.where})"
    )
    print(
        f"{settings['model']}: {size:,} parameters; {settings['optimizer']}, "
        f"lr {settings['lr']:g} ({settings['schedule']}), batches of "
        f"{settings['batch_size']}, seed {settings['seed']}"
    )
    if training.epoch:
        print(f"going on after epoch {training.epoch}")
    print(f"results: {folder}{os.sep}", flush=True)


def line(epoch: int, epochs: int, entry: dict[str, float]) -> str:
    """An epoch in a line."""
    width = len(str(epochs))
    return (
        f"epoch {epoch:{width}}/{epochs}  loss {entry['loss']:.4f}  accuracy "
        f"{entry['accuracy']:6.2%}  test: loss {entry['test_loss']:.4f}  accuracy "
        f"{entry['test_accuracy']:6.2%}  {entry['seconds']:.1f} s"
    )


def interrupted(checkpoint: Path, training: Training) -> int:
    """What is said after Ctrl-C, from the file itself: it is always a whole one."""
    print("\ninterrupted", end="", file=sys.stderr)
    begun = training.history["epochs"]
    if not begun or not checkpoint.exists():
        print(" before the first epoch was done: nothing is saved", file=sys.stderr)
        return INTERRUPTED
    epoch = read(checkpoint)["epoch"]
    words = f"{command()} train --resume {shlex.quote(str(checkpoint))}"
    if epoch < training.settings["epochs"]:
        print(f": epoch {epoch} is saved; go on by\n  {words}", file=sys.stderr)
    else:
        print(f": all {epoch} epochs are saved in {checkpoint}", file=sys.stderr)
    return INTERRUPTED


def command() -> str:
    """How plugrad was called."""
    name = sys.argv[0]
    return name if Path(name).name == "plugrad" else "python -m plugrad"


def finish(training: Training, folder: Path) -> None:
    """Say and draw what came out."""
    pictures = training.pictures
    assert training.tested is not None
    probabilities, targets = training.tested
    shares, reads = probabilities.max(1)
    truth, read_as = targets.tolist(), reads.tolist()
    wrong = (reads != targets).sum().item()
    table = counts(truth, read_as, len(pictures.classes))
    print(f"\n{confusion_table(table, pictures.classes)}\n")
    entry = training.history["epochs"][-1]
    seconds = sum(each["seconds"] for each in training.history["epochs"])
    print(
        f"{entry['test_accuracy']:.2%} of the {len(targets):,} test pictures are read "
        f"rightly, {wrong:,} are not; {seconds:.1f} s"
    )
    title = f"{pictures.name}, {training.settings['model']}"
    draw_curves(training.history, title, folder / CURVES)
    misread(pictures, targets, reads, shares, wrong, folder / MISREAD)
    sample, number = pictures.test[0]
    picture = (pictures.plain(on_host(sample)) * 255).round().to(plugrad.uint8)
    write_png(picture, folder / SAMPLE)
    for name, what in (
        (CHECKPOINT, "the network, and all that --resume needs"),
        (CURVES, "loss and accuracy"),
        (MISREAD, "what was misread" if wrong else "what was hardest to read"),
        (SAMPLE, f"a test picture: {pictures.classes[number]}"),
    ):
        print(f"  {str(folder / name):<{len(str(folder)) + 15}}  {what}")
    paths = " ".join(shlex.quote(str(folder / each)) for each in (CHECKPOINT, SAMPLE))
    print(f"\nNow try\n  {command()} predict {paths}")


def misread(
    pictures: Pictures,
    targets: plugrad.Tensor,
    reads: plugrad.Tensor,
    shares: plugrad.Tensor,
    wrong: int,
    path: Path,
) -> None:
    """Draw the misread pictures, those first that the network was surest of; if there
    are none, those that it was least sure of."""
    order = shares.argsort(descending=bool(wrong)).tolist()
    missed = (reads != targets).tolist()
    if wrong:
        order = [i for i in order if missed[i]]
    chosen = order[: MOST if wrong else 8]
    title = f"{wrong} of {len(targets)} misread: true→read, and how sure it was"
    if not wrong:
        title = f"none of {len(targets)} misread; the least sure: true→read"
    elif wrong > len(chosen):
        title = f"{len(chosen)} of {wrong} misread, the surest first: true→read"
    images = [pictures.plain(on_host(pictures.test[i][0])) for i in chosen]
    classes = pictures.classes
    draw_misread(
        images,
        [classes[int(targets[i])] for i in chosen],
        [classes[int(reads[i])] for i in chosen],
        [float(shares[i]) for i in chosen],
        title,
        path,
    )
