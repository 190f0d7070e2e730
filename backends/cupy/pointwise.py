"""Arithmetic, elementary functions, activation functions and choices, by element."""

from __future__ import annotations

from typing import Any

# ops that a ufunc of CuPy is
UFUNCS = {
    "add": "add",
    "div": "true_divide",
    "sub": "subtract",
    "mul": "multiply",
    "neg": "negative",
    "square": "square",
    "exp": "exp",
    "expm1": "expm1",
    "log": "log",
    "log2": "log2",
    "log10": "log10",
    "log1p": "log1p",
    "logaddexp2": "logaddexp2",
    "sqrt": "sqrt",
    "hypot": "hypot",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "deg2rad": "deg2rad",
    "rad2deg": "rad2deg",
    "copysign": "copysign",
    "maximum": "maximum",
    "minimum": "minimum",
    "fmax": "fmax",
    "fmin": "fmin",
    "clamp_min": "maximum",
    "clamp_max": "minimum",
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "logical_and": "logical_and",
    "logical_or": "logical_or",
    "logical_xor": "logical_xor",
    "logical_not": "logical_not",
    "bitwise_and": "bitwise_and",
    "bitwise_or": "bitwise_or",
    "bitwise_xor": "bitwise_xor",
    "bitwise_not": "invert",
    "bitwise_left_shift": "left_shift",
    "bitwise_right_shift": "right_shift",
}


def is_real(x: Any) -> bool:
    """Whether elements are floating-point numbers that a fused kernel computes with."""
    return x.dtype.kind in "fV"


class Pointwise:
    """Kernels that compute each element by itself."""

    k: Any
    cp: Any
    fused: Any
    default: Any

    # --- Arithmetic -------------------------------------------------------------------

    def add_(self, x: Any, b: Any, alpha: Any = 1) -> Any:
        """x += alpha * b, in one kernel without a temporary."""
        if type(alpha) is not bool and alpha == 1:
            return self.cp.add(x, b, out=x)
        if is_real(x) and b.dtype == x.dtype and isinstance(alpha, int | float):
            self.fused.add_scaled(b, float(alpha), x)
            return x
        return self.cp.add(x, self.scaled(b, alpha), out=x)

    def sub_(self, x: Any, b: Any, alpha: Any = 1) -> Any:
        """x -= alpha * b."""
        if x.dtype.kind == "b":
            raise RuntimeError(
                "Subtraction, the `-` operator, with a bool tensor is not supported"
            )
        if type(alpha) is not bool and alpha == 1:
            return self.cp.subtract(x, b, out=x)
        if is_real(x) and b.dtype == x.dtype and isinstance(alpha, int | float):
            self.fused.add_scaled(b, -float(alpha), x)
            return x
        return self.cp.subtract(x, self.scaled(b, alpha), out=x)

    def axpby_(self, x: Any, other: Any, alpha: Any = 1, beta: Any = 1) -> Any:
        """x = beta * x + alpha * other."""
        numbers = isinstance(alpha, int | float) and isinstance(beta, int | float)
        if numbers and is_real(x) and other.dtype == x.dtype:
            self.fused.axpby(other, float(alpha), float(beta), x)
            return x
        return self.cp.add(self.scaled(x, beta), self.scaled(other, alpha), out=x)

    def scaled(self, b: Any, alpha: Any) -> Any:
        """alpha * b; an alpha of another kind than `b` raises."""
        kind = b.dtype.kind
        if isinstance(alpha, bool) and kind != "b":
            raise RuntimeError("Boolean alpha only supported for Boolean results.")
        if not isinstance(alpha, int) and kind in "biu":
            raise RuntimeError(
                f"alpha={alpha!r} does not fit tensors of dtype {b.dtype}: it must be "
                "an integer for them"
            )
        return b * self.cp.asarray(alpha, dtype=b.dtype)

    def addcmul_(self, x: Any, tensor1: Any, tensor2: Any, value: Any = 1) -> Any:
        """x += value * tensor1 * tensor2."""
        if is_real(x) and tensor1.dtype == tensor2.dtype == x.dtype:
            self.fused.add_product(tensor1, tensor2, float(value), x)
            return x
        if x.dtype.kind in "iu":
            value = int(value)
        product = tensor1 * tensor2
        return self.cp.add(x, product if value == 1 else product * value, out=x)

    def addcdiv_(self, x: Any, tensor1: Any, tensor2: Any, value: Any = 1) -> Any:
        """x += value * tensor1 / tensor2."""
        if is_real(x) and tensor1.dtype == tensor2.dtype == x.dtype:
            self.fused.add_quotient(tensor1, tensor2, float(value), x)
            return x
        quotient = tensor1 / tensor2
        return self.cp.add(x, quotient if value == 1 else quotient * value, out=x)

    def lerp(self, x: Any, end: Any, weight: Any) -> Any:
        """x + weight * (end - x), from the end that is nearer."""
        if is_real(x) and isinstance(weight, int | float):
            return self.fused.lerp(x, end, float(weight))
        return self.default("lerp", x, end, weight)

    def lerp_(self, x: Any, end: Any, weight: Any) -> Any:
        """The same, written into x."""
        if is_real(x) and isinstance(weight, int | float):
            return self.fused.lerp(x, end, float(weight), x)
        x[...] = self.default("lerp", x, end, weight)
        return x

    def rsqrt(self, x: Any) -> Any:
        """1 / sqrt(x)."""
        return self.fused.rsqrt(x) if is_real(x) else self.default("rsqrt", x)

    def erf(self, x: Any) -> Any:
        """The error function."""
        return self.fused.erf(x)

    def erfc(self, x: Any) -> Any:
        """1 - erf(x)."""
        return self.fused.erfc(x)

    # --- Activation functions ---------------------------------------------------------

    def relu(self, x: Any) -> Any:
        """max(x, 0)."""
        return self.fused.relu(x)

    def gate(self, g: Any, y: Any) -> Any:
        """g where y is not zero, else 0."""
        return self.fused.gate(g, y)

    def sigmoid(self, x: Any) -> Any:
        """1 / (1 + exp(-x))."""
        return self.fused.sigmoid(x) if is_real(x) else self.default("sigmoid", x)

    def logsigmoid(self, x: Any) -> Any:
        """log(sigmoid(x))."""
        return self.fused.logsigmoid(x)

    def silu(self, x: Any) -> Any:
        """x * sigmoid(x)."""
        return self.fused.silu(x) if is_real(x) else x / (self.cp.exp(-x) + 1)

    def softplus(self, x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
        """log(1 + exp(beta * x)) / beta, and x beyond the threshold."""
        return self.fused.softplus(x, float(beta), float(threshold))

    def leaky_relu(self, x: Any, negative_slope: float = 0.01) -> Any:
        """x where it is positive, else its multiple."""
        return self.fused.leaky_relu(x, float(negative_slope))

    def leak(self, g: Any, x: Any, slope: float) -> Any:
        """g, times the slope where x is not positive."""
        return self.fused.leak(g, x, float(slope))

    def elu(self, x: Any, alpha: float = 1.0) -> Any:
        """x where it is positive, else alpha * (exp(x) - 1)."""
        return self.fused.elu(x, float(alpha))

    def hardtanh(self, x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
        """x within limits, which integers take as integers."""
        if not is_real(x) or min_val > max_val:
            return self.default("hardtanh", x, min_val, max_val)
        return self.fused.hardtanh(x, float(min_val), float(max_val))

    def gelu(self, x: Any, approximate: str = "none") -> Any:
        """x times the chance that a normal number is below x."""
        if approximate == "none":
            return self.fused.gelu(x)
        if approximate == "tanh":
            return self.fused.gelu_tanh(x)
        raise RuntimeError(
            f"gelu: approximate must be 'none' or 'tanh', but is {approximate!r}"
        )

    # --- Writing ----------------------------------------------------------------------

    def fill_(self, x: Any, value: Any) -> Any:
        """x[...] = value."""
        x[...] = value
        return x

    def copy_(self, x: Any, src: Any, non_blocking: bool = False) -> Any:
        """x[...] = src."""
        if src.ndim > x.ndim:
            raise RuntimeError(
                f"output with shape {list(x.shape)} doesn't match the broadcast shape "
                f"{list(src.shape)}"
            )
        x[...] = src
        return x
