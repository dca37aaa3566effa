"""What customers say who want to have their data, or to have them deleted: sure forms only.

What is not sure goes to bot and people: an erasure cannot be taken back.
"""

import re
import unicodedata
from typing import Literal

ERASE, KEEP = "erase_data", "keep_data"
EXPORT: Literal["export_data"] = "export_data"
ASK: Literal["ask_erase_data"] = "ask_erase_data"
"""Acts of the buttons, as they are signed; the last comes by words alone."""
ACTS = frozenset({ERASE, KEEP, EXPORT, ASK})
ERASE_TITLE, KEEP_TITLE, EXPORT_TITLE = "确认删除", "先不删", "先导出一份"

_LONGEST = 40
_POLITE = r"(?:请|麻烦|帮我|给我|我要|我想|我想要|我要求|要求|申请|可以|现在就|现在|把)*"
_MINE = r"(?:我的?|本人的?|我在你们?(?:这里?|那里?)的)?(?:全部|所有|一切)?(?:的)?"
_DATA = r"(?:个人)?(?:资料|数据|信息|记录|聊天记录|个人信息)"
_OBJECT = rf"{_MINE}{_DATA}"
_GONE = r"(?:全部|全都|都|彻底)?(?:删除|删掉|删了|清除|清空|注销)(?:掉|了)?"
_TAKEN = r"(?:导出|下载|导一份|拷贝|复制)(?:一份|一下)?"
_END = r"(?:吧|谢谢|谢谢您|好吗|行吗|可以吗)?"
_ERASE = re.compile(rf"{_POLITE}(?:{_GONE}{_OBJECT}|{_OBJECT}{_POLITE}{_GONE}){_END}")
_EXPORT = re.compile(rf"{_POLITE}(?:{_TAKEN}{_OBJECT}|{_OBJECT}{_POLITE}{_TAKEN}){_END}")
_NOT_MINE = re.compile(r"不要|别|为什么|怎么|谁|你们把|没有|是不是|会不会|多久|什么时候")


def read_asking(text: str) -> Literal["ask_erase_data", "export_data"] | None:
    """What a text asks for; None where it is not surely one of both.

    Args:
        text: As typed.
    """
    plain = "".join(char for char in unicodedata.normalize("NFKC", text) if char.isalnum())
    if len(plain) > _LONGEST:
        return None
    if "我" not in plain and "本人" not in plain:
        return None
    if _NOT_MINE.search(plain):
        return None
    if _ERASE.fullmatch(plain):
        return ASK
    return EXPORT if _EXPORT.fullmatch(plain) else None
