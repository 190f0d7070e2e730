"""Write the table of docs/dlpack.md: whose memory which backend takes by DLPack.

Each pair of backends is tried, with an array that starts at a multiple of 64 bytes and
with one that does not. Pairs with a backend that is not installed stay as they are in
the page.

    python -m tools.dlpack_table
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plugrad

PAGE = Path(__file__).parents[1] / "docs" / "dlpack.md"
START, STOP = "<!-- table: tools/dlpack_table.py -->\n", "<!-- end of table -->\n"
BACKENDS = ("numpy", "torch", "jax", "array_api_strict", "dask")
ALIGNED = 64

Table = dict[tuple[str, str], str]  # (from, to) -> what happens


def installed() -> list[str]:
    """The backends that can be had here."""
    found = []
    for name in BACKENDS:
        try:
            plugrad.get_backend(name)
        except plugrad.BackendError:
            continue
        found.append(name)
    return found


def address(x: plugrad.Tensor) -> int:
    """Where the elements of a tensor lie."""
    return int(x.numpy().ctypes.data)


def sources(name: str) -> list[plugrad.Tensor]:
    """Tensors of a backend whose memory starts at a multiple of 64 bytes, and not."""
    row = plugrad.arange(32, dtype=plugrad.float64).to(backend=name)
    if not shares(row):
        return [row]
    first = -address(row) % ALIGNED // 8
    return [row[first : first + 8], row[first + 1 : first + 9]]


def shares(x: plugrad.Tensor) -> bool:
    """Whether asking for the values of a tensor twice gives the same memory."""
    return address(x) == address(x)


def outcome(x: plugrad.Tensor, target: str) -> str:
    """What `from_dlpack` does with one tensor."""
    try:
        y: Any = plugrad.from_dlpack(x, backend=target)
    except (BufferError, TypeError, RuntimeError):
        return "refused"
    assert y.backend == target and y.tolist() == x.tolist()
    return "shared" if address(y) == address(x) else "copied"


def tried() -> Table:
    """The table for the backends that are installed."""
    names = installed()
    table: Table = {}
    for source in names:
        given = sources(source)
        for target in names:
            if source == target:
                continue
            found = [outcome(x, target) for x in given]
            same = len(set(found)) == 1
            table[source, target] = found[0] if same else f"{found[0]}, if aligned"
    return table


def read(page: str) -> Table:
    """The table that a page holds."""
    text = page.partition(START)[2].partition(STOP)[0]
    lines = [line.strip("| ").split("|") for line in text.splitlines()]
    if not lines:
        return {}
    columns = [cell.strip(" `") for cell in lines[0]][1:]
    table: Table = {}
    for name, *cells in ([cell.strip(" `") for cell in line] for line in lines[2:]):
        table |= {(name, to): cell for to, cell in zip(columns, cells, strict=True)}
    return {pair: cell for pair, cell in table.items() if pair[0] != pair[1]}


def written(table: Table) -> str:
    """A table as Markdown."""
    lines = ["| from, to | " + " | ".join(f"`{name}`" for name in BACKENDS) + " |"]
    lines.append("| --- " * (len(BACKENDS) + 1) + "|")
    for source in BACKENDS:
        cells = (
            "itself" if source == to else table.get((source, to), "not tried")
            for to in BACKENDS
        )
        lines.append(f"| `{source}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page anew."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(START)
    after = rest.partition(STOP)[2]
    table = read(page) | tried()
    PAGE.write_text(before + START + written(table) + STOP + after, encoding="utf-8")


if __name__ == "__main__":
    main()
