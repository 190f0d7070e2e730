"""The suite that tells a backend's author what works; installed with plugrad.

    pytest --pyargs plugrad.conformance --plugrad-backend=mybackend

- `levels` is the table of tests: the level of each, and for which cells it is made. A
  cell is one op in one dtype, or one case: a row of `layers`, `losses`, `optimizers`,
  `models` or `programs`.
- `cells` says which cells there are for a backend, and which of them it declares that
  it cannot do (n/a).
- `calls` makes sample calls and compares what comes of them; `compared` does so for
  cases.
- `session` is the plugin of pytest: it makes the tests, and notes what they found.
- `report` makes pages and badges of that: `python -m plugrad.conformance report`.

docs/conformance.md says how to use it.
"""

from __future__ import annotations

__all__: list[str] = []
