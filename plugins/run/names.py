"""Where the names of PyTorch are that plugrad itself has elsewhere, or not at all."""

from __future__ import annotations

VERSION = "2.13.0+plugrad"  # of PyTorch's interface; scripts compare it

# Modules of this plugin that stand for modules of PyTorch.
STANDINS = {
    f"torch.{name}": f"plugrad.plugins.run.{module}"
    for name, module in {
        "accelerator": "accelerator",
        "backends": "backends",
        "compiler": "compiler",
        "distributed": "distributed",
        "fft": "fft",
        "jit": "jit",
        "multiprocessing": "processes",
        "utils._pytree": "trees",
        "version": "version",
    }.items()
}

# Modules that cannot be imported here, and why.
REFUSED = {
    "plugrad.backends.torch": "the backend 'torch' computes with PyTorch itself, which "
    "cannot be imported where `import torch` means plugrad; choose another, such as "
    "'numpy'",
    "torch.export": "plugrad records no graphs of programs",
    "torch.fx": "plugrad records no graphs of programs",
    "torch.hub": "plugrad downloads no programs; it loads files by torch.load",
    "torch.onnx": "plugrad writes no ONNX files yet",
    "torch.profiler": "plugrad has no profiler; its calls are Python's, and cProfile "
    "sees them",
    "torch.utils.tensorboard": "plugrad writes no TensorBoard files; the package "
    "tensorboardX does, and takes NumPy arrays",
}

# Names at the top of PyTorch that a module of this plugin has.
OWN = {
    "GradScaler": "mixed",
    "UntypedStorage": "storages",
    "are_deterministic_algorithms_enabled": "settings",
    "autocast": "mixed",
    "broadcast_shapes": "functions",
    "get_autocast_dtype": "mixed",
    "get_float32_matmul_precision": "settings",
    "is_autocast_enabled": "mixed",
    "nextafter": "functions",
    "set_flush_denormal": "settings",
    "set_float32_matmul_precision": "settings",
    "typename": "settings",
    "use_deterministic_algorithms": "settings",
}

# Functions that make tensors of arrays, in the arrays' own backend: where another one
# was chosen for the program, they go there.
MAKERS = frozenset(["as_tensor", "asarray", "from_numpy", "tensor"])

# Names at the top of PyTorch that plugrad keeps in nn.functional, with the same
# arguments.
FUNCTIONAL = frozenset(
    """
    adaptive_avg_pool1d adaptive_max_pool1d alpha_dropout avg_pool1d bilinear
    channel_shuffle conv1d conv2d conv3d conv_transpose1d conv_transpose2d
    conv_transpose3d cosine_similarity dropout feature_alpha_dropout group_norm
    layer_norm max_pool1d max_pool2d max_pool3d pairwise_distance pdist pixel_shuffle
    pixel_unshuffle rms_norm
    """.split()
)

# Functions at the top that are methods of Tensor: torch.detach(x) is x.detach(). So are
# all whose names end with one underscore.
METHODS = frozenset(
    "detach is_conj is_inference is_neg is_nonzero is_same_size is_signed".split()
)
