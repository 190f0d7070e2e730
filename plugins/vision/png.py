"""PNG files with the standard library alone: pictures of bytes, grey or in colour.

Written files are readable by everything; read are those without interlacing whose
channels, or palette indices, have 8 bits, or 1 to 8 for grey and palettes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
KINDS = {1: GREY, 2: GREY_ALPHA, 3: RGB, 4: RGB_ALPHA}  # by the number of channels
DEPTHS = {GREY: (1, 2, 4, 8), PALETTE: (1, 2, 4, 8)}
MOST_PIXELS = 1 << 26
STEP = 1 << 16


class ImageError(ValueError):
    """Bytes that are no whole picture, or one of a kind that is not read.

    >>> from plugrad.plugins.vision.io import ImageError, decode_png
    >>> import plugrad
    >>> try:
    ...     decode_png(plugrad.zeros(3, dtype=plugrad.uint8))
    ... except ImageError as error:
    ...     print(error)
    not a PNG file: it starts with 00 00 00
    """


# --- Writing ------------------------------------------------------------------------


def chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def encoded(pixels: np.ndarray, level: int = 6) -> bytes:
    """The file of a picture (height, width, channels) of bytes."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, KINDS[channels], 0, 0, 0)
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # 0: no filter
    rows[:, 1:] = pixels.reshape(height, -1)
    packed = zlib.compress(rows.tobytes(), level)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b"")
    return SIGNATURE + b"".join(parts)


# --- Reading ------------------------------------------------------------------------


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The parts of a file, checked."""
    if data[:8] != SIGNATURE:
        start = data[:8].hex(" ") or "nothing"
        raise ImageError(f"not a PNG file: it starts with {start}")
    place = 8
    while place < len(data):
        if place + 12 > len(data):
            raise ImageError("the file ends within a chunk")
        (size,) = struct.unpack_from(">I", data, place)
        end = place + 12 + size
        if end > len(data):
            raise ImageError("the file ends within a chunk")
        kind, content = data[place + 4 : place + 8], data[place + 8 : end - 4]
        (check,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(kind + content) != check:
            raise ImageError(f"the checksum of a chunk {kind!r} is wrong")
        yield kind, content
        if kind == b"IEND":
            return
        place = end
    raise ImageError("the file ends before its last chunk")


class Header:
    """What the first chunk says."""

    def __init__(self, content: bytes) -> None:
        if len(content) != 13:
            raise ImageError(f"a header of {len(content)} bytes, not 13")
        self.width, self.height, self.depth, self.kind, *ways = struct.unpack(
            ">IIBBBBB", content
        )
        if self.kind not in CHANNELS or not self.width or not self.height:
            raise ImageError("a header that no PNG file has")
        if self.width * self.height > MOST_PIXELS:
            raise ImageError(
                f"{self.width} x {self.height} pixels, more than {MOST_PIXELS} in all"
            )
        if self.depth not in DEPTHS.get(self.kind, (8,)):
            raise ImageError(f"{self.depth} bits in a channel are not read here")
        if ways != [0, 0, 0]:
            raise ImageError("interlaced pictures are not read here")

    @property
    def bits(self) -> int:
        """The bits of a pixel."""
        return CHANNELS[self.kind] * self.depth

    @property
    def row(self) -> int:
        """The bytes of a row, without that of its filter."""
        return (self.width * self.bits + 7) // 8


def decoded(data: bytes) -> np.ndarray:
    """The picture in a file, (height, width, channels) of bytes."""
    parts = chunks(data)
    kind, content = next(parts, (b"", b""))
    if kind != b"IHDR":
        raise ImageError("the first chunk is no header")
    header = Header(content)
    palette, packed = None, []
    for kind, content in parts:
        if kind == b"IDAT":
            packed.append(content)
        elif kind == b"PLTE":
            if len(content) % 3:
                raise ImageError("a palette with half a colour")
            palette = np.frombuffer(content, np.uint8).reshape(-1, 3)
        elif kind[:1].isupper() and kind != b"IEND":
            raise ImageError(f"a chunk {kind!r} that must be understood and is not")
    rows = unpacked(b"".join(packed), (header.row + 1) * header.height)
    lines = unfiltered(rows.reshape(header.height, -1), max(header.bits // 8, 1))
    return pixels_of(header, lines, palette)


def unpacked(packed: bytes, size: int) -> np.ndarray:
    """So many bytes, and not more, out of compressed ones."""
    machine = zlib.decompressobj()
    found = bytearray()
    try:
        while len(found) <= size and not machine.eof:
            part = machine.decompress(packed, min(STEP, size + 1 - len(found)))
            if not part and not machine.unconsumed_tail:
                break
            found += part
            packed = machine.unconsumed_tail
    except zlib.error as error:
        raise ImageError(f"its compressed data are damaged: {error}") from error
    if len(found) != size or not machine.eof:
        raise ImageError(f"its compressed data do not make up {size} bytes")
    return np.frombuffer(found, np.uint8)


def unfiltered(rows: np.ndarray, step: int) -> np.ndarray:
    """Rows as they were before each was replaced by its difference to what is left of
    or above it; `step` is the bytes of a pixel."""
    height, width = rows.shape[0], rows.shape[1] - 1
    made = np.zeros((height + 1, width + step), np.uint8)  # margins of 0
    for i in range(height):
        how, row = rows[i, 0], rows[i, 1:]
        above, line = made[i, step:], made[i + 1, step:]
        if how == 0:
            line[:] = row
        elif how == 1:
            summed = np.zeros(-(-width // step) * step, np.uint8)
            summed[:width] = row
            total = np.cumsum(summed.reshape(-1, step), 0, dtype=np.uint8)
            line[:] = total.reshape(-1)[:width]
        elif how == 2:
            np.add(row, above, out=line)
        elif how in (3, 4):
            one_by_one(made[i].tolist(), made[i + 1], row.tolist(), step, how == 4)
        else:
            raise ImageError(f"a row with the filter {how}; there are 0 to 4")
    return made[1:, step:]


def one_by_one(
    above: list[int], target: np.ndarray, row: list[int], step: int, paeth: bool
) -> None:
    """The filters whose bytes depend on those to the left in a way that is not linear.
    All rows have a margin of one pixel."""
    line = [0] * step
    for i, value in enumerate(row):
        left, up, corner = line[i], above[i + step], above[i]
        if paeth:
            guess = left + up - corner
            far_left, far_up = abs(guess - left), abs(guess - up)
            far_corner = abs(guess - corner)
            if far_left <= far_up and far_left <= far_corner:
                guess = left
            else:
                guess = up if far_up <= far_corner else corner
        else:
            guess = (left + up) // 2
        line.append((value + guess) & 255)
    target[:] = line


def pixels_of(
    header: Header, lines: np.ndarray, palette: np.ndarray | None
) -> np.ndarray:
    """The pixels in the rows."""
    if header.depth < 8:
        bits = np.unpackbits(lines, axis=1).reshape(header.height, -1, header.depth)
        weights = 1 << np.arange(header.depth - 1, -1, -1, dtype=np.uint8)
        lines = (bits @ weights)[:, : header.width]
        if header.kind == GREY:
            lines = lines * np.uint8(255 // (2**header.depth - 1))
    pixels = lines.reshape(header.height, header.width, -1)
    if header.kind != PALETTE:
        return pixels
    if palette is None or int(pixels.max()) >= len(palette):
        raise ImageError("a pixel has a colour that is not in the palette")
    return palette[pixels[:, :, 0]]
