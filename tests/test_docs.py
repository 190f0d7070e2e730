"""Every Python example of the README and of docs/ runs.

A fenced block of Python with prompts goes through doctest, one without is executed.
The blocks of a file share one namespace and run in order, from an empty folder. The
line `<!-- not run: REASON -->` above a block takes it out.
"""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import plugrad

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]

FENCE = re.compile(
    r"^(?P<indent> *)```python *\n(?P<code>.*?)^(?P=indent)``` *$", re.S | re.M
)
NOT_RUN = re.compile(r"<!-- not run: \S.* -->\s*\Z")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(text: str) -> list[tuple[int, str]]:
    """(number of lines above the code, code) of each block that is to be run."""
    found = []
    for match in FENCE.finditer(text):
        if not NOT_RUN.search(text[: match.start()]):
            indent = match["indent"]
            code = re.sub(f"^{indent}", "", match["code"], flags=re.M)
            found.append((text.count("\n", 0, match.start("code")), code))
    return found


def run_prompts(code: str, names: dict, filename: str, above: int) -> None:
    test = doctest.DocTestParser().get_doctest(code, {}, filename, filename, above)
    test.globs = names
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    if runner.run(test, out=said.append, clear_globs=False).failed:
        raise AssertionError("".join(said))


def run_page(text: str, filename: str) -> int:
    """Run the blocks of a page, and say how many there were."""
    names: dict = {"__name__": "__main__"}
    found = blocks(text)
    for above, code in found:
        if ">>>" in code:
            run_prompts(code, names, filename, above)
        else:
            exec(compile("\n" * above + code, filename, "exec"), names)
    return len(found)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_run(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(path.read_text(encoding="utf-8"), str(path))
    for name, op in list(plugrad.Backend.ops.items()):
        if op.body.__module__ == "__main__":  # a page's own: not for other tests
            del plugrad.Backend.ops[name]


# ---- The runner can fail.

PAGE = """Text.

```python
x = 1
```

- in a list:

  ```python
  >>> x + 1
  2
  >>> y = x
  ```

```python
assert y == 1
```

<!-- not run: it needs a GPU -->
```python
1 / 0
```

```text
>>> not Python
```
"""


def test_blocks_share_names_and_run_in_order():
    assert run_page(PAGE, "page.md") == 3


def test_a_wrong_result_fails_and_names_its_line():
    with pytest.raises(AssertionError, match='"page.md", line 10'):
        run_page(PAGE.replace("  2\n", "  3\n"), "page.md")


def test_an_exception_at_a_prompt_fails():
    with pytest.raises(AssertionError, match="NameError"):
        run_page(PAGE.replace(">>> x + 1", ">>> z + 1"), "page.md")


def test_a_block_without_prompts_fails_by_its_exception():
    with pytest.raises(AssertionError):
        run_page(PAGE.replace("y == 1", "y == 2"), "page.md")


def test_taking_a_block_out_needs_a_reason():
    with pytest.raises(ZeroDivisionError) as error:
        run_page(PAGE.replace(": it needs a GPU", ":"), "page.md")
    assert error.traceback[-1].lineno == PAGE[: PAGE.index("1 / 0")].count("\n")
