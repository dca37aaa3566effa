"""An export as its person reads it: one HTML page beside the same as JSON and the pictures."""

import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from html import escape
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

_STYLE = (
    "body{font:16px/1.7 sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1f2430;"
    "background:#fff}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}"
    "ul{padding-left:1.2rem}time{color:#5b6270;font-size:.85rem;margin-right:.5rem}"
    "li{overflow-wrap:anywhere}img{max-width:100%}"
    "@media(prefers-color-scheme:dark){body{background:#14161b;color:#e6e8ee}time{color:#a2a9b8}}"
)
_NOTHING = "没有"


def as_zip(
    data: Mapping[str, Any], zone: ZoneInfo, picture: Callable[[str], bytes | None]
) -> bytes:
    """Pack an export.

    Args:
        data: As `recovery.store.personal_export.gather` gives it.
        zone: Of the business, for times on the page.
        picture: Gives the file of a picture by its SHA-256; None where it is gone.

    Returns:
        A zip with `index.html`, `data.json` and `pictures/<id>.jpg`.
    """
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        there = set()
        for one in data["pictures"]:
            content = picture(one["sha256"])
            if content is not None:
                archive.writestr(f"pictures/{one['id']}.jpg", content)
                there.add(one["id"])
        plain = {
            **data,
            "pictures": [{"id": one["id"], "at": one["at"]} for one in data["pictures"]],
        }
        archive.writestr("data.json", json.dumps(plain, ensure_ascii=False, indent=1))
        archive.writestr("index.html", as_html(data, zone, there))
    return packed.getvalue()


def as_html(data: Mapping[str, Any], zone: ZoneInfo, pictures: Iterable[str] = ()) -> str:
    """The page; everything that anybody has typed is escaped.

    Args:
        data: As `recovery.store.personal_export.gather` gives it.
        zone: Of the business.
        pictures: Ids of those whose files lie beside the page.
    """
    there = set(pictures)

    def at(moment: str | None) -> str:
        if not moment:
            return ""
        local = datetime.fromisoformat(moment).astimezone(zone)
        return f"<time>{local:%Y-%m-%d %H:%M}</time>"

    def line(one: Mapping[str, Any]) -> str:
        image = one.get("picture")
        shown = f'<br><img alt="图片" src="pictures/{escape(image)}.jpg">' if image in there else ""
        return f"{at(one['at'])}{escape(one['by'])}：{escape(one['text'])}{shown}"

    parts = [
        _part("您是谁", [_words(one["channel"], one["name"]) for one in data["identities"]]),
        _part("您的心意", [_wishes(one) for one in data["preferences"]]),
        *(
            _part(
                f"{'私聊' if one['private'] else '公开的对话'}（{escape(one['channel'])}）",
                [line(said) for said in one["lines"]],
            )
            for one in data["conversations"]
        ),
        _part(
            "您反映的事",
            [
                at(one["opened_at"]) + _words(one["matter"], one["order_number"], one["outcome"])
                for one in data["cases"]
            ],
        ),
        _part(
            "提出的方案",
            [
                at(one["at"])
                + _words("、".join(one["remedies"]), one["order_number"], one["state"])
                for one in data["offers"]
            ],
        ),
        _part(
            "办理的补救",
            [
                at(one["at"]) + _words(one["remedy"], one["order_number"], one["state"])
                for one in data["remedies"]
            ],
        ),
        _part(
            "您的评价",
            [
                at(one["at"]) + _words(f"{one['rating']}分" if one["rating"] else "", one["words"])
                for one in data["follow_ups"]
            ]
            + [at(one["at"]) + _words("问卷", one["words"]) for one in data["surveys"]],
        ),
        _part("留给您的心意", [at(one["at"]) + escape(one["title"]) for one in data["gestures"]]),
        _part("同事的备注", [at(one["at"]) + escape(one["text"]) for one in data["notes"]]),
        _part(
            "核对过的订单",
            [
                at(one["at"])
                + _words(one["order_number"], "核对成功" if one["correct"] else "没有对上")
                for one in data["proofs"]
            ],
        ),
    ]
    title = f"{escape(data['business'])}保存的您的资料"
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style><h1>{title}</h1><p>{at(data['made_at'])}导出。"
        "同样的内容也在 data.json 里，那里还有机器对每句话情绪的判断。</p>"
        f"{''.join(parts)}</html>"
    )


def _part(title: str, items: Iterable[str]) -> str:
    listed = "".join(f"<li>{one}</li>" for one in items)
    return f"<h2>{title}</h2>" + (f"<ul>{listed}</ul>" if listed else f"<p>{_NOTHING}</p>")


def _words(*given: str) -> str:
    return "，".join(escape(one) for one in given if one) or "（没有写）"


def _wishes(one: Mapping[str, Any]) -> str:
    refused = [
        *(["不要回访"] if one["no_follow_up"] else []),
        *(["不要推荐"] if one["no_marketing"] else []),
    ]
    return _words(*refused, *one["wishes"])
