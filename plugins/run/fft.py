"""`torch.fft`: plugrad has no Fourier transforms."""

from __future__ import annotations

from .absent import absent

WHY = "plugrad has no Fourier transforms; numpy.fft takes x.numpy()"
NAMES = """
    fft fft2 fftfreq fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft irfft2
    irfftn rfft rfft2 rfftfreq rfftn
"""
globals().update(absent("torch.fft", NAMES, WHY))
