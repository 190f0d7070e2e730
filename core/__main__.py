"""The command `plugrad`, which is `python -m plugrad` too.

- `plugrad plugins` and `plugrad backends` list what is installed, without running it;
- `plugrad doctor` tries every backend, and says what is missing and what to install;
- `plugrad new-backend NAME` writes the start of a backend for another array library.

Tables are plain text; `--json` gives the same to programs.
"""

from __future__ import annotations

import argparse
import json
import sys

import plugrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; what it returns is the exit status."""
    options = parser().parse_args(arguments)
    return options.run(options)


def parser() -> argparse.ArgumentParser:
    """What the command line understands."""
    text = "Plugrad: PyTorch's API on any array library."
    found = argparse.ArgumentParser(prog="plugrad", description=text)
    found.add_argument(
        "--version", action="version", version=f"plugrad {plugrad.__version__}"
    )
    commands = found.add_subparsers(metavar="COMMAND", required=True)
    for name, run, text in (
        ("plugins", plugins, "list every plugin, and what keeps it from being used"),
        ("backends", backends, "list the backends alone"),
        ("doctor", doctor, "try every backend, and say what to install"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--json", action="store_true", help="for programs")
        command.set_defaults(run=run)
    text = "write the start of a backend for another array library"
    command = commands.add_parser("new-backend", help=text, description=text)
    command.add_argument("name", metavar="NAME", help="what get_backend will call it")
    command.add_argument(
        "--folder", default=".", help="where to write it (the current folder)"
    )
    command.set_defaults(run=new_backend)
    return found


def plugins(options: argparse.Namespace) -> int:
    """`plugrad plugins`."""
    return show(plugrad.list_plugins(), options)


def backends(options: argparse.Namespace) -> int:
    """`plugrad backends`."""
    return show(plugrad.list_backends(), options)


def show(found: plugrad.Listing, options: argparse.Namespace) -> int:
    """Print a listing."""
    print(json.dumps(found.to_dicts(), indent=1) if options.json else found)
    return 0


def doctor(options: argparse.Namespace) -> int:
    """`plugrad doctor`."""
    from .command.doctor import examine

    return examine(options.json)


def new_backend(options: argparse.Namespace) -> int:
    """`plugrad new-backend NAME`."""
    from .command.skeleton import new_backend

    try:
        new_backend(options.name, options.folder)
    except (plugrad.BackendError, OSError) as error:
        print(f"plugrad new-backend: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
