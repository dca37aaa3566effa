"""Files that customers may send: pictures of every type, and what only looks like one."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

PNG = b"\x89PNG\r\n\x1a\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PAGE = b"<!doctype html><html><script>alert(1)</script></html>"


def drawing(width: int = 320, height: int = 240, colour: str = "#c43") -> Image.Image:
    """A picture in which left, right, top and bottom can be told apart."""
    image = Image.new("RGB", (width, height), "#eed")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width // 2, height // 2), fill=colour)
    pen.line((0, height, width, 0), fill="#264", width=5)
    return image


def encoded(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:  # noqa: ANN401
    """A picture as a file of a type."""
    content = BytesIO()
    (image or drawing()).save(content, kind, **options)
    return content.getvalue()


def located(kind: str = "JPEG", orientation: int = 1) -> bytes:
    """A photo that says where it was taken, and with what."""
    exif = Image.Exif()
    exif[0x0110] = "HONOR Secret Model"
    exif[0x0112] = orientation
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 43.2), 3: "E", 4: (121.0, 28.0, 29.1)})
    more = {"comment": b"shot at home"} if kind == "JPEG" else {}
    return encoded(kind, exif=exif, **more)


def _chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def bomb(width: int = 20_000, height: int = 20_000) -> bytes:
    """A small PNG of very many pixels, complete and well-formed."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return PNG + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def webp_bomb() -> bytes:
    """A WebP whose canvas is 16,384 pixels square, with nothing on it."""
    size = (16_383).to_bytes(3, "little")
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + size + size
    return b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas


def scan_bomb() -> bytes:
    """A progressive JPEG that goes over its picture a thousand times."""
    photo = encoded("JPEG", progressive=True)
    last = photo.rindex(b"\xff\xda")
    return photo[:last] + photo[last:-2] * 1000 + photo[-2:]


def as_sent_by_phones() -> bytes:
    """A photo with a second picture and the end of a film behind it."""
    return encoded("JPEG") + encoded("JPEG", drawing(64, 48)) + b"\0\0\0\x18ftypmp42" + bytes(999)
