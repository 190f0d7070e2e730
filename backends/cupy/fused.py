"""Chains of elementwise steps as one kernel each.

CuPy launches a kernel for every operation, which costs about 5 us and a pass through
memory; these take one launch and one pass. The code of each is C++, for one element.
16-bit floats are computed in 32 bits: `W` is the type to compute in.
"""

from __future__ import annotations

from typing import Any

PREAMBLE = """
template <class T> struct compute { typedef float type; };
template <> struct compute<double> { typedef double type; };
"""

# name: (inputs, outputs, code); a "W" in the code is the compute type of T
KERNELS = {
    # --- activation functions
    "relu": ("T x", "T y", "y = x < T(0) ? T(0) : x"),
    "gate": ("T g, T x", "T y", "y = x != T(0) ? g : T(0)"),
    "sigmoid": ("T x", "T y", "y = T(W(1) / (W(1) + exp(-W(x))))"),
    "silu": ("T x", "T y", "y = T(W(x) / (W(1) + exp(-W(x))))"),
    "logsigmoid": (
        "T x",
        "T y",
        "W v = W(x); y = T((v < W(0) ? v : W(0)) - log1p(exp(-fabs(v))))",
    ),
    "softplus": (
        "T x, float64 beta, float64 threshold",
        "T y",
        """
        W v = W(x), z = v * W(beta);
        W above = z > W(0) ? z : W(0);
        y = z > W(threshold) ? x : T((above + log1p(exp(-fabs(z)))) / W(beta))
        """,
    ),
    "leaky_relu": (
        "T x, float64 slope",
        "T y",
        "y = x > T(0) ? x : T(W(x) * W(slope))",
    ),
    "leak": (
        "T g, T x, float64 slope",
        "T y",
        "y = x > T(0) ? g : T(W(g) * W(slope))",
    ),
    "elu": (
        "T x, float64 alpha",
        "T y",
        "y = x > T(0) ? x : T(expm1(W(x)) * W(alpha))",
    ),
    "hardtanh": (
        "T x, float64 low, float64 high",
        "T y",
        "W v = W(x); y = v < W(low) ? T(W(low)) : v > W(high) ? T(W(high)) : x",
    ),
    "gelu": (
        "T x",
        "T y",
        "W v = W(x); y = T(v * W(0.5) * (erf(v * W(0.7071067811865476)) + W(1)))",
    ),
    "gelu_tanh": (
        "T x",
        "T y",
        """
        W v = W(x);
        W inner = (v + v * v * v * W(0.044715)) * W(0.7978845608028654);
        y = T(v * W(0.5) * (tanh(inner) + W(1)))
        """,
    ),
    "erf": ("T x", "T y", "y = T(erf(W(x)))"),
    "erfc": ("T x", "T y", "y = T(erfc(W(x)))"),
    "rsqrt": ("T x", "T y", "y = T(W(1) / sqrt(W(x)))"),
    # --- steps of optimizers, written into their last argument
    "add_scaled": ("T b, float64 alpha", "T x", "x = T(W(x) + W(alpha) * W(b))"),
    "axpby": (
        "T b, float64 alpha, float64 beta",
        "T x",
        "x = T(W(beta) * W(x) + W(alpha) * W(b))",
    ),
    "add_product": (
        "T a, T b, float64 value",
        "T x",
        "x = T(W(x) + W(value) * W(a) * W(b))",
    ),
    "add_quotient": (
        "T a, T b, float64 value",
        "T x",
        "x = T(W(x) + W(value) * (W(a) / W(b)))",
    ),
    "lerp": (
        "T a, T b, float64 weight",
        "T y",
        """
        W from = W(a), to = W(b), step = to - from;
        y = fabs(weight) < 0.5 ? T(from + step * W(weight))
                               : T(to - step * (W(1) - W(weight)))
        """,
    ),
    # --- parts of softmax and its relatives
    "exp_below": ("T x, T top", "T y", "y = T(exp(W(x) - W(top)))"),
    "log_share": (
        "T x, T top, T total",
        "T y",
        "y = T(W(x) - W(top) - log(W(total)))",
    ),
    "softmax_slope": (
        "T g, T y, T total",
        "T z",
        "z = T((W(g) - W(total)) * W(y))",
    ),
    "log_softmax_slope": (
        "T g, T y, T total",
        "T z",
        "z = T(W(g) - exp(W(y)) * W(total))",
    ),
    # --- random numbers
    "box_muller": (
        "T u, T v",
        "T y, T z",
        """
        W radius = sqrt(log(W(1) - W(u)) * W(-2));
        W angle = W(v) * W(6.283185307179586);
        y = T(radius * cos(angle));
        z = T(radius * sin(angle))
        """,
    ),
}


class Fused:
    """The kernels, each made when it is first asked for as an attribute."""

    def __init__(self, cp: Any) -> None:
        self.cp = cp

    def __getattr__(self, name: str) -> Any:
        if name not in KERNELS:
            raise AttributeError(f"there is no fused kernel {name!r}")
        inputs, outputs, code = KERNELS[name]
        preamble = ""
        if "W" in code:
            preamble = PREAMBLE
            code = f"typedef compute<T>::type W; {code.strip()}"
        made = self.cp.ElementwiseKernel(
            inputs, outputs, code, f"plugrad_{name}", preamble=preamble
        )
        setattr(self, name, made)
        return made
