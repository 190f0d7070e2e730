"""A Variable, as old programs wrap what they want the gradient of."""

import torch as t
from torch.autograd import Variable as V

x = V(t.ones(2, 2), requires_grad=True)
y = (x + 2) ** 2
y.sum().backward()
print(x, x.grad, x.grad.data)
