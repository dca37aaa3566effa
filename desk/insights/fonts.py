"""The Chinese font of PDF files.

It comes with the pages: `npm` installs a Noto Sans SC (SIL Open Font License 1.1) beside their
other packages. Where the pages were built elsewhere, a font package of Debian serves as well.
"""

from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent
_OWN = _ROOT / "web" / "node_modules" / "@embedpdf" / "fonts-sc" / "fonts"
_NOTO = Path("/usr/share/fonts/opentype/noto")
# In the collection of Debian's fonts-noto-cjk: Japanese, Korean, simplified Chinese, ...
_SIMPLIFIED = 2
_MISSING = (
    "这台服务器上没有中文字体，做不了PDF。请管理员在项目目录运行 make setup，"
    "或安装 Debian 的 fonts-noto-cjk；Excel 不受影响"
)


class NoFontError(RuntimeError):
    """There is no font with Chinese characters on this machine; the message says what to do."""

    def __init__(self) -> None:
        """Say it."""
        super().__init__(_MISSING)


@dataclass(frozen=True)
class Face:
    """A font in its two weights.

    Attributes:
        regular: For text.
        bold: For headings.
        number: Which one of a collection.
    """

    regular: Path
    bold: Path
    number: int = 0


FACES = (
    Face(_OWN / "NotoSansHans-Regular.otf", _OWN / "NotoSansHans-Bold.otf"),
    Face(_NOTO / "NotoSansCJK-Regular.ttc", _NOTO / "NotoSansCJK-Bold.ttc", _SIMPLIFIED),
)


def find(faces: tuple[Face, ...] = FACES) -> Face:
    """The first font that this machine has.

    Raises:
        NoFontError: It has none of them.
    """
    for face in faces:
        if face.regular.is_file() and face.bold.is_file():
            return face
    raise NoFontError
