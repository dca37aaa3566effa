"""A quote names a thing and what is wrong with it, or its subject, or there is none."""

import pytest

from recovery.keywords import safe_keywords


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@某某客服 宽带一到晚上就掉线，你们管不管", "宽带一到晚上就掉线"),
        ("我手机13812345678信号不好", "信号不好"),
        ("昨天刚换的屏幕又花屏了，怎么办", "屏幕又花屏了"),
        ("为什么路由器自动重启？", "路由器自动重启"),
        ("从早上到现在一直收不到验证码！！", "一直收不到验证码"),
        ("行李延误三天了，连个说法都没有", "行李延误三天了"),
        ("交了钱还是没退", "还是没退"),
    ],
)
def test_a_plain_statement_is_quoted(text: str, words: str) -> None:
    assert safe_keywords(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("宽带为毛老掉线", "宽带"),  # asked, and the clause cannot be cut out of the question
        ("信号没有了？骗谁呢", "信号"),  # no fact
        ("如果网速再慢下去我就换一家", None),  # a condition
        ("客服说系统故障", None),  # somebody else's words
        ("希望快递早点到，退款也快些，退款太磨人", "退款"),  # the one named most
    ],
)
def test_what_is_no_statement_is_not_quoted_as_one(text: str, words: str | None) -> None:
    assert safe_keywords(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "垃圾公司，骗子",
        "气死我了",
        "再不解决就投诉到底",
        "你们的网站烂成狗屎",
        "难道这不是问题",
        "手机重启了好几遍",  # what the customer did
        "",
        "[怒][怒][怒]",
        "#某某# @某某",
    ],
)
def test_nothing_else_is_quoted(text: str) -> None:
    assert safe_keywords(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "特么宽带又断网",
        "傻X系统死机",
        "张经理的电话打不通，电话13912345678",
        "电视20260318001坏了",
        "这破手机老黑屏，草",
    ],
)
def test_no_insult_number_or_mention_is_in_a_quote(text: str) -> None:
    words = safe_keywords(text) or ""
    assert not any(bad in words for bad in ("特么", "傻", "草", "破", "张", "@", "［", "]"))
    assert not any(char.isdigit() for char in words)
