"""First weights that can be kept, so that two runs start from the same point.

`begin(net)` does nothing, unless the environment variable START names a file: then the
weights are read from it, or written to it if it is not there yet.
"""

import os

import numpy as np
import torch


def begin(*nets):
    """Give the networks (or lists of tensors) the weights that START holds."""
    path = os.environ.get("START")
    if not path:
        return
    tensors = [t for net in nets for t in tensors_of(net)]
    if not os.path.exists(path):
        np.savez(path, *[t.detach().numpy() for t in tensors])
    with np.load(path) as kept, torch.no_grad():
        for i, t in enumerate(tensors):
            t.copy_(torch.from_numpy(kept[f"arr_{i}"]))


def tensors_of(net):
    """Parameters and buffers of a network; the tensors of a list."""
    if isinstance(net, torch.nn.Module):
        return [*net.parameters(), *net.buffers()]
    return net
