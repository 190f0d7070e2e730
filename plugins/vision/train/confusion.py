"""What was read as what, as a table of text."""

from __future__ import annotations

from collections.abc import Sequence

MOST_CLASSES = 20  # more do not fit beside each other
MOST_MISTAKES = 10


def short(name: str) -> str:
    """The name of a class without its explanation: "7" of "7 - seven"."""
    return name.split(" - ")[0]


def counts(
    truths: Sequence[int], reads: Sequence[int], classes: int
) -> list[list[int]]:
    """How often each class was read as each."""
    table = [[0] * classes for _ in range(classes)]
    for truth, read in zip(truths, reads):
        table[truth][read] += 1
    return table


def confusion_table(table: list[list[int]], classes: Sequence[str]) -> str:
    """The table as text, a row for each true class; of many classes, the commonest
    mistakes instead."""
    if len(classes) > MOST_CLASSES:
        return commonest(table, classes)
    names = [
        str(i) if short(name) == str(i) else f"{i} {short(name)}"
        for i, name in enumerate(classes)
    ]
    widest = max(max(map(max, table)), len(classes) - 1)
    wide, first = len(str(widest)) + 2, max(len("true"), *map(len, names))
    head = "".join(f"{i:>{wide}}" for i in range(len(classes)))
    lines = [f"  {'true':<{first}}{'read as':>{wide + 6}}", f"  {'':<{first}}{head}"]
    for name, row in zip(names, table):
        cells = "".join(f"{n or '.':>{wide}}" for n in row)
        lines.append(f"  {name:<{first}}{cells}")
    return "\n".join(lines)


def commonest(table: list[list[int]], classes: Sequence[str]) -> str:
    """The commonest mistakes, a line for each."""
    found = [
        (n, truth, read)
        for truth, row in enumerate(table)
        for read, n in enumerate(row)
        if n and truth != read
    ]
    found.sort(key=lambda each: (-each[0], each[1:]))
    return "\n".join(
        f"  {n:>6}  {short(classes[truth])} read as {short(classes[read])}"
        for n, truth, read in found[:MOST_MISTAKES]
    )
