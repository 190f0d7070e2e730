"""One tensor by three numbers: a loop, written as one product of stacked tensors."""

import torch

a, b = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
product = a * b
rows = torch.stack([product] * 3, dim=0)
factors = torch.stack([product * 1, product * 1.5, product * 2])
print(rows * factors)
