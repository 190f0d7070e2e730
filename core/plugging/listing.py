"""List the installed plugins and backends, and what state each is in.

Listing runs no plugin and imports no array library: it reads files and metadata, and
what discovery remembers of this process.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import selection
from . import discovery, installed


class PluginInfo(NamedTuple):
    """What is known of a plugin.

    `status` is one of "loaded", "available" (nothing is known to be missing), "not
    installed" (a library that it needs is), "failed" (at its last use), "denied" (by
    PLUGRAD_PLUGINS), "ignored" (its name is taken), or "duplicate" (another plugin is
    called the same). `reason` says why, and `hint` what to do.

    >>> import plugrad
    >>> numpy = next(each for each in plugrad.list_backends() if each.name == "numpy")
    >>> numpy.kinds, numpy.module
    (('backend',), 'plugrad.backends.numpy')
    """

    name: str
    kinds: tuple[str, ...]  # of hooks; () if only running it would tell
    distribution: str
    version: str
    module: str
    file: str
    status: str
    reason: str
    hint: str


class Listing(list[PluginInfo]):
    """A list that prints as a table.

    >>> import plugrad
    >>> plugrad.list_backends().named("numpy").kinds
    ('backend',)
    """

    def named(self, name: str) -> PluginInfo:
        """The first plugin of that name."""
        for each in self:
            if each.name == name:
                return each
        raise KeyError(name)

    def __repr__(self) -> str:
        return table(self)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The same as dictionaries of plain values, such as JSON takes."""
        return [each._asdict() for each in self]


def list_plugins() -> Listing:
    """Every plugin that is installed, with its state; `plugrad.plugins()` does the
    same, and so does `plugrad plugins` on the command line.

    None is imported for it.

    >>> import plugrad
    >>> {"jax", "numpy"} <= {each.name for each in plugrad.list_plugins()}
    True
    """
    found = [*installed.own_candidates(), *installed.others()]
    return Listing(map(info, found))


def list_backends() -> Listing:
    """Every backend that is installed or was registered, with its state;
    `plugrad.backends()` does the same.

    A plugin of another distribution is listed too if its text does not tell what it is.

    >>> import plugrad
    >>> print(plugrad.list_backends())
    name  ...
    numpy ...
    """
    found = [
        each for each in list_plugins() if not each.kinds or "backend" in each.kinds
    ]
    names = {each.name for each in found}
    for name in sorted(selection._loaded.keys() | selection._factories.keys()):
        if name not in names:
            found.append(registered(name))
    return Listing(found)


def info(candidate: installed.Candidate) -> PluginInfo:
    """What is known of an installed plugin."""
    status, reason, hint = state(candidate)
    source = discovery.active.get(candidate.name)
    kinds = candidate.kinds or ()
    if status == "loaded" and source is not None:
        kinds = source.kinds
    return PluginInfo(
        candidate.name,
        kinds,
        candidate.distribution,
        candidate.version,
        candidate.value,
        candidate.file,
        status,
        reason,
        hint,
    )


def state(candidate: installed.Candidate) -> tuple[str, str, str]:
    """The status of a plugin, the reason, and what to do."""
    name = candidate.name
    source = discovery.active.get(name)
    if source is not None and source.candidate.value == candidate.value:
        why = discovery.failed.get(name, "")
        return ("failed" if why else "loaded"), why, ""
    rules = installed.Rules()
    if rules.forbid(candidate):
        return "denied", f"by PLUGRAD_PLUGINS={rules.text}", ""
    if not candidate.builtin:
        why = installed.reserved(name)
        if why is not None:
            return "ignored", why, ""
        same = [e for e in installed.others(name) if not rules.forbid(e)]
        if len(same) > 1:
            rest = [e for e in same if e.distribution != candidate.distribution]
            hint = f"PLUGRAD_PLUGINS={discovery.also_deny(rest, rules)}"
            return "duplicate", f"{len(same)} plugins have this name", hint
    missing, command = installed.lacks(candidate)
    if missing:
        return "not installed", f"no library {', '.join(map(repr, missing))}", command
    if name in discovery.failed:
        return "failed", discovery.failed[name], ""
    if installed.locate(candidate.module) is None:
        return "failed", f"there is no module {candidate.module!r}", ""
    return "available", "", ""


def registered(name: str) -> PluginInfo:
    """What is known of a backend that has no plugin of its own."""
    loaded = selection._loaded.get(name)
    made = selection._factories.get(name, loaded)
    kind = made if isinstance(made, type) else type(made)
    if name in selection._factories:
        reason = "registered in this process"
    else:
        reason = f"given by plugin {discovery.FALLBACK!r}"
    status = "available" if loaded is None else "loaded"
    return PluginInfo(
        name, ("backend",), "", "", kind.__module__, "", status, reason, ""
    )


# --- the table --------------------------------------------------------------------

WIDTH = 96
HEAD = ("name", "offers", "distribution", "status", "file")


def table(found: list[PluginInfo]) -> str:
    """The plugins in columns; reasons and hints on lines of their own below."""
    rows = [cells(each) for each in found]
    columns = list(zip(HEAD, *rows))[:-1]
    widths = [min(max(map(len, column)), 24) for column in columns]
    lines = [in_columns(HEAD, widths)]
    for each, row in zip(found, rows):
        lines.append(in_columns(row, widths))
        for text in (each.reason, each.hint):
            lines += wrapped(text)
    return "\n".join(lines)


def cells(each: PluginInfo) -> tuple[str, ...]:
    """The cells of a row."""
    source = f"{each.distribution} {each.version}".strip() or "-"
    offers = ", ".join(each.kinds) or "?"
    return each.name, offers, source, each.status, each.file or each.module


def in_columns(row: tuple[str, ...], widths: list[int]) -> str:
    """A line of the table; of what is too long, the end is kept for the last cell."""
    start = "  ".join(shown(text, n).ljust(n) for text, n in zip(row, widths))
    left = WIDTH - len(start) - 2
    last = row[-1] if len(row[-1]) <= left else "..." + row[-1][3 - left :]
    return f"{start}  {last}".rstrip()


def shown(text: str, width: int) -> str:
    """A text cut to a width, in one line."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3] + "..."


def wrapped(text: str) -> list[str]:
    """A reason as lines below a row; a long one is cut."""
    from textwrap import wrap

    lines = wrap(text, WIDTH - 4, max_lines=4, placeholder=" ...")
    return ["    " + line for line in lines]
