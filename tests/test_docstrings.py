"""Every example in the documentation of an op or a public name runs.

`--doctest-modules` passes the ops by: to doctest, a function belongs to a module if its
globals are the module's, and a written function has globals of its own. Here each
example also stands by itself, without the names of its module.
"""

from __future__ import annotations

import doctest

import pytest

from plugrad.interface import OPS
from tests.house.public_names import declared

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def found_in(name: str, value: object) -> dict[str, doctest.DocTest]:
    """The docstrings with examples of a function, or of a class and its methods."""
    # doctest compiles an example as the future statements among its globals say
    globs = {"annotations": annotations}
    tests = doctest.DocTestFinder().find(value, name, module=False, globs=globs)
    return {test.name: test for test in tests if test.examples}


def examples() -> dict[str, doctest.DocTest]:
    """All of them by name; where several names have one docstring, the first."""
    named = {f"op {name}": op.function for name, op in OPS.items()}
    by_text: dict[str, tuple[str, doctest.DocTest]] = {}
    for name, value in {**named, **declared()}.items():
        for where, test in found_in(name, value).items():
            by_text.setdefault(test.docstring, (where, test))
    return dict(by_text.values())


EXAMPLES = examples()


def run(test: doctest.DocTest) -> None:
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    if runner.run(test, out=said.append).failed:
        raise AssertionError("".join(said))


@pytest.fixture
def same_ops_after():
    """An example may declare an op; the next test is not to see it."""
    before = set(OPS)
    yield
    for name in OPS.keys() - before:
        del OPS[name]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_run(name, same_ops_after):
    run(EXAMPLES[name])


def test_none_is_lost():
    assert len(EXAMPLES) > 300
    assert len([name for name in EXAMPLES if name.startswith("op ")]) > 150


def test_a_wrong_result_fails():
    def wrong():
        """
        >>> 1 + 1
        3
        """

    [test] = found_in("wrong", wrong).values()
    with pytest.raises(AssertionError, match="Expected:\n    3\nGot:\n    2"):
        run(test)
