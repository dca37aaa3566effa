"""One spelling for what people type in many ways."""

import pytest

from bot.nlu.normaliser import mask, unify


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("！！！", "!!!"),
        ("ＡＢＣ", "abc"),
        ("你\u200b好\u0007", "你好"),
        ("你\n\n 好", "你 好"),
        ("　你好　", "你好"),
        ("這是什麼服務", "这是什么服务"),
        ("垃 圾", "垃圾"),
        ("垃.圾公司", "垃圾公司"),
        ("骗-子", "骗子"),
        ("什 么 破 店", "什么破店"),
        ("辣鸡酒店", "垃圾酒店"),
        ("乐色", "垃圾"),
        ("tmd", "他妈"),
        ("nmsl", "你妈"),
        ("沙雕客服", "傻逼客服"),
        ("肿么办", "怎么办"),
        ("(╯‵□′)╯︵┻━┻", "[怒]"),
        ("T_T", "[泪]"),
        ("早餐 很好", "早餐 很好"),
        ("atm机在哪", "atm机在哪"),
    ],
)
def test_forms_are_unified(text: str, same: str) -> None:
    assert unify(text) == same


def test_what_means_nothing_is_masked() -> None:
    assert mask("房间1208") == mask("房间1309") == "房间000"
    assert mask("打12315") == "打12315"
    assert mask("电话13800001111") == "电话000"
    assert mask("啊啊啊啊啊啊啊") == "啊啊啊"
    assert mask("看 https://a.example/x?y=1 吧") == "看 url 吧"
    assert mask("@某某客服 http://a.example") == ""
    assert mask("@某某客服 @某某官博 网速慢") == "网速慢"
    assert mask("网速慢 http://t.cn/x @某某客服") == "网速慢"
    assert mask("你好,房间没打扫。") == mask("房间没打扫") == "房间没打扫"
    assert mask("您好") == "你好"
    assert mask("@某地消协 管管") == "@官 管管"
    assert len(mask("长文章很长" * 500)) <= 601
