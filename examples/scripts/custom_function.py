"""A function with a gradient of its own: Legendre's third polynomial fits a sine."""

import math

import torch

from start import begin


class LegendrePolynomial3(torch.autograd.Function):
    """P3(x) = (5 x^3 - 3 x) / 2"""

    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class Clip(torch.autograd.Function):
    """Clips forward, and lets the gradient pass as if it had not."""

    @staticmethod
    def forward(ctx, x, low, high):
        ctx.bounds = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, g):
        assert ctx.needs_input_grad == (True, False, False)
        return g, None, None


x = torch.linspace(-math.pi, math.pi, 500)
y = torch.sin(x)
weights = [torch.tensor(v, requires_grad=True) for v in (0.1, -1.0, 0.1, 0.3)]
begin(weights)
a, b, c, d = weights

for step in range(301):
    y_pred = a + b * LegendrePolynomial3.apply(c + d * x)
    loss = (Clip.apply(y_pred, -1.5, 1.5) - y).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        for p in weights:
            p -= 0.005 * p.grad
            p.grad = None
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

point = torch.tensor([0.3, -0.7], dtype=torch.double, requires_grad=True)
print(torch.autograd.gradcheck(LegendrePolynomial3.apply, (point,)))
