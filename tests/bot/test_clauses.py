"""A message is cut where its clauses end, and its accounts are set aside."""

import numpy as np
import pytest

from bot.nlu.clauses import Clauses, clauses
from bot.nlu.model import EmotionModel, Example, summary


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("房间很干净。早餐凉了！！服务太差劲了", ("房间很干净。", "早餐凉了！！", "服务太差劲了")),
        ("好的，谢谢您的帮助", ("好的，谢谢您的帮助",)),  # too short to stand alone
        ("一直没有人接电话，气人", ("一直没有人接电话，气人",)),
        ("网速慢得要命 打了三次电话", ("网速慢得要命", "打了三次电话")),
        ("？", ("？",)),
    ],
)
def test_clauses_keep_their_marks_and_short_ones_are_joined(
    text: str, said: tuple[str, ...]
) -> None:
    assert clauses(text) == Clauses(said)


def test_accounts_and_links_are_asides() -> None:
    cut = clauses("宽带又断了没人管 @某某客服 @消协维权 http://a.example/x")
    assert cut.said == ("宽带又断了没人管",)
    assert cut.asides[:2] == ("@某某客服", "@消协维权")


def test_nothing_is_lost_where_there_is_nothing_else() -> None:
    assert clauses("@某某客服") == Clauses(("@某某客服",))
    assert clauses("   ") == Clauses(("   ",))


def test_the_summary_of_one_clause_is_its_own_score() -> None:
    first, second, mean, fury, calm = summary(np.array([[0.0, 0.0, 2.0, 0.0]]))
    assert first == second == mean > 0
    assert (fury, calm) == (-2.0, -2.0)


def test_one_angry_clause_is_heard_in_a_long_calm_story() -> None:
    things = ("房间", "早餐", "快递", "退款", "空调", "耳机", "客服", "押金", "门锁", "订单")
    told = ("{}是昨天到的", "请问{}怎么办理", "我在前台问过{}", "{}放在桌子上", "谢谢，{}收到了")
    attack = ("{}太差了！", "什么破{}！！", "{}坑人啊！", "{}到底管不管？！", "对{}无语了！！")
    examples = [
        Example(pattern.format(thing), anger, frozenset())
        for anger, patterns in ((0, told), (2, attack))
        for pattern in patterns
        for thing in things
    ]
    model = EmotionModel.fit(examples)
    story = "，".join(pattern.format("行李") for pattern in told)
    calm, loud = (model.predict(text)[1] for text in (story, f"{story}，什么破行李！！，{story}"))
    assert calm[2] < 0.02
    assert loud[2] > 0.3
