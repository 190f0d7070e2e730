"""Plugrad's tests.

`tests/conformance` is mounted as `plugrad.conformance` and run under that name (whole
in `make conformance`), `tests/pytest_plugrad` is pytest's way into it;
`tests/against_torch` needs torch and runs in `make compare`; `tests/campaigns` are
long and run in `make campaign`. All else runs in `make test`.
"""
