"""Save tensors to files, and load them: PyTorch's format, both ways, and others.

- `files.py` is where `save` and `load` begin; `atomic.py` replaces files as a whole.
- `torch_zip.py` is PyTorch's format: a zip archive (`zip_writer.py`, `zip_reader.py`)
  of a pickle (`encoder.py`, `decoder.py`) and of the tensors' memories (`storages.py`,
  `placing.py`).
- `formats.py` says which other formats there are; `npz.py` is NumPy's, `legacy.py`
  PyTorch's before 1.6.
- A pickle is read by an interpreter that knows no import and no call of anything but
  the functions in `names.py`, and of what the user trusts (`trust.py`).

>>> import io, plugrad
>>> file = io.BytesIO()
>>> plugrad.save({"weight": plugrad.zeros(2)}, file)
>>> _ = file.seek(0)
>>> plugrad.load(file)
{'weight': tensor([0., 0.])}
"""

from __future__ import annotations

from .atomic import replacing
from .files import load, save

__all__ = ["load", "replacing", "save"]
