"""Long comparisons: random programs, whole sweeps. Run by `make campaign`.

A campaign is a module of this package with a function

    def run(seed: int, budget: float) -> Report

and a docstring that says what is compared, first in one line. Its name stands in
`registry.py`. `budget` is the number of seconds it may take; math.inf asks for the
whole of it. A case is made from `(seed, number)` alone, so that a failure can be made
again whatever the budget was. `cases` counts them out, each call within the budget it
is given:

    report = Report()
    for case in cases("a random program", 100_000, budget, report):
        rng = random.Random(f"{seed}/{case}")
        ...
        if not equal(...):
            report.fail(case, "add(float16, int64): float32, torch has float16")
    return report
"""
