"""Which plugins are installed, told without importing any of them.

- A plugin of plugrad's own is found by convention, as `plugrad.backends.NAME`,
  `plugrad.plugins.NAME` or `plugrad.NAME`: no scan is needed for its name. So is
  what another distribution puts there.
- All others have an entry point in the group `plugrad`. These are read in one scan,
  kept until a folder of `sys.path` changes; a distribution with damaged metadata loses
  its own plugins only.
- PLUGRAD_PLUGINS says which may be used (`Rules`).
- Where a plugin lies, what it offers and which libraries it lacks is read from files
  and metadata: listing plugins must not run them.
"""

from __future__ import annotations

import re
import sys
from os import environ, path, stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.machinery import ModuleSpec
    from importlib.metadata import Distribution

GROUP = "plugrad"
PLACES = ("plugrad.backends.", "plugrad.plugins.", "plugrad.")
# Of the hooks plugrad_KIND.
KINDS = ("backend", "kernels", "ops", "namespace", "command")


class Candidate:
    """A plugin that is installed: where it is, and who brought it."""

    def __init__(
        self,
        name: str,
        value: str,
        dist: Distribution | None = None,
        builtin: bool = False,
    ) -> None:
        module, _, attribute = value.partition("[")[0].partition(":")
        self.name = name
        self.value = value
        self.module = module.strip()
        self.attribute = attribute.strip()
        self.found_dist = dist
        self.builtin = builtin

    @property
    def dist(self) -> Distribution | None:
        """The distribution that brought it. Of what was found by convention, entry
        points tell, which are read for this only."""
        if self.found_dist is None and self.builtin:
            same = (each for each in entries(self.name) if each.value == self.value)
            entry = next(same, None)
            self.found_dist = entry.dist if entry is not None else own_distribution()
        return self.found_dist

    @property
    def distribution(self) -> str:
        """The name of the distribution, "" if its metadata do not say."""
        return said_by(self.dist, "Name")

    @property
    def version(self) -> str:
        """The distribution's version, "" if its metadata do not say."""
        return said_by(self.dist, "Version")

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The kinds of hooks that the module's text names; None if it names none, so
        that only running it would tell."""
        spec = locate(self.module)
        found = kinds_in(spec)
        if not found and self.module.startswith(PLACES[0]):
            return ("backend",)
        return found or None

    @property
    def file(self) -> str:
        """The file of the module, "" if there is none."""
        spec = locate(self.module)
        return (spec and spec.origin) or ""

    def __str__(self) -> str:
        source = f"{self.distribution} {self.version}".strip() or "no distribution"
        return f"{self.name!r} ({self.value}, from {source})"


def said_by(dist: Distribution | None, key: str) -> str:
    """A field of a distribution's metadata, which may be damaged."""
    try:
        return str(dist.metadata[key] or "") if dist is not None else ""
    except Exception:
        return ""


# --- where modules are ------------------------------------------------------------


def locate(module: str) -> ModuleSpec | None:
    """How a module would be imported. Unlike importlib's find_spec, it imports nothing,
    not even the packages that the module is in."""
    spec, folders, name = None, None, ""
    for part in module.split("."):
        if name and folders is None:
            return None  # of a module that is no package
        name = f"{name}.{part}" if name else part
        if name in sys.modules:
            spec = getattr(sys.modules[name], "__spec__", None)
        else:
            spec = sought(name, folders)
        if spec is None:
            return None
        folders = spec.submodule_search_locations
    return spec


def located(module: str) -> ModuleSpec | None:
    """The same, but None for a folder without a module in it: what lay there may have
    been removed."""
    spec = locate(module)
    return spec if spec is not None and spec.origin is not None else None


def sought(name: str, folders: list[str] | None) -> ModuleSpec | None:
    """What the finders of this interpreter say of a module."""
    for finder in list(sys.meta_path):
        find = getattr(finder, "find_spec", None)
        if find is None or getattr(finder, "mounts", None) is True:
            continue  # the one in mounting.py would ask for the plugins again
        try:
            spec = find(name, folders)
        except Exception:
            continue
        if spec is not None:
            return spec
    return None


def portions(package: str) -> list[str]:
    """The folders of a package's name in the entries of `sys.path`."""
    parts = package.split(".")
    return [path.abspath(path.join(entry, *parts)) for entry in sys.path]


def kinds_in(spec: ModuleSpec | None) -> tuple[str, ...]:
    """The kinds of hooks that a module's text names."""
    if spec is None or not (spec.origin or "").endswith(".py"):
        return ()
    try:
        with open(spec.origin, "rb") as file:  # type: ignore[arg-type]
            text = file.read(1_000_000)
    except OSError:
        return ()
    return tuple(k for k in KINDS if re.search(rb"\bplugrad_%b\b" % k.encode(), text))


def conventional(name: str) -> Candidate | None:
    """The plugin of plugrad itself that has this name."""
    if not name.isidentifier() or name.startswith("_"):
        return None
    for place in PLACES:
        spec = located(place + name)
        if spec is None:
            continue
        # plugrad.NAME is a plugin if it is a package with hooks, else a part of core
        package = spec.submodule_search_locations is not None
        if place != "plugrad." or (package and kinds_in(spec)):
            return Candidate(name, place + name, builtin=True)
    return None


def reserved(name: str) -> str | None:
    """Why no other distribution can have a plugin of that name, or None."""
    from ..devices import TYPES

    if name in TYPES:
        return f"{name!r} is the name of a type of device"
    if name.isidentifier() and any(located(place + name) for place in PLACES):
        return f"{name!r} is a name of plugrad's own"
    return None


def own_candidates() -> Iterator[Candidate]:
    """Plugrad's own plugins: those in its folders, then those with entry points."""
    from pkgutil import iter_modules

    names: set[str] = set()
    for place in PLACES[:2]:
        spec = locate(place[:-1])
        own = (spec and spec.submodule_search_locations) or []
        for each in iter_modules([*own, *portions(place[:-1])]):
            if not each.name.startswith("_"):
                names.add(each.name)
    names |= {entry.name for entry in entries() if is_own(entry)}
    found = (conventional(name) for name in sorted(names))
    return (each for each in found if each is not None)


# --- entry points -----------------------------------------------------------------

_scanned: tuple[object, list[Candidate]] = (None, [])


def entries(name: str | None = None) -> list[Candidate]:
    """What the entry points of the group say, of one name or of all; a distribution
    that lies in two folders of `sys.path` counts once."""
    global _scanned
    state = [(each, modified(each)) for each in sys.path]
    kept, every = _scanned
    if kept != state:
        every = scan()
        _scanned = (state, every)
    found: dict[tuple[str, str], Candidate] = {}
    for each in every:
        if name is None or each.name == name:
            found.setdefault((each.name, normal(each.distribution)), each)
    return list(found.values())


def modified(folder: str) -> int:
    """When something was last installed into a folder of `sys.path`."""
    try:
        return stat(folder or ".").st_mtime_ns
    except OSError:
        return 0


def scan() -> list[Candidate]:
    """All entry points of the group, in the order of `sys.path`."""
    from importlib.metadata import distributions

    found = []
    try:
        for dist in distributions():
            try:
                text = dist.read_text("entry_points.txt") or ""
            except Exception:
                continue
            if f"[{GROUP}]" in text:
                found += [Candidate(n, value, dist) for n, value in read(text)]
    except Exception:
        pass  # a finder of somebody's; what was found before it is kept
    return found


def read(text: str) -> list[tuple[str, str]]:
    """Names and values of the group's section of an entry_points.txt."""
    found, inside = [], False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line == f"[{GROUP}]"
        elif inside and line and line[0] not in "#;":
            name, _, value = line.partition("=")
            found.append((name.strip(), value.strip()))
    return found


def is_own(entry: Candidate) -> bool:
    """Whether an entry point is that of one of plugrad's own plugins."""
    return entry.value in [place + entry.name for place in PLACES]


def others(name: str | None = None) -> list[Candidate]:
    """The entry points that are not of plugrad's own plugins."""
    return [entry for entry in entries(name) if not is_own(entry)]


def normal(distribution: str) -> str:
    """A distribution's name as an index compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


# --- which may be used ------------------------------------------------------------


class Rules:
    """What PLUGRAD_PLUGINS says: names with commas between them.

    `-x` denies the plugin x. Other names allow: of the plugins that are not plugrad's
    own, only these are used; "none" or "0" allows no name. `x@dist` means the x of
    one distribution only, and takes the place of plugrad's own x, if there is one.
    """

    def __init__(self) -> None:
        self.text = environ.get("PLUGRAD_PLUGINS", "")
        items = [each.strip() for each in self.text.split(",") if each.strip()]
        self.denied = [each[1:] for each in items if each[0] == "-"]
        allowed = [each for each in items if each[0] != "-"]
        self.allowed = [each for each in allowed if each not in ("none", "0")]
        self.limited = bool(allowed)

    @property
    def scans(self) -> bool:
        """Whether any entry point can be allowed."""
        return bool(self.allowed) or not self.limited

    def forbid(self, plugin: Candidate) -> bool:
        """Whether a plugin must not be imported."""
        if any(fits(item, plugin) for item in self.denied):
            return True
        if plugin.module.startswith(PLACES) or not self.limited:
            return False
        return not any(fits(item, plugin) for item in self.allowed)


def replacement(name: str, rules: Rules) -> Candidate | None:
    """The plugin of another distribution that NAME@DISTRIBUTION puts in the place of
    plugrad's own."""
    for item in rules.allowed:
        if item.startswith(name + "@"):
            for candidate in others(name):
                if fits(item, candidate):
                    return candidate
    return None


def fits(item: str, plugin: Candidate) -> bool:
    """Whether NAME or NAME@DISTRIBUTION means a plugin."""
    name, at, distribution = item.partition("@")
    if name != plugin.name:
        return False
    return not at or normal(distribution) == normal(plugin.distribution)


# --- what plugins need ------------------------------------------------------------

REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)[^;]*(?:;(.*))?")
EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")


def own_distribution() -> Distribution | None:
    """Plugrad's own, if it is installed as one."""
    from importlib.metadata import distribution

    try:
        return distribution("plugrad")
    except Exception:
        return None


def lacks(plugin: Candidate) -> tuple[list[str], str]:
    """The libraries that a plugin needs and that are not installed, and what to
    install: its distribution's extras called NAME or NAME-VARIANT say so."""
    needs = needed(plugin.dist)
    extras = {
        extra: [each for each in libraries if not is_installed(each)]
        for extra, libraries in needs.items()
        if extra == plugin.name or extra.startswith(plugin.name + "-")
    }
    missing = [each for each in needs.get("", []) if not is_installed(each)]
    if extras and all(extras.values()):
        # of variants, one is enough; or the library itself, built by other means
        if len(extras) == 1 or locate(plugin.name) is None:
            missing += [plugin.name] if len(extras) > 1 else next(iter(extras.values()))
            ways = [f"pip install '{plugin.distribution}[{extra}]'" for extra in extras]
            return missing, " or ".join(ways)
    return missing, f"pip install {' '.join(missing)}" if missing else ""


def needed(dist: Distribution | None) -> dict[str, list[str]]:
    """The libraries that each extra of a distribution needs, and under "" those that
    it needs itself; those that depend on the system are left out."""
    found: dict[str, list[str]] = {}
    try:
        lines = list(dist.requires or ()) if dist is not None else []
    except Exception:
        return {}
    for line in lines:
        match = REQUIREMENT.match(line)
        if match is None:
            continue
        library, marker = match.groups()
        extra = EXTRA.search(marker or "")
        if marker is None or (extra and EXTRA.fullmatch(marker.strip())):
            found.setdefault(extra[1] if extra else "", []).append(library)
    return found


def is_installed(library: str) -> bool:
    """Whether a distribution is installed, or a module of its name is there."""
    from importlib.metadata import distribution

    try:
        distribution(library)
    except Exception:
        return locate(library.replace("-", "_")) is not None
    return True
