"""The command `plugrad run`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import plugrad

from . import program
from .finder import install
from .tracebacks import show

USAGE = "plugrad run [options] (SCRIPT | -m MODULE | -c TEXT) [arguments ...]"


def main(words: Sequence[str]) -> int:
    """Run what the words say; what is returned is the exit status."""
    options = parser().parse_args(words)
    rest = options.module or options.text or options.program
    if not rest:
        parser().error("say what to run: a script, -m MODULE or -c TEXT")
    try:
        install(options.backend, options.device)
    except (plugrad.BackendError, ImportError, RuntimeError) as error:
        print(f"plugrad run: {error}", file=sys.stderr)
        return 2
    if options.report:
        from .report import report_at_exit

        report_at_exit()
    if options.module:
        run = program.run_module
    elif options.text:
        run = program.run_text
    else:
        run = program.run_file
    try:
        run(rest[0], rest[1:])
    except SystemExit:
        raise
    except program.NotFound as error:
        print(f"plugrad run: {error}", file=sys.stderr)
        return error.status
    except BaseException as error:
        show(error, whole=options.whole_traceback)
        if not isinstance(error, KeyboardInterrupt):
            return 1
        sys.excepthook = lambda *shown: None  # it ends as Python ends by Ctrl-C
        raise
    return 0


def parser() -> argparse.ArgumentParser:
    """What the command line understands."""
    found = argparse.ArgumentParser(
        prog="plugrad run",
        usage=USAGE,
        description="Run a PyTorch script unmodified: `import torch` means plugrad.",
        allow_abbrev=False,
    )
    rest = argparse.REMAINDER
    found.add_argument("program", nargs=rest, metavar="SCRIPT", help="a Python file")
    found.add_argument(
        "-m", dest="module", nargs=rest, metavar="MODULE", help="run a module"
    )
    found.add_argument("-c", dest="text", nargs=rest, metavar="TEXT", help="run a text")
    found.add_argument("--backend", help="where new tensors are made, such as numpy")
    found.add_argument("--device", help="the default device, such as cpu or cuda")
    found.add_argument(
        "--report",
        action="store_true",
        help="say at the end which names of torch the program uses, and which of them "
        "plugrad lacks",
    )
    found.add_argument(
        "--whole-traceback",
        action="store_true",
        help="show plugrad's own lines in tracebacks, too",
    )
    return found
