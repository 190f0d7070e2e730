"""`torch.Tensor` is a class and makes floats; `torch.tensor` looks at the numbers."""

import torch

for t in (torch.Tensor([1, 2]), torch.tensor([1, 2]), torch.tensor([1.0, 2.0])):
    print(t, t.dtype, t.type(), isinstance(t, torch.Tensor))
