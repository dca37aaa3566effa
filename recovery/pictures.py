"""What counts as a picture: checked by its content, copied without what the camera wrote into it.

What a customer sends is kept as evidence and never shown. Shown is a copy that is drawn anew from
the decoded pixels, so that neither a place (EXIF) nor anything hidden in the file reaches others.
"""

import re
from dataclasses import dataclass
from io import BytesIO
from math import sqrt

from PIL import Image

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 50_000_000
COPY_MIME = "image/jpeg"
# A screenshot of a whole page may be this long.
_LONGEST_SIDE = 30_000
# Enough to read the small print of a receipt.
_COPY_PIXELS = 12_000_000
_COPY_QUALITY = 88
# A progressive photo has about ten. Thousands of empty ones would keep the decoder busy for hours.
_MOST_SCANS = 100
_FRAME_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
# Markup, programs and documents that other software may find in a file whatever its beginning.
_MARKUP = re.compile(
    rb"<(?:!doctype\s|html[\s>]|script[\s>]|iframe[\s>]|\?php\s|svg\s[^>]{0,300}xmlns)",
    re.IGNORECASE,
)
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
_ZIP_COMMENT = 0xFFFF
# How a camera was held, as EXIF says it.
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = frozenset(_TURNS[number] for number in (5, 6, 7, 8))

_NO_PICTURE = "这个文件不是能看的图片，请换一张 JPG、PNG、WebP 或 GIF 格式的照片或截图"
_TOO_MANY_PIXELS = "这张图片的尺寸太大了，请缩小一些，或截取要紧的部分再发"


class BadPictureError(ValueError):
    """A file that is not taken as a picture.

    Attributes:
        sentence: For the customer.
    """

    def __init__(self, sentence: str) -> None:
        """Remember what to answer."""
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Examined:
    """A file that is a picture.

    Attributes:
        mime: Its true type.
        width: In pixels, upright.
        height: In pixels, upright.
        copy: A JPEG to be shown, without metadata.
    """

    mime: str
    width: int
    height: int
    copy: bytes


def examine(raw: bytes) -> Examined:
    """Check that a file is a picture through and through, and copy it.

    Args:
        raw: The file, whatever it calls itself; at most `MOST_BYTES`.

    Returns:
        The picture; of an animation the first frame.

    Raises:
        BadPictureError: Another type, broken, cut short, too large when unpacked, or with a web
            page, program or document inside.
    """
    kind = _kind(raw)
    if kind is None or _hides_something(raw):
        raise BadPictureError(_NO_PICTURE)
    try:
        if kind == "JPEG" and _scans(raw) > _MOST_SCANS:
            raise BadPictureError(_NO_PICTURE)
        if kind == "WEBP":
            # Its decoder takes memory for the whole canvas as it opens a file.
            _check_size(*_webp_size(raw))
        return _copied(raw, kind)
    except BadPictureError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise BadPictureError(_TOO_MANY_PIXELS) from error
    # Decoders raise all sorts of things over a broken file, and all say that it is no picture.
    except Exception as error:
        raise BadPictureError(_NO_PICTURE) from error


def _kind(raw: bytes) -> str | None:
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if raw.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if raw.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if raw.startswith(b"RIFF") and raw[8:12] == b"WEBP":
        return "WEBP"
    return None


def _hides_something(raw: bytes) -> bool:
    """Whether the file is something else as well: a web page, a PDF, an archive, a program.

    What phones put behind a photo (a short film, the picture for bright screens) is none of these.
    """
    if _MARKUP.search(raw) or b"%PDF-" in raw[:1024]:
        return True
    end = raw.rfind(_ZIP_END, max(0, len(raw) - _ZIP_COMMENT - _ZIP_END_BYTES))
    return end >= 0 and len(raw) - end >= _ZIP_END_BYTES


def _scans(raw: bytes) -> int:
    """How many times a JPEG goes over its picture."""
    place, scans = 2, 0
    while place + 4 <= len(raw):
        marker = raw[place + 1]
        if raw[place] != 0xFF or marker == 0xD9:
            break
        if marker == 0xFF:
            place += 1
            continue
        # The two bytes of the length count themselves.
        place += 2 + int.from_bytes(raw[place + 2 : place + 4], "big")
        if marker == 0xDA:
            scans += 1
            found = _FRAME_MARKER.search(raw, place)
            if found is None:
                break
            place = found.start()
    return scans


def _webp_size(raw: bytes) -> tuple[int, int]:
    """Width and height as the first chunk of a WebP says them.

    Raises:
        BadPictureError: It is no chunk that a WebP begins with.
    """
    chunk = raw[12:16]
    if len(raw) >= 30 and chunk == b"VP8X":
        return (
            1 + int.from_bytes(raw[24:27], "little"),
            1 + int.from_bytes(raw[27:30], "little"),
        )
    if len(raw) >= 30 and chunk == b"VP8L":
        bits = int.from_bytes(raw[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if len(raw) >= 30 and chunk == b"VP8 ":
        return (
            int.from_bytes(raw[26:28], "little") & 0x3FFF,
            int.from_bytes(raw[28:30], "little") & 0x3FFF,
        )
    raise BadPictureError(_NO_PICTURE)


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise BadPictureError(_NO_PICTURE)
    if width * height > MOST_PIXELS or max(width, height) > _LONGEST_SIDE:
        raise BadPictureError(_TOO_MANY_PIXELS)


def _copied(raw: bytes, kind: str) -> Examined:
    if kind == "PNG":
        # Every checksum, and the end; decoding alone is content with less.
        with Image.open(BytesIO(raw), formats=(kind,)) as whole:
            _check_size(*whole.size)
            whole.verify()
    with Image.open(BytesIO(raw), formats=(kind,)) as image:
        width, height = image.size
        _check_size(width, height)
        scale = min(1.0, sqrt(_COPY_PIXELS / (width * height)))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        if scale < 1:
            # A JPEG is decoded right away to the nearest size above, in a fraction of the memory.
            image.draft(None, size)
        image.load()
        turn = _turn(image)
        drawn = _drawn_anew(image, size, turn)
    content = BytesIO()
    # Letters on screenshots suffer where colour is kept more coarsely than light.
    drawn.save(content, "JPEG", quality=_COPY_QUALITY, subsampling=2 if kind == "JPEG" else 0)
    if turn in _SIDEWAYS:
        width, height = height, width
    return Examined(Image.MIME[kind], width, height, content.getvalue())


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What brings a photo upright."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    # What a camera wrote beside the picture may be broken; the picture is good without it.
    except Exception:
        return None


def _drawn_anew(
    image: Image.Image, size: tuple[int, int], turn: Image.Transpose | None
) -> Image.Image:
    """The pixels alone, upright, on white: a new image that has nothing else of the old one."""
    if image.mode.startswith("I"):
        # 16 bits of grey; converting would cut them off and not scale them.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    clear = image.has_transparency_data
    wanted = "RGBA" if clear else "RGB"
    # Converting to what it is already would only copy 200 MB.
    pixels = image if image.mode == wanted else image.convert(wanted)
    if pixels.size != size:
        pixels = pixels.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if turn is not None:
        pixels = pixels.transpose(turn)
    drawn = Image.new("RGB", pixels.size, "white")
    drawn.paste(pixels, mask=pixels.getchannel("A") if clear else None)
    return drawn
