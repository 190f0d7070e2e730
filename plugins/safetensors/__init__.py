"""Files of the library `safetensors`, with tensors of plugrad.

    plugrad.save(net.state_dict(), "net.safetensors")
    plugrad.load("net.safetensors", mmap=True)

- The library reads and checks what a file says of its tensors. Their elements go from
  the file straight to a backend; with `mmap`, when they are looked at.
- Elements are written in order, whatever the steps of a tensor: NumPy's writer in the
  library takes the memory as it lies, and stores a transposed matrix wrong. Tensors on
  one memory are written apart, since the format knows nothing else.
- The format has no checksums. A file is replaced as a whole, as all that plugrad saves.
"""

from __future__ import annotations

from .files import load_file, read_metadata, save_file
from .hooks import plugrad_format

__all__ = ["load_file", "plugrad_format", "read_metadata", "save_file"]
