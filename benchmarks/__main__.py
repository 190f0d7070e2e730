"""Command line: `python -m benchmarks [NAME ...] [--quick] [--json FILE]`."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
from typing import Any

from .machine import machine

# name on the command line -> module
BENCHMARKS = {
    "data": "data",
    "overhead": "overhead",
    "files": "files",
    "footprint": "footprint",
    "import": "importing",
    "kernels": "kernels",
    "memory": "memory",
    "optim": "optim",
    "peak": "peak",
    "plugins": "plugins",
    "random": "random",
    "sparse": "sparse",
    "step": "step",
    "training": "training",
}


def main() -> None:
    options = _parse()
    chosen = list(BENCHMARKS) if "all" in options.names else options.names
    this = machine()
    for name, value in this.items():
        print(f"{name}: {value}")
    print("Contestants take turns in one run; the garbage collector is on.\n")
    results = {}
    for name in chosen:
        benchmark = importlib.import_module(f"{__package__}.{BENCHMARKS[name]}")
        keywords = {"detail": True} if name == "import" and options.detail else {}
        results[name] = benchmark.run(quick=options.quick, **keywords)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": this, **results}, file, indent=1, default=_plain)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", default=["all"], metavar="NAME",
        help=f"{', '.join(BENCHMARKS)} or all (the default)",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="fewer rounds, rougher")
    parser.add_argument("--json", metavar="FILE", help="write all figures there too")
    parser.add_argument(
        "--detail", action="store_true", help="import: time module by module as well"
    )
    options = parser.parse_args()
    for name in options.names:
        if name not in (*BENCHMARKS, "all"):
            parser.error(f"no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
    return options


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value)


if __name__ == "__main__":
    main()
