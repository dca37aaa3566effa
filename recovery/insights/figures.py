"""The figures: each is defined once, and both its value and the cases behind it follow from that.

A figure adds up and counts one column of `case_facts`. A case that has nothing in the column does
not count for the figure; all others stand behind it. Formulas and sources: docs/insights.md.
"""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["count", "seconds", "percent", "fen", "score", "points"]
Kind = Literal["cases", "count", "share", "mean", "sum", "ratio", "gap", "quantile", "budget"]
# What the number of one case is: `yesno` is 1 or 0.
CaseUnit = Literal["yesno", "count", "seconds", "fen", "score", "points"]

PERSONS_LEAST = 5
"""Of fewer answers of customers nothing can be said, and one of them could be known by it."""
LOW_ANSWERS = 10
"""Where fewer of a hundred have answered, what they say is shown with a warning."""

GROUPS = {
    "complaints": "投诉",
    "speed": "快",
    "anger": "情绪",
    "private": "私下",
    "remedies": "补偿",
    "results": "结果",
    "satisfaction": "满意度",
    "fairness": "公平",
}
"""Groups of figures, as a page shows them."""


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        id: Its name in URLs.
        group: One of `GROUPS`.
        name: In Chinese.
        unit: Of its value.
        how: In Chinese: how it is worked out.
        kind: `cases`: how many there are. Of the column, where it holds anything: `count` how
            many, `share` the share of ones, `mean`, `sum`, `quantile`. Of two columns: `ratio`
            one sum by the other, `gap` the mean difference. `budget`: a sum by what may be spent.
        column: Of `case_facts`; empty only for `cases`.
        over: The other column of `ratio` and `gap`.
        behind: The column that the cases behind it have; else `over` of a ratio, or `column`.
        quantile: Of a hundred.
        scale: By how much a mean of the column is divided.
        least: Of fewer cases no value is shown.
        beside: The figure that says how many have answered.
        case_unit: Of the number of one case.
    """

    id: str
    group: str
    name: str
    unit: Unit
    how: str
    kind: Kind
    column: str = ""
    over: str = ""
    behind: str = ""
    quantile: int = 50
    scale: int = 1
    least: int = 1
    beside: str = ""
    case_unit: CaseUnit = "count"

    @property
    def stands_behind(self) -> str:
        """The column in which a case that counts has something; empty: every case counts."""
        return self.behind or (self.over if self.kind == "ratio" else self.column)


def _times(name: str, column: str, words: str, how: str) -> tuple[Figure, Figure]:
    rule = "从快到慢排好，{}；还没有等到的案子不算"
    return (
        Figure(
            *(f"{name}_median", "speed", f"{words}（中位数）", "seconds"),
            how=f"{how}。{rule.format('正中间的一个')}。",
            kind="quantile",
            column=column,
            case_unit="seconds",
        ),
        Figure(
            *(f"{name}_p90", "speed", f"{words}（最慢的一成从这里起）", "seconds"),
            how=f"{how}。{rule.format('第90%的一个')}。",
            kind="quantile",
            column=column,
            quantile=90,
            case_unit="seconds",
        ),
    )


def _dimension(name: str, words: str) -> Figure:
    return Figure(
        *(f"servqual_{name}", "satisfaction", f"服务差距·{words}", "score"),
        how=f"问卷里“{words}”一项：感受到的（1到7）减去期望的（1到7），各答卷平均。负数是没有做到期望的。",
        kind="gap",
        column=f"perceived_{name}",
        over=f"expected_{name}",
        least=PERSONS_LEAST,
        beside="survey_answers",
        case_unit="score",
    )


DIMENSIONS = {
    "reliability": "可靠",
    "assurance": "专业可信",
    "tangibles": "看得见的",
    "empathy": "体贴",
    "responsiveness": "反应快",
}
"""The five dimensions of SERVQUAL (RATER)."""

_AFTER = "结案后90天内"
_ROOM = "同一个群里别的顾客，在这位顾客转到私下的"

_ALL: tuple[Figure, ...] = (
    Figure(
        "complaints",
        "complaints",
        "投诉",
        "count",
        "这段时间开始的案子，并入别的案子的不算。",
        "cases",
    ),
    Figure(
        "angry",
        "complaints",
        "生气而来",
        "percent",
        "第一句话的怒气是2（生气）或3（愤怒）的案子÷读出了怒气的案子。",
        "share",
        "angry",
        case_unit="yesno",
    ),
    Figure(
        "closed",
        "complaints",
        "已结案",
        "count",
        "这段时间开始、现在已经结案的案子。",
        "count",
        "closed",
        case_unit="yesno",
    ),
    Figure(
        "repeat",
        "complaints",
        "30天内重复投诉",
        "percent",
        "同一位顾客30天内为同一件事再来投诉的案子÷已结案的案子。不知道是什么事的不算。",
        "ratio",
        "repeat",
        "closed",
        behind="repeat",
        case_unit="yesno",
    ),
    *_times(
        "apology",
        "apology_seconds",
        "多久道歉",
        "从第一句生气的话，到第一句道歉（机器人或同事的都算）",
    ),
    *_times("bot", "bot_seconds", "机器人多久答第一句", "从开始投诉，到机器人的第一句回复"),
    *_times(
        "person",
        "person_seconds",
        "人工多久答第一句",
        "从开始投诉，到同事的第一句回复，下班时间也算在内",
    ),
    *_times(
        "person_service",
        "person_service_seconds",
        "人工多久答第一句（只算上班时间）",
        "从开始投诉，到同事的第一句回复，只数上班时间",
    ),
    Figure(
        "in_time",
        "speed",
        "人工按时答复率",
        "percent",
        "轮到人工时，上班时间收到的顾客消息里，在说好的分钟数内（各商家设置的答复时限，按上班时间数）有同事回复的÷全部。还没到时限的不算。",
        "ratio",
        "in_time",
        "heard",
    ),
    Figure(
        "anger_opening",
        "anger",
        "开始时的怒气",
        "score",
        "各案子第一句话的怒气（0平静、1不满、2生气、3愤怒）的平均。",
        "mean",
        "anger_opening",
        case_unit="score",
    ),
    Figure(
        "anger_peak",
        "anger",
        "最高的怒气",
        "score",
        "各案子最生气的一句话（0到3）的平均。",
        "mean",
        "anger_peak",
        case_unit="score",
    ),
    Figure(
        "anger_close",
        "anger",
        "结束时的怒气",
        "score",
        "已结案的案子结案时的怒气（0到3）的平均。",
        "mean",
        "anger_close",
        case_unit="score",
    ),
    Figure(
        "relief",
        "anger",
        "情绪恢复",
        "score",
        "生气而来、已经结案的案子：开始时的怒气减去结束时的怒气，平均。",
        "mean",
        "relief",
        case_unit="score",
    ),
    Figure(
        "neutral",
        "anger",
        "回到平静",
        "percent",
        "生气而来、已经结案的案子里，结束时怒气为0的÷全部。",
        "share",
        "neutral",
        case_unit="yesno",
    ),
    Figure(
        "moved",
        "private",
        "转到私下",
        "percent",
        "公开处投诉、请到私下以后真的来了的案子÷请过的案子。",
        "share",
        "moved",
        case_unit="yesno",
    ),
    Figure(
        "angry_in_public",
        "private",
        "请过以后仍在公开处生气",
        "percent",
        "请到私下以后7天内，仍在公开处说过生气的话的案子÷请过、而且7天已过的案子。",
        "share",
        "angry_in_public",
        case_unit="yesno",
    ),
    Figure(
        "room_anger_before",
        "private",
        "旁人的怒气（转走前）",
        "score",
        f"{_ROOM}前1小时里说的话，怒气（0到3）的平均，再按案子平均。",
        "mean",
        "room_anger_before",
        scale=100,
        case_unit="score",
    ),
    Figure(
        "room_anger_after",
        "private",
        "旁人的怒气（转走后）",
        "score",
        f"{_ROOM}后1小时里说的话，怒气（0到3）的平均，再按案子平均。",
        "mean",
        "room_anger_after",
        scale=100,
        case_unit="score",
    ),
    Figure(
        "room_messages_before",
        "private",
        "旁人的话（转走前）",
        "count",
        f"{_ROOM}前1小时里说了几句，按案子平均。",
        "mean",
        "room_messages_before",
    ),
    Figure(
        "room_messages_after",
        "private",
        "旁人的话（转走后）",
        "count",
        f"{_ROOM}后1小时里说了几句，按案子平均。",
        "mean",
        "room_messages_after",
    ),
    Figure(
        "accepted",
        "remedies",
        "方案被接受",
        "percent",
        "顾客接受的方案÷提出的方案。换过的只算最后一个，办晚了自动加的不算。",
        "ratio",
        "accepted",
        "offers",
    ),
    Figure(
        "spent",
        "remedies",
        "补偿花费",
        "fen",
        "已接受的方案值多少，应得的和心意都算，办晚了加的也算。",
        "sum",
        "spent_fen",
        case_unit="fen",
    ),
    Figure(
        "floor",
        "remedies",
        "其中应得的",
        "fen",
        "法律和约定该给的，按已接受的方案。这不是优惠。",
        "sum",
        "floor_fen",
        case_unit="fen",
    ),
    Figure(
        "goodwill",
        "remedies",
        "其中心意",
        "fen",
        "应得之外多给的，按已接受的方案，加上事后送的心意。",
        "sum",
        "goodwill_fen",
        case_unit="fen",
    ),
    Figure(
        "budget",
        "remedies",
        "心意用了预算的",
        "percent",
        "心意÷（每天的心意预算×天数），预算在设置里。",
        "budget",
        "goodwill_fen",
        case_unit="fen",
    ),
    Figure(
        "cost_per_recovered",
        "remedies",
        "挽回一个案子花多少",
        "fen",
        "这段时间的补偿花费÷挽回的案子（见“挽回率”）。",
        "ratio",
        "spent_fen",
        "recovered",
        behind="spent_fen",
        case_unit="fen",
    ),
    Figure(
        "late",
        "remedies",
        "答应的事晚了",
        "percent",
        "晚过的承诺÷答应过的承诺。",
        "ratio",
        "late",
        "promises",
    ),
    Figure(
        "leakage",
        "remedies",
        "超出政策的花费",
        "percent",
        "已接受的方案里，同事给的比政策多的部分÷全部补偿花费。",
        "ratio",
        "beyond_fen",
        "spent_fen",
        case_unit="fen",
    ),
    Figure(
        "departures",
        "remedies",
        "偏离政策的方案",
        "percent",
        "同事写明理由、给得与政策不同的方案÷提出的方案。",
        "ratio",
        "departures",
        "offers",
    ),
    Figure(
        "recovered",
        "results",
        "挽回率",
        "percent",
        "生气而来的案子里，最后一次打分4或5的，或没有打分、以解决、补偿、说明、道谢结案的÷全部（还没有结案的算没有挽回）。",
        "share",
        "recovered",
        case_unit="yesno",
    ),
    Figure(
        "returned_recovered",
        "results",
        "挽回的顾客回来",
        "percent",
        f"{_AFTER}再下单的÷全部，只看挽回的、90天已过、知道是谁的订单的案子。",
        "share",
        "returned_recovered",
        least=PERSONS_LEAST,
        case_unit="yesno",
    ),
    Figure(
        "returned_others",
        "results",
        "其他投诉顾客回来",
        "percent",
        f"{_AFTER}再下单的÷全部，看没有挽回和不生气的案子，作对照。",
        "share",
        "returned_others",
        least=PERSONS_LEAST,
        case_unit="yesno",
    ),
    Figure(
        "repurchase_recovered",
        "results",
        "挽回的顾客再买",
        "fen",
        f"{_AFTER}再下的单的金额，按案子平均，没有再买的算0。",
        "mean",
        "later_fen_recovered",
        least=PERSONS_LEAST,
        case_unit="fen",
    ),
    Figure(
        "repurchase_others",
        "results",
        "其他投诉顾客再买",
        "fen",
        f"{_AFTER}再下的单的金额，按案子平均，作对照。",
        "mean",
        "later_fen_others",
        least=PERSONS_LEAST,
        case_unit="fen",
    ),
    Figure(
        "csat",
        "satisfaction",
        "满意",
        "percent",
        "回访打4或5分的÷打了分的（取最后一次）。要和答复率一起看：只有少数人答，说明不了什么。",
        "share",
        "satisfied",
        least=PERSONS_LEAST,
        beside="csat_answers",
        case_unit="yesno",
    ),
    Figure(
        "csat_answers",
        "satisfaction",
        "回访答复率",
        "percent",
        "打了分的÷问过的。",
        "share",
        "answered",
        case_unit="yesno",
    ),
    Figure(
        "confirmed",
        "satisfaction",
        "达到期望",
        "percent",
        "问卷里说和期望一样或更好（3到5）的÷答卷。",
        "share",
        "confirmed",
        least=PERSONS_LEAST,
        beside="survey_answers",
        case_unit="yesno",
    ),
    Figure(
        "nps",
        "satisfaction",
        "愿意推荐（NPS）",
        "points",
        "问卷里愿意推荐打9、10分的百分比，减去打0到6分的百分比。",
        "mean",
        "recommend",
        least=PERSONS_LEAST,
        beside="survey_answers",
        case_unit="points",
    ),
    Figure(
        "survey_answers",
        "satisfaction",
        "问卷答复率",
        "percent",
        "答完的问卷÷发出的问卷。",
        "share",
        "survey_answered",
        case_unit="yesno",
    ),
    *(_dimension(name, words) for name, words in DIMENSIONS.items()),
    Figure(
        "unlike",
        "fairness",
        "情况相同、给的不同",
        "percent",
        "机器人给方案的案子里，另有案子政策所看的事实完全相同、给的却不同的÷全部。应当是0。",
        "share",
        "unlike",
        case_unit="yesno",
    ),
)

FIGURES = {one.id: one for one in _ALL}
"""All figures by id, in the order of a page."""
