"""To the GPU and back, where there is one."""

import torch

x = torch.tensor([10, 20, 30], dtype=torch.double)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
y = torch.ones_like(x, device=device)
total = x.to(device) + y
print(total.to("cpu", torch.float), y.device.type == device.type)
