"""The campaigns, by name. Each is the module of that name beside this file."""

from __future__ import annotations

CAMPAIGNS: list[str] = [
    "ops",
    "gradients",
    "inplace",
    "indexing",
    "promotion",
    "strict",
    "layers",
    "optimizers",
    "memory",
    "cycles",
    "checkpoint_flips",
    "checkpoint_mutants",
    "checkpoint_kills",
    "checkpoint_wheels",
    "pictures",
    "fashion",
]
