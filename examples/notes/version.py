"""Which PyTorch is this?"""

import torch

print(torch.__version__.split("+")[0])
