"""The notice about personal data: who processes what, why, how long, and how to ask for it."""

from hashlib import sha256

STANDARD = (
    "为处理您的事，{business}会记下您在这里说的话、发的图片和订单信息，只用来解决问题、改进服务，"
    "按规定的期限保存。想要一份或想删掉，随时在这里说“导出我的资料”或“删除我的资料”。"
)
"""Said where a business has no text of its own."""


def notice_text(setting: str, business: str) -> str:
    """The notice of a business; empty where it is turned off.

    Args:
        setting: As in the settings; `{business}` stands for its name.
        business: That name.
    """
    return setting.replace("{business}", business).strip()


def version(text: str) -> str:
    """Which text it is: another text is shown again."""
    return sha256(text.encode()).hexdigest()[:16]
