"""python -m tests.campaigns: run the campaigns, whole or in samples."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from tests.campaigns import runner
from tests.campaigns.registry import CAMPAIGNS
from tests.campaigns.runner import SAMPLE_SECONDS, markdown, run_all

PAGE = Path(__file__).parents[2] / "docs" / "campaigns.md"


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns")
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--full", action="store_true", help="run each whole")
    size.add_argument(
        "--sample", action="store_true", help=f"stop each after {SAMPLE_SECONDS:.0f} s"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=CAMPAIGNS, metavar="NAME", nargs="+")
    parser.add_argument(
        "--case", type=int, nargs="+", default=[], help="run these cases and no others"
    )
    parser.add_argument("--write", action="store_true", help="write docs/campaigns.md")
    return parser


def main(argv: list[str]) -> int:
    options = arguments().parse_args(argv)
    names = options.only or CAMPAIGNS
    if not names:
        print("no campaign is registered", file=sys.stderr)
        return 2
    runner.only += options.case
    budget = math.inf if options.full else SAMPLE_SECONDS
    outcomes = run_all(names, options.seed, budget)
    page = markdown(
        outcomes, " ".join(["python -m tests.campaigns", *argv]), options.seed
    )
    if options.write:
        PAGE.write_text(page, encoding="utf-8")
    else:
        print(page)
    return int(any(outcome.report.failures for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
