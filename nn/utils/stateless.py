"""Call a module with other parameters and buffers than its own."""

from __future__ import annotations

from typing import Any

from plugrad import Module, Tensor

__all__ = ["functional_call"]

Place = tuple[dict[str, Any], str]


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with the tensors of a dictionary for its parameters and buffers of
    those names. A tensor that the module replaces in the call is put into the
    dictionary. What the module has by several names is replaced everywhere, unless
    `tie_weights` is False; with `strict`, all names have to be there.

    >>> import plugrad
    >>> from plugrad.nn.utils.stateless import functional_call
    >>> layer = plugrad.nn.Linear(2, 1)
    >>> given = {"weight": plugrad.ones(1, 2), "bias": plugrad.zeros(1)}
    >>> functional_call(layer, given, plugrad.tensor([1.0, 2.0]))
    tensor([3.])
    """
    places = places_of(module)
    values = dict(parameters_and_buffers)
    if tie_weights:
        values = tied(places, values)
    if strict:
        check_keys(module, places, values)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    before = {}
    for name, value in values.items():
        if name in places:
            home, key = places[name]
            before[name] = home[key]
            home[key] = value
    try:
        return module(*args, **(kwargs or {}))
    finally:
        for name, value in before.items():
            home, key = places[name]
            if name in parameters_and_buffers:
                parameters_and_buffers[name] = home[key]
            home[key] = value


def places_of(module: Module) -> dict[str, Place]:
    """Where each parameter and buffer of a tree is kept, by each of its names."""
    found: dict[str, Place] = {}
    for path, each in module.named_modules(remove_duplicate=False):
        for home in (each._parameters, each._buffers):
            for key, value in home.items():
                if value is not None:
                    found[f"{path}.{key}" if path else key] = (home, key)
    return found


def check_keys(
    module: Module, places: dict[str, Place], given: dict[str, Tensor]
) -> None:
    """Raise unless there is a tensor for each name."""
    missing = [name for name in places if name not in given]
    unexpected = [name for name in given if name not in places]
    errors = []
    if unexpected:
        errors.append(f"Unexpected key(s): {', '.join(map(repr, unexpected))}.")
    if missing:
        errors.append(f"Missing key(s): {', '.join(map(repr, missing))}.")
    if errors:
        raise RuntimeError(
            f"Error(s) in reparametrizing for {type(module).__name__}:\n\t"
            + "\n\t".join(errors)
        )


def tied(places: dict[str, Place], given: dict[str, Tensor]) -> dict[str, Tensor]:
    """A tensor for all names of what some names were given for."""
    groups: dict[int, list[str]] = {}
    for name, (home, key) in places.items():
        groups.setdefault(id(home[key]), []).append(name)
    found = dict(given)
    for names in groups.values():
        values = {id(given[name]): given[name] for name in names if name in given}
        if len(values) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(names)}, which "
                "are tied. Consider using tie_weights=False"
            )
        for value in values.values():
            found.update(dict.fromkeys(names, value))
    return found
