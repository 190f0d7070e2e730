"""The command `plugrad`, which is `python -m plugrad` too.

- `plugrad plugins` and `plugrad backends` list what is installed, without running it;
- `plugrad doctor` tries every backend, and says what is missing and what to install;
- `plugrad new-backend NAME` writes the start of a backend for another array library;
- `plugrad NAME ...` runs the command of the plugin NAME, such as `plugrad run`.

Tables are plain text; `--json` gives the same to programs.
"""

from __future__ import annotations

import argparse
import json
import sys

import plugrad

from .plugging.discovery import find_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

OWN = ("plugins", "backends", "doctor", "new-backend")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; what it returns is the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and not words[0].startswith("-") and words[0] not in OWN:
        return plugin_command(*words)
    options = parser().parse_args(words)
    return options.run(options)


def plugin_command(name: str, *words: str) -> int:
    """`plugrad NAME WORDS`, for a command that a plugin brings."""
    try:
        run = find_command(name)
    except plugrad.BackendError as error:
        print(f"plugrad {name}: {error}", file=sys.stderr)
        return 2
    return run(words)


def parser() -> argparse.ArgumentParser:
    """What the command line understands."""
    text = "Plugrad: PyTorch's API on any array library."
    names = [each.name for each in plugrad.list_plugins() if "command" in each.kinds]
    found = argparse.ArgumentParser(
        prog="plugrad",
        description=text,
        epilog=f"Commands of plugins, each with its own --help: {', '.join(names)}"
        if names
        else None,
    )
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
