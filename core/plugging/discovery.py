"""Find plugins by name, and call their hooks.

- A name is first tried by convention (`plugrad.backends.NAME`, `plugrad.plugins.NAME`,
  `plugrad.NAME`), which costs no scan, then among the entry points of the group
  `plugrad`; see installed.py. A backend that no plugin is called after is asked of the
  plugin FALLBACK.
- A plugin is activated when it is first used: imported, its hooks checked by pluggy,
  its ops declared, its package mounted. Hooks are never called per operator.
- Whatever goes wrong with a plugin is a BackendError at that use, with its cause, and
  touches nothing else. The listing remembers it; the next use tries again, as Python's
  import does, since what was missing may have been installed meanwhile.
"""

from __future__ import annotations

from ..errors import BackendError
from ..selection import _loading
from . import installed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType, TracebackType
    from typing import Any

    from ..interface import Backend
    from ..overrides import Overrides
    from .installed import Candidate
    from .listing import PluginInfo

API = 1  # of the interface that plugins are written for: the hooks and what they use
FALLBACK = "array_api"  # the plugin that is asked for a backend that no plugin names

active: dict[str, Active] = {}  # by name
failed: dict[str, str] = {}  # what went wrong with a plugin, the last time
underway: set[str] = set()  # plugins that are being activated


class Active:
    """A plugin that was activated."""

    def __init__(self, candidate: Candidate, plugin: Any, manager: Any) -> None:
        self.candidate = candidate
        self.plugin = plugin
        self.hook = manager.hook
        callers = manager.get_hookcallers(plugin) or ()
        self.kinds = tuple(each.name.removeprefix("plugrad_") for each in callers)

    def call(self, kind: str, **arguments: Any) -> Any:
        """What the plugin's hook of a kind gives, None if it has no such hook."""
        found = getattr(self.hook, f"plugrad_{kind}")(**arguments)
        return next((each for each in found if each is not None), None)


# --- what the rest of core asks for -----------------------------------------------


def find_backend(name: str) -> Backend:
    """The backend that the plugin `name` gives, or else the plugin FALLBACK."""
    from ..devices import BACKENDS, TYPES

    if name in TYPES:
        which = f"; its backend is {BACKENDS[name]!r}" if name in BACKENDS else ""
        raise BackendError(f"{name!r} is a type of device, not a backend{which}")
    source, cause = activate(name), None
    if source is None:
        try:
            source = activate(FALLBACK)
        except BackendError as error:
            cause = error
    found = source and backend_from(source, name)
    if found is not None:
        return found
    if source is not None and source.candidate.name == name:
        raise BackendError(
            f"plugin {source.candidate} offers no backend {name!r}{offers(source)}"
        )
    raise unknown("backend", name) from cause


def backend_from(source: Active, name: str) -> Backend | None:
    """The backend `name`, if the plugin gives it, as core can use it."""
    from ..interface import Backend

    with guarded(source.candidate, f"cannot give backend {name!r}"):
        found = source.call("backend", name=name)
        if found is None:
            return None
        if not isinstance(found, Backend):
            raise BackendError(
                f"its hook plugrad_backend returned {kind_of(found)}, not an instance "
                "of a class derived from plugrad.Backend"
            )
        lacking = flaw(found, name)
        if lacking:
            raise BackendError(f"the backend's class {type(found).__name__} {lacking}")
    return found


def flaw(backend: Backend, name: str) -> str:
    """What a backend does not say that it must, "" if nothing."""
    array_type = backend.array_type
    if not isinstance(array_type, type) or array_type is object:
        return "does not say its array_type, the class of its arrays"
    if backend.namespace is None:
        return "does not say its namespace, the array library's functions"
    if backend.name != name:
        return f"calls itself {backend.name!r}: `name` must be {name!r}"
    if "by_native" not in vars(backend):
        return "does not call super().__init__() in its own __init__"
    return ""


def find_kernels(name: str, backend: str) -> Overrides:
    """The kernels for a backend that the plugin `name` gives."""
    from ..overrides import Overrides

    source = activate(name)
    if source is None:
        raise unknown("plugin", name)
    with guarded(source.candidate, "cannot give its kernels"):
        found = source.call("kernels", name=name)
        if found is not None and not isinstance(found, Overrides):
            raise BackendError(
                f"its hook plugrad_kernels returned {kind_of(found)}, not "
                "plugrad.Overrides"
            )
    if found is None or found.backend != backend:
        other = offers(source) if found is None else f", but for {found.backend!r}"
        raise BackendError(
            f"plugin {source.candidate} offers no kernels for {backend!r}{other}"
        )
    return found


def load_plugin(name: str) -> PluginInfo:
    """Activate a plugin, if it is not active: what brings new ops, or a package that
    is mounted as `plugrad.NAME`, starts to be there. Backends and kernels need no
    such call; they are loaded by their names.

    >>> import plugrad
    >>> plugrad.load_plugin("numpy").status
    'loaded'
    """
    from .listing import info

    source = activate(name)
    if source is None:
        raise unknown("plugin", name)
    return info(source.candidate)


def find_namespace(name: str, full: str) -> ModuleType | None:
    """The package that the plugin `name`, if it is installed, mounts as `full`.

    Only a plugin whose module names that hook is run for it.
    """
    if name not in active:
        found = find(name)
        if found is None or "namespace" not in (found.kinds or ("namespace",)):
            return None
    from sys import modules

    activate(name)
    above, _, last = full.rpartition(".")
    return vars(modules[above]).get(last)


def find_command(name: str) -> Callable[[Sequence[str]], int]:
    """What `plugrad NAME` runs, given by the plugin of that name."""
    source = activate(name)
    if source is None:
        raise unknown("command", name)
    with guarded(source.candidate, "cannot give its command"):
        run: Callable[[Sequence[str]], int] | None = source.call("command", name=name)
        if run is not None and not callable(run):
            raise BackendError(
                f"its hook plugrad_command returned {kind_of(run)}, not a function"
            )
    if run is None:
        raise BackendError(
            f"plugin {source.candidate} offers no command{offers(source)}"
        )
    return run


def offers(source: Active) -> str:
    """What a plugin offers instead, for an error."""
    return f"; what it offers: {', '.join(source.kinds)}"


def unknown(what: str, name: str) -> BackendError:
    """The error of a name that no plugin has."""
    from difflib import get_close_matches

    from ..selection import _factories

    rules = installed.Rules()
    found = list(installed.own_candidates())
    if rules.scans:
        found += installed.others()
    text = f"unknown {what} {name!r}"
    if what == "command":
        found = [each for each in found if what in (each.kinds or ())]
        text += ", which a plugin would bring (`plugrad --help` lists all there are)"
    commands = {e.name: installed.lacks(e)[1] for e in found if not rules.forbid(e)}
    commands |= dict.fromkeys(_factories if what != "command" else (), "")
    text += "; installed: "
    text += ", ".join(sorted(name for name, command in commands.items() if not command))
    if rules.limited:
        text += f"; PLUGRAD_PLUGINS={rules.text} leaves others out"
    for close in get_close_matches(name, commands, n=1, cutoff=0.7):
        text += f"; did you mean {close!r}? {commands[close]}".rstrip()
    return BackendError(text)


# --- finding ----------------------------------------------------------------------


def find(name: str) -> Candidate | None:
    """The one plugin of that name that may be used, None if no plugin has it."""
    rules = installed.Rules()
    found = installed.replacement(name, rules) or installed.conventional(name)
    if found is not None:
        if rules.forbid(found):
            raise denied(found, rules)
        return found
    candidates = installed.others(name) if rules.scans else []
    allowed = [each for each in candidates if not rules.forbid(each)]
    if not allowed:
        if candidates:
            raise denied(candidates[0], rules)
        if any(item.partition("@")[0] == name for item in rules.denied):
            raise BackendError(
                f"plugin {name!r} is denied by PLUGRAD_PLUGINS={rules.text}"
            )
        return None
    why = installed.reserved(name)
    if why is not None:
        raise BackendError(f"plugin {allowed[0]} is ignored: {why}")
    if len(allowed) > 1:
        raise BackendError(
            f"{len(allowed)} plugins are called {name!r}: "
            f"{' and '.join(str(each) for each in allowed)}; uninstall all but one, or "
            f"deny the others: PLUGRAD_PLUGINS={also_deny(allowed[1:], rules)}"
        )
    return allowed[0]


def denied(candidate: Candidate, rules: installed.Rules) -> BackendError:
    """The error of a plugin that may not be used."""
    return BackendError(
        f"plugin {candidate} is denied by PLUGRAD_PLUGINS={rules.text}, and was not "
        "imported"
    )


def also_deny(candidates: list[Candidate], rules: installed.Rules) -> str:
    """PLUGRAD_PLUGINS as it would have to be to deny some more plugins."""
    more = [f"-{each.name}@{each.distribution}" for each in candidates]
    return ",".join(([rules.text] if rules.text else []) + more)


# --- activating -------------------------------------------------------------------


def activate(name: str) -> Active | None:
    """The plugin `name`, activated now if it was not; None if no plugin has the name,
    a BackendError if it may not or cannot be used."""
    found = active.get(name)
    if found is not None:
        return found
    with _loading:
        if name in active:
            return active[name]
        candidate = find(name)
        if candidate is None:
            return None
        if name in underway:
            raise BackendError(
                f"plugin {candidate} asks for itself while it is being loaded"
            )
        underway.add(name)
        try:
            with guarded(candidate, "cannot be loaded"):
                active[name] = found = start(candidate)
        finally:
            underway.discard(name)
    return found


def start(candidate: Candidate) -> Active:
    """Import a plugin, check it, declare its ops and mount its package."""
    from importlib import import_module

    from .mounting import declare_ops, mount, undone

    with undone():  # an op of a failed plugin would be declared twice by the next try
        plugin: Any = import_module(candidate.module)
        for part in filter(None, candidate.attribute.split(".")):
            plugin = getattr(plugin, part)
        check_api(plugin)
        source = Active(candidate, plugin, registered(plugin))
        if not source.kinds:
            raise BackendError(without_hooks(plugin))
        if "ops" in source.kinds:
            declare_ops(source.call("ops"))
        if "namespace" in source.kinds:
            mount(candidate.name, source.call("namespace", name=candidate.name))
    return source


def registered(plugin: Any) -> Any:
    """A pluggy manager of its own for a plugin: it has checked that the hooks exist
    and what they take, and calls this plugin only."""
    import pluggy

    from . import hookspecs

    manager = pluggy.PluginManager(installed.GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    manager.check_pending()
    return manager


def check_api(plugin: Any) -> None:
    """Refuse a plugin that says `plugrad_api` and does not mean this version."""
    wanted = getattr(plugin, "plugrad_api", API)
    span = (wanted, wanted) if isinstance(wanted, int) else wanted
    if (
        not isinstance(span, tuple)
        or len(span) != 2
        or not all(isinstance(each, int) for each in span)
    ):
        raise BackendError(
            f"its plugrad_api is {wanted!r}; it must be a version such as {API}, or "
            f"the first and the last that will do, such as {(API, API + 1)}"
        )
    if not span[0] <= API <= span[1]:
        from .. import __version__

        asked = f"{span[0]}" if span[0] == span[1] else f"{span[0]} to {span[1]}"
        raise BackendError(
            f"it is written for version {asked} of the plugin interface, and plugrad "
            f"{__version__} has version {API}; install "
            f"a {'newer' if span[1] < API else 'older'} release of the plugin, or "
            f"{'an older' if span[1] < API else 'a newer'} plugrad"
        )


def without_hooks(plugin: Any) -> str:
    """What is wrong with a plugin in which pluggy found no hooks."""
    names = [f"plugrad_{kind}" for kind in installed.KINDS]
    bare = [name for name in names if callable(getattr(plugin, name, None))]
    if bare:
        return f"its function {bare[0]} is not marked with @plugrad.hookimpl"
    return f"it has none of the hooks {', '.join(names)}"


def kind_of(value: Any) -> str:
    """What a value is, for an error."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"a {type(value).__name__}"


class guarded:
    """Turns whatever a plugin raises inside into a BackendError with that cause.

    Only KeyboardInterrupt passes: it is the user's, not the plugin's. SystemExit is
    caught, or a plugin that calls sys.exit would end the program.
    """

    def __init__(self, candidate: Candidate, what: str) -> None:
        self.candidate = candidate
        self.what = what

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            failed.pop(self.candidate.name, None)
        if error is None or isinstance(error, KeyboardInterrupt):
            return
        why = text_of(error)
        if isinstance(error, ModuleNotFoundError):
            why += advice(self.candidate)
        failed[self.candidate.name] = f"{self.what}: {why}"
        raise BackendError(f"plugin {self.candidate} {self.what}: {why}") from error


def text_of(error: BaseException) -> str:
    """An exception in words; its own may not be to be had."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        return f"{name}, which cannot be shown as text"
    if isinstance(error, BackendError):
        return text
    if isinstance(error, SystemExit):
        return f"it called sys.exit({text})"
    return f"{name}: {text}" if text else name


def advice(candidate: Candidate) -> str:
    """What to install, where a plugin lacks a library and its metadata say how."""
    missing, command = installed.lacks(candidate)
    return f"; install what it needs: {command}" if missing else ""
