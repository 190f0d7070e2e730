"""The same numbers as a tensor and as a NumPy array: what each says of itself."""

import numpy as np
import torch


def describe(x):
    kind = x.type() if isinstance(x, torch.Tensor) else type(x)
    print(f"{x}\n  dtype {x.dtype}, type {kind}, shape {tuple(x.shape)}")


tens = [10, 20, 30, 40, 50]
describe(torch.tensor(tens, dtype=torch.float))
describe(np.array(tens, dtype=np.float64))
describe(torch.ones(5, 3, dtype=torch.double) / 3)
describe(torch.rand(5, 3, dtype=torch.double) < 1)
