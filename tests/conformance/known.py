"""The file that lists what a backend does not do: strict, each line with its reason.

    n/a matmul[bool]  # the standard's matmul takes no booleans
    test_forward::test_op[sort-float64]  # the library's sort puts NaN first

- A line `n/a KEY` repeats what the backend declares: a key of its `leaves_out`, or
  `dtype NAME`.
- Any other line names a test that is expected to fail, without the path of its file.
- A line that names nothing of this is stale, and an expected failure that passes is a
  failure: the file may only shrink.

Files of the backends that come with plugrad stand in `expected/`, and are used without
being asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cells import declared

FOLDER = Path(__file__).parent / "expected"
LINE = re.compile(
    r"(?:n/a (?P<na>[\w ]+(?:\[\w+\])?)|(?P<test>test_\w+::test_\w+\[[\w-]+\]))"
    r"  # (?P<reason>\S.*)"
)


@dataclass
class Expected:
    """One such file."""

    path: Path | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def stale(self, tests: Mapping[str, Any], k: Any) -> list[str]:
        """The lines that speak of nothing: a test that there is not, or is n/a, and
        what the backend does not declare as left out."""
        known = declared(k)
        old = [f"n/a {key}" for key in self.left_out if key not in known]
        for test in self.failures:
            cell = tests.get(test)
            if cell is None:
                old.append(f"{test} (there is no such test)")
            elif cell.why is not None:
                old.append(f"{test} (it is n/a)")
        return old


def read(path: Path) -> Expected:
    """The file at `path`."""
    found = Expected(path)
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip() or text.startswith("#"):
            continue
        line = LINE.fullmatch(text.strip())
        if line is None:
            raise ValueError(
                f"{path}:{number}: {text!r} is neither `n/a KEY  # reason` nor "
                "`test_module::test_name[cell]  # reason`"
            )
        place = found.left_out if line["na"] else found.failures
        key = line["na"] or line["test"]
        if key in place:
            raise ValueError(f"{path}:{number}: {key} is listed twice")
        place[key] = line["reason"]
    return found


def find_expected(backend: str, given: str | None) -> Expected:
    """The file that was given, or the one of a backend that comes with plugrad."""
    path = Path(given) if given else FOLDER / f"{backend}.txt"
    if not given and not path.exists():
        return Expected()
    return read(path)
