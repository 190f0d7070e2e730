"""`from_numpy` and `numpy()` copy nothing: three names for the same memory."""

import numpy as np
import torch

array = np.arange(5.0)
tensor = torch.from_numpy(array)
back = tensor.numpy()
back[1] = 98
tensor[0] = -1
for each in (array, tensor, back):
    print(each)
