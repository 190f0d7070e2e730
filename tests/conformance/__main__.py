"""python -m plugrad.conformance: make pages of reports, or freeze a suite."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import plugrad

from .cells import declared, is_main
from .levels import Suite, as_text, find_suite, suite_file
from .pages import badge, html, markdown
from .report import write_whole


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m plugrad.conformance")
    commands = parser.add_subparsers(dest="command", required=True)
    report = commands.add_parser("report", help="make pages of what runs found")
    report.add_argument("reports", nargs="+", type=Path, metavar="REPORT.json")
    report.add_argument("--html", type=Path, help="the matrix of ops and dtypes")
    report.add_argument("--markdown", type=Path, help="a table of counts")
    report.add_argument("--badge", type=Path, metavar="DIR", help="an SVG per backend")
    freeze = commands.add_parser(
        "freeze", help="write all ops and tests that there are now as a named suite"
    )
    freeze.add_argument("name")
    says = commands.add_parser(
        "declared", help="print what a backend leaves out, for its expected failures"
    )
    says.add_argument("backend")
    return parser


def main(argv: list[str]) -> int:
    options = arguments().parse_args(argv)
    if options.command == "freeze":
        now = find_suite(None, plugrad.Backend.ops)
        frozen = Suite(options.name, sorted(now.ops), now.tests, now.cases)
        write_whole(suite_file(options.name), as_text(frozen))
        return 0
    if options.command == "declared":
        found = declared(plugrad.get_backend(options.backend))
        for key, why in sorted(found.items()):
            if is_main(key):
                print(f"n/a {key}  # {why}")
        return 0
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in options.reports]
    if options.html:
        write_whole(options.html, html(reports))
    if options.markdown:
        write_whole(options.markdown, markdown(reports))
    if options.badge:
        for found in reports:
            write_whole(options.badge / f"{found['backend']}.svg", badge(found))
    if not (options.html or options.markdown or options.badge):
        print(markdown(reports), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
