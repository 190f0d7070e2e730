"""Lists of expected differences: strict, each line with its reason.

A line is `op[dtype, kind]  # reason`, where dtype and kind may hold `*`: kind is that
of the sample, followed by a space and the form of the call where that is not the plain
one ("scalar 2 [] inplace"). A line that no difference needs is a failure itself.
"""

from __future__ import annotations

import re
from fnmatch import translate
from pathlib import Path

LINE = re.compile(r"(?P<op>\w+)\[(?P<dtype>[\w*]+), (?P<kind>.+)\]  # (?P<reason>\S.*)")


class Expected:
    """One such file."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.lines: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            found = LINE.fullmatch(line.strip())
            if found is None:
                raise ValueError(f"{path}:{number}: {line!r} is not as in {__name__}")
            pattern = pattern_of(f"{found['dtype']}, {found['kind']}")
            self.lines.setdefault(found["op"], []).append((line.strip(), pattern))

    def ops(self) -> list[str]:
        return list(self.lines)

    def covers(self, op: str, dtype: str, kind: str) -> bool:
        """Whether a line speaks of this."""
        patterns = [pattern for _, pattern in self.lines.get(op, [])]
        return any(pattern.fullmatch(f"{dtype}, {kind}") for pattern in patterns)

    def unexpected(self, op: str, differences: list[tuple[str, str, str]]) -> list[str]:
        """What is wrong with the differences (dtype, kind, text) found for an op: those
        on no line, and lines that none of them needs."""
        lines = self.lines.get(op, [])
        needed: set[str] = set()
        wrong = []
        for dtype, kind, text in differences:
            matching = [line for line, p in lines if p.fullmatch(f"{dtype}, {kind}")]
            needed.update(matching)
            if not matching:
                wrong.append(f"{op}[{dtype}, {kind}]: {text}")
        stale = [line for line, _ in lines if line not in needed]
        return wrong + [f"{self.name}: no longer needed: {line}" for line in stale]


def pattern_of(text: str) -> re.Pattern[str]:
    """A pattern in which `*` alone is special; kinds hold brackets."""
    return re.compile(translate(re.sub(r"([\[?])", r"[\1]", text)))


def report(wrong: list[str]) -> str:
    """The first five of a list of failures."""
    shown = "\n".join(wrong[:5])
    rest = len(wrong) - 5
    return shown + (f"\n... and {rest} more" if rest > 0 else "")
