"""Large products and convolutions, against what the processor can compute at most.

That most is measured here: the better of the products that oneDNN and OpenBLAS compute
of matrices of 4096, called as a C program calls them (OpenBLAS with its kernels for
AVX-512 where the processor has it, which it does not always choose). plugrad computes
by its own calls, `a @ b` and `conv2d`, with oneDNN's kernels. Each has a process of its
own. Corners of the results are compared with NumPy's in float64 before anything is
timed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .isolation import threads
from .timing import Plan, Spread, Times, brief, print_notes, progress, table
from .workers import Call, Group, group

THREADS = 2
SIZE = 4096  # of the matrices
BATCH = 32
BAR = 0.90  # of the most
PLAIN = "plugrad with onednn"
ONEDNN, OPENBLAS = "oneDNN's sgemm", "OpenBLAS"
CORNER = 4  # of the results, compared


@dataclass(frozen=True)
class Product:
    """A square matrix times another."""

    size: int = SIZE

    @property
    def flops(self) -> float:
        return 2.0 * self.size**3

    def numbers(self) -> tuple[Any, Any]:
        return draw(self.size, self.size), draw(self.size, self.size)

    def corner(self, y: Any) -> Any:
        return y[:CORNER, :CORNER]

    def expected(self) -> Any:
        a, b = self.numbers()
        return a[:CORNER].astype(float) @ b[:, :CORNER].astype(float)

    def call(self, t: Any, a: Any, b: Any) -> Call:
        return lambda: a @ b


@dataclass(frozen=True)
class Convolution:
    """3 x 3, as many channels out as in, as VGG and ResNet have them."""

    channels: int
    side: int

    @property
    def flops(self) -> float:
        return 2.0 * BATCH * (self.channels * self.side * 3) ** 2

    def numbers(self) -> tuple[Any, Any]:
        c, n = self.channels, self.side
        return draw(BATCH, c, n, n), draw(c, c, 3, 3)

    def corner(self, y: Any) -> Any:
        return y[0, :CORNER, :CORNER, :CORNER]

    def expected(self) -> Any:
        x, w = (each.astype(float) for each in self.numbers())
        x = np.pad(x[0, :, : CORNER + 1, : CORNER + 1], ((0, 0), (1, 0), (1, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
        return np.einsum("chwij,ocij->ohw", windows, w[:CORNER])

    def call(self, t: Any, x: Any, w: Any) -> Call:
        return partial(t.nn.functional.conv2d, x, w, padding=1)


CASES: dict[str, Product | Convolution] = {
    f"{SIZE} x {SIZE} times the same": Product(),
    "conv 3 x 3, 64 channels, 56 x 56": Convolution(64, 56),
    "conv 3 x 3, 128 channels, 28 x 28": Convolution(128, 28),
    "conv 3 x 3, 256 channels, 14 x 14": Convolution(256, 14),
}
LARGE = next(iter(CASES))
Rates = dict[tuple[str, str], list[float]]  # GFLOP/s by contestant and case


@cache
def draw(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).standard_normal(shape, np.float32)


def run(quick: bool = False) -> dict[str, Any]:
    plan = Plan(rounds=5, turn=0.1, patience=10.0) if quick else PLAN
    with group() as contestants:
        for who, (maker, variables) in makers().items():
            cases = [LARGE] if maker in (by_onednn, by_openblas) else list(CASES)
            for case in cases:
                progress(f"peak: {who}, {case}")
                start(contestants, who, case, maker, threads(THREADS) | variables)
        times, busy = contestants.alternate(plan)
        notes = contestants.notes
    progress("")
    notes += [f"processors busy, {name}: {each:.2f}" for name, each in busy.items()]
    return show(times, notes)


PLAN = Plan(rounds=11, turn=0.3, patience=60.0)


def makers() -> dict[str, tuple[Callable[..., Any], dict[str, str]]]:
    """Everyone's maker, and the variables of its process."""
    found: dict[str, tuple[Callable[..., Any], dict[str, str]]] = {
        PLAIN: (by_plugrad, {}),
        "torch": (by_torch, {}),
        ONEDNN: (by_onednn, {}),
        OPENBLAS: (by_openblas, {}),
    }
    if has_avx512():
        forced = {"OPENBLAS_CORETYPE": "SkylakeX"}
        found[f"{OPENBLAS}, AVX-512"] = (by_openblas, forced)
    return found


def has_avx512() -> bool:
    """OpenBLAS ends the process where kernels are forced that the processor lacks."""
    try:
        return " avx512f " in Path("/proc/cpuinfo").read_text(encoding="ascii")
    except OSError:
        return False


def start(
    contestants: Group, who: str, case: str, maker: Any, variables: dict[str, str]
) -> None:
    """Start it, if what it computes is right."""
    name = f"{who}: {case}"
    shown = contestants.start(name, maker, case, variables=variables)
    if shown is None:
        return
    try:
        np.testing.assert_allclose(shown, CASES[case].expected(), rtol=1e-3, atol=1e-2)
    except AssertionError as error:
        contestants.drop(name, brief(error))


# --- contestants, each in a process of its own --------------------------------------


def by_torch(case: str, name: str = "torch") -> tuple[Call, Any]:
    t = import_module(name)
    import_module(f"{name}.nn")
    call = CASES[case].call(t, *map(t.tensor, CASES[case].numbers()))
    return call, CASES[case].corner(call()).tolist()


def by_plugrad(case: str) -> tuple[Call, Any]:
    import plugrad

    plugrad.use_kernels("numpy", "onednn")
    return by_torch(case, "plugrad")


def by_openblas(case: str) -> tuple[Call, Any]:
    """NumPy's product, which is OpenBLAS's where its own build says so."""
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    if "openblas" not in built:
        raise RuntimeError(f"NumPy is built with {built}")
    a, b = CASES[case].numbers()
    y = np.empty_like(a)
    call = partial(np.matmul, a, b, out=y)
    return call, CASES[case].corner(call()).tolist()


def by_onednn(case: str) -> tuple[Call, Any]:
    from plugrad.plugins.onednn.library import places

    sgemm = ctypes.CDLL(next(places())).dnnl_sgemm
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    sgemm.argtypes = [
        ctypes.c_char, ctypes.c_char, number, number, number, ctypes.c_float,
        pointer, number, pointer, number, ctypes.c_float, pointer, number,
    ]  # fmt: skip
    a, b = CASES[case].numbers()
    y, n = np.empty_like(a), len(a)

    def call() -> None:
        at_a, at_b, at_y = (each.ctypes.data for each in (a, b, y))
        status = sgemm(b"N", b"N", n, n, n, 1.0, at_a, n, at_b, n, 0.0, at_y, n)
        if status:
            raise RuntimeError(f"dnnl_sgemm: status {status}")

    call()
    return call, CASES[case].corner(y).tolist()


# --- what is printed ----------------------------------------------------------------


def show(times: Times, notes: list[str]) -> dict[str, Any]:
    rates: Rates = {}
    for name, seconds in times.items():
        who, _, case = name.partition(": ")
        rates[who, case] = [CASES[case].flops / t / 1e9 for t in seconds]
    spreads = {key: Spread.of(rate) for key, rate in rates.items()}
    everyone = list(dict.fromkeys(who for who, _ in rates))
    print(f"peak: GFLOP/s of float32, {THREADS} threads (median, and quartiles)")
    rows = []
    for case in CASES:
        cells = [
            spreads[w, case].text(0) if (w, case) in spreads else "-" for w in everyone
        ]
        rows.append([case, *cells])
    table(["", *everyone], rows)
    shares = show_shares(rates, spreads)
    print_notes(notes)
    return {"rates": {f"{w}: {c}": s for (w, c), s in spreads.items()}, **shares}


def show_shares(rates: Rates, spreads: dict[tuple[str, str], Spread]) -> dict[str, Any]:
    """Print the shares of the most that the machine computes, by rounds."""
    peaks = [key for key in rates if key[0].startswith((ONEDNN, OPENBLAS))]
    if not peaks:
        print_notes(["peak: neither oneDNN nor OpenBLAS is here to compare with"])
        return {}
    best = max(peaks, key=lambda key: spreads[key].median)
    print(f"peak: share of the most, {best[0]}'s {spreads[best].median:.0f} GFLOP/s")
    rows, found = [], {}
    for case in CASES:
        cells = []
        for who in (PLAIN, "torch"):
            pairs = zip(rates.get((who, case), []), rates[best], strict=False)
            share = [a / b for a, b in pairs]
            found[f"{who}: {case}"] = Spread.of(share) if share else None
            cells.append(Spread.of(share).text() if share else "-")
        own = found[f"{PLAIN}: {case}"]
        outcome = "OK" if own is not None and own.median >= BAR else "MISS"
        rows.append([case, *cells, f"{BAR:.2f}", outcome])
    table(["", PLAIN, "torch", "asked of plugrad's", ""], rows)
    return {"shares": found, "most": best[0]}
