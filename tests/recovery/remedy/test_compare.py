"""What differs between two policies is said in sentences and counted."""

from collections.abc import Callable
from datetime import date
from itertools import product

import pytest

from recovery.remedy.compare import (
    TYPICAL,
    Change,
    Counted,
    Difference,
    count,
    difference,
    in_words,
)
from recovery.remedy.facts import FAULTS, FINDINGS, HARMS, TIERS
from recovery.remedy.policy import Policy
from tests.recovery.remedy import policies
from tests.recovery.remedy.policies import Seed, find

DAY = date(2026, 11, 22)


def between(*damages: Callable[[Seed], object]) -> Difference:
    seed = policies.seed()
    for damage in damages:
        damage(seed)
    return difference(policies.book(), policies.book(seed), DAY)


def column(row: str, **columns: object) -> Callable[[Seed], object]:
    return lambda seed: find(seed, row).update(columns)


def test_nothing_changed_is_said() -> None:
    found = between()
    assert found.same_tables
    assert found.changes == []
    assert "没有变化" in in_words(found)


LATE = {"kind": "late_checkout", "hour": 14}
MEAL = {"kind": "free_meal", "persons": 2}
TENTH = {"kind": "next_discount", "bp": 1_000}


@pytest.mark.parametrize(
    ("damage", "change"),
    [
        (column("H-GW-3", remedies=[MEAL, TENTH, LATE]),
         Change("more", "酒店·心意：心意第3档 多了 延迟退房（14点）")),
        (column("H-GW-3", remedies=[MEAL]),
         Change("less", "酒店·心意：心意第3档 少了 下次优惠（10%），"
                        "实付600元时值 180.00元 → 120.00元")),
        (column("H-GW-3", remedies=[{"kind": "voucher", "fen": 15_000}, TENTH]),
         Change("more", "酒店·心意：心意第3档 多了 代金券（150元），少了 免费餐（2人），"
                        "实付600元时值 180.00元 → 210.00元")),
        (column("H-GW-3", remedies=[TENTH, LATE]),
         Change("mixed", "酒店·心意：心意第3档 多了 延迟退房（14点），少了 免费餐（2人），"
                         "实付600元时值 180.00元 → 60.00元")),
        (column("H-ROOM-NOT-CLEAN-FLOOR", remedies=[{"kind": "room_change", "minutes": 40}]),
         Change("less", "酒店·房间没有打扫干净：应给的 换房（20分钟） 变成 换房（40分钟）")),
        (column("S-DAMAGED-FLOOR-1", authority="agent"),
         Change("authority",
                "网店·收到时东西已经破损：应给的（收货后天数 7以内） 权限 机器人 → 员工")),
        (column("S-DAMAGED-FLOOR-1", evidence="none"),
         Change("authority",
                "网店·收到时东西已经破损：应给的（收货后天数 7以内） 所需证据 照片 → 不用")),
        (column("H-NOISE-FLOOR", reason="换个说法"),
         Change("reason", "酒店·太吵没法休息：应给的 理由 “这样对您公平” → “换个说法”")),
        (column("H-NOISE-FLOOR", source="新的规定"),
         Change("reason", "酒店·太吵没法休息：应给的 依据 “内部规定：测试” → “新的规定”")),
        (column("C-BASE-OURS-OUTCOME-3", points=4),
         Change("more", "通用·基础档（认定 没有指称、已认定，责任 我方，失误性质 结果，"
                        "严重程度 3） 3档 → 4档")),
        (column("C-SEV-101", severity=1),
         Change("less", "通用·严重程度（失误轻重 1，影响 不便，投诉后小时数 24到71） 2级 → 1级")),
        (column("H-NOISE-F", weight=1), Change("less", "酒店·太吵没法休息：轻重 2 → 1")),
        (column("H-NOISE-F", fault="unclear"),
         Change("other", "酒店·太吵没法休息：责任（未查明时） 我方 → 不清楚")),
        (column("H-PRICE", fen=7_000),
         Change("other", "酒店·价目（补救种类 免费甜品、免费餐） 单价 60.00元 → 70.00元")),
        (column("C-MAN-2", priority=3),
         Change("other", "通用·态度（情绪 2，要对外投诉 否） 优先级 2 → 3")),
        (column("C-LAW-3", remedies=[{"kind": "damages", "times": 4, "fen": 50_000}]),
         Change("more", "通用·法定赔偿（失误 您担心商品真伪、结账的价格和标价不一样、"
                        "您说的被要求购物、多收了钱，认定 已认定） "
                        "法定赔偿（3倍，500元） 变成 法定赔偿（4倍，500元），"
                        "实付600元时值 1,800.00元 → 2,400.00元")),
        (lambda seed: seed["shop"]["choices"].clear(),
         Change("less", "网店·收到的货和下单的不一样：可换的形式（想换的形式 补寄，"
                        "收货后天数 7以内） 没有了这一种（补寄、快递上门取件）")),
        (column("H-GW-3", effective_to="2027-01-31"),
         Change("dates", "酒店·心意 H-GW-3：2026-01-01 起 → 2026-01-01 起到 2027-01-31")),
    ],
)  # fmt: skip
def test_a_change_is_one_sentence(damage: Callable[[Seed], object], change: Change) -> None:
    assert change in between(damage).changes


def test_failures_to_which_the_same_happens_stand_together() -> None:
    apology = [{"kind": "apology"}, {"kind": "explanation"}]
    found = between(
        column("H-NOISE-FLOOR", remedies=apology), column("H-WRONG-ROOM-FLOOR", remedies=apology)
    )
    assert found.changes == [
        Change("more", "酒店·太吵没法休息、给的房间和预订的不一样：应给的 多了 说明原因")
    ]


def test_another_rule_id_is_no_change_of_what_is_given() -> None:
    found = between(column("H-GW-3", rule="H-GW-NEW"))
    assert not found.same_tables
    assert found.changes == []
    assert "变的是规则号" in in_words(found)


def test_what_holds_from_a_day_on_is_said_with_its_day() -> None:
    def from_january(seed: Seed) -> None:
        old = find(seed, "H-GW-3")
        seed["hotel"]["goodwill"].append(
            {**old, "rule": "H-GW-3B", "remedies": [MEAL, TENTH, LATE],
             "effective_from": "2027-01-01"}
        )  # fmt: skip
        old["effective_to"] = "2026-12-31"

    sentences = [one.sentence for one in between(from_january).changes]
    assert "自 2027-01-01 起，酒店·心意：心意第3档 多了 延迟退房（14点）" in sentences
    assert "酒店·心意 H-GW-3B：新增的行，2027-01-01 起" in sentences


def test_the_words_are_grouped() -> None:
    words = in_words(between(column("H-GW-3", remedies=[MEAL, TENTH, LATE], authority="agent")))
    assert words.index("得到更多（1）") < words.index("权限变了（1）")
    assert "得到更少（" not in words
    assert "今天有多少种情况受影响" in words


def test_gaps_are_not_counted_over() -> None:
    words = in_words(between(column("C-BASE-OURS-OUTCOME-3", effective_to="2026-01-31")))
    assert "没有一行回答了" in words
    assert "请先运行 check" in words


def test_the_count_is_that_of_deciding_every_combination() -> None:
    """Put together from the steps of the tables, the count is that of the engine itself."""

    def coarse() -> Seed:
        seed = policies.seed()
        common = seed["common"]
        # Fewer thresholds, so that every combination can be decided.
        common["recurring"] = [find(seed, "C-REC-0")]
        del common["recurring"][0]["recurrence"], common["recurring"][0]["fault"]
        common["loyalty"] = [find(seed, "C-LOY-GOLD"), find(seed, "C-LOY-NO")]
        del common["loyalty"][1]["tenure_days"]
        return seed

    seed = coarse()
    find(seed, "R-GW-3")["remedies"] = [MEAL, TENTH, {"kind": "manager_call", "minutes": 60}]
    find(seed, "R-GW-2")["remedies"] = [{"kind": "voucher", "fen": 6_000}]
    find(seed, "C-BASE-OTHER-OUTCOME-3")["points"] = 3
    trade = "restaurant"
    old, new = (Policy(policies.book(one), trade, DAY) for one in (coarse(), seed))
    every = [
        old.facts(
            "late", paid, fault=fault, finding=finding, harm=harm, wait_hours=wait,
            first_time=first, tier=tier, round=rounds,
        )
        for paid, fault, finding, harm, wait, first, tier, rounds in product(
            TYPICAL[trade], FAULTS, FINDINGS, HARMS, (0, 24, 72), (False, True), TIERS, (0, 1, 2),
        )
    ]  # fmt: skip
    tally = Counted()
    for before, after in zip(old.decide_all(every), new.decide_all(every), strict=True):
        rises, falls = after.worth.at_least(before.worth), before.worth.at_least(after.worth)
        tally.same += rises and falls
        tally.more += rises and not falls
        tally.less += falls and not rises
        tally.mixed += not rises and not falls
    assert count(old, new, ["late"]) == tally
    assert tally.more and tally.less
