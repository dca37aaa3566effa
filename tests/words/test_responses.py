"""The bot's words (`data/responses/*.yml`): complete, distinct, and fit to be said.

The table `RULES` is the contract between the words and the actions that utter them: which
response has how many variants at which anger level, and which variables it may use. The rest
of the module checks what a good service-recovery writer would check by eye: an apology where
one is owed and none where it is not, no boilerplate, one sentence in public, no two variants
that say the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[2] / "data" / "responses"

Levels = tuple[int, ...]
ANY: Levels = (0, 1, 2, 3)
EACH: tuple[Levels, ...] = ((0,), (1,), (2,), (3,))
PAIRS: tuple[Levels, ...] = ((0, 1), (2, 3))
ANGRY: tuple[Levels, ...] = ((2,), (3,))
ALL: tuple[Levels, ...] = (ANY,)


@dataclass(frozen=True)
class Rule:
    """What one response must offer.

    Attributes:
        count: variants that fit every industry, per group of levels.
        groups: the level groups; (0, 1, 2, 3) is written without `anger` in the metadata.
        needs: variables that stand in every variant.
        may: variables that stand in some variants and not in others.
        trades: every one of `ANGRY` levels also has a variant of every trade.
    """

    count: int
    groups: tuple[Levels, ...]
    needs: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    trades: bool = False


def _rule(
    count: int, groups: tuple[Levels, ...], needs: str = "", may: str = "", trades: bool = False
) -> Rule:
    return Rule(count, groups, frozenset(needs.split()), frozenset(may.split()), trades)


RULES: dict[str, Rule] = {
    # Public: the whole room reads it (reminder and masked: the customer alone).
    "say_public_acknowledge": _rule(6, ((0,), (1,)), "matter"),
    "say_public_apologise": _rule(7, ANGRY, "matter", trades=True),
    "say_public_invite": _rule(5, EACH, trades=True),
    "say_public_invite_person": _rule(5, EACH),
    "say_public_insult": _rule(6, ANGRY),
    "say_public_safety": _rule(8, ALL),
    "say_public_thanks": _rule(10, ALL),
    "say_public_question": _rule(10, ALL, "help"),
    "say_public_greet": _rule(6, ALL),
    "say_public_stay": _rule(5, EACH),
    "say_public_reminder": _rule(5, EACH),
    "say_public_masked": _rule(8, ALL),
    "say_public_private_data": _rule(6, ALL),
    # Private: opening.
    "say_open": _rule(5, EACH, "matter", trades=True),
    "say_open_person": _rule(5, EACH, "matter"),
    "say_open_unknown": _rule(8, ALL),
    "say_acknowledge": _rule(5, EACH, "matter"),
    "say_apologise": _rule(6, EACH, may="matter", trades=True),
    "say_ask_matter": _rule(5, EACH, trades=True),
    # Private: asking.
    "say_ask_order": _rule(5, EACH, trades=True),
    "say_ask_order_number": _rule(5, EACH),
    "say_ask_phone": _rule(5, EACH),
    "say_ask_item": _rule(5, EACH, trades=True),
    "say_ask_detail": _rule(5, EACH, "detail"),
    "say_ask_photo": _rule(5, EACH, "matter"),
    "say_photo_got": _rule(5, EACH),
    "say_no_photo": _rule(5, EACH, "time"),
    "say_proof_failed": _rule(8, ALL),
    "say_proof_limited": _rule(6, ALL, "time"),
    "say_not_understood": _rule(6, PAIRS),
    # Private: the offer.
    "say_offer": _rule(6, EACH, trades=True),
    "say_offer_provisional": _rule(5, EACH, "time"),
    "say_offer_more": _rule(5, EACH),
    "say_offer_heavier": _rule(5, EACH),
    "say_offer_last": _rule(5, EACH),
    "say_offer_other": _rule(5, EACH, "form"),
    "say_form_none": _rule(5, EACH, "forms"),
    "say_form_only": _rule(5, EACH),
    "say_more_limit": _rule(5, EACH, "time"),
    "say_offer_again": _rule(8, PAIRS, "until"),
    "say_form_which": _rule(6, PAIRS, "forms"),
    "say_offer_expired": _rule(6, ALL),
    "say_which": _rule(8, ALL),
    "say_confirm": _rule(6, EACH, "next", trades=True),
    "say_already_agreed": _rule(6, ALL, "next"),
    "say_refused": _rule(5, EACH, "time"),
    "say_think": _rule(8, ALL, "until"),
    "say_why": _rule(5, EACH, "reason"),
    "say_why_none": _rule(5, ALL),
    "say_fair": _rule(5, EACH),
    # Private: a person.
    "say_handover": _rule(5, EACH, "time"),
    "say_handover_unknown": _rule(5, EACH, "time"),
    "say_by_person": _rule(5, EACH, "time", "who"),
    "say_handover_safety": _rule(6, ALL, "time"),
    "say_waiting": _rule(10, PAIRS, "time"),
    # Private: progress, the end, talk.
    "say_progress": _rule(10, ALL, "progress"),
    "say_progress_none": _rule(6, ALL),
    "say_close": _rule(5, EACH, trades=True),
    "say_thanks": _rule(8, ALL),
    "say_goodbye": _rule(8, ALL),
    "say_greet": _rule(8, ALL),
    "say_question": _rule(8, ALL, "help"),
    "say_offtopic": _rule(8, ALL),
}

# What the actions put in, at the long end of what is usual. None ends in a full stop.
SAMPLES: dict[str, tuple[str, ...]] = {
    "who": ("同事", "经理"),
    "matter": ("房间没有打扫干净这件事", "您说的“信号断断续续”这件事", "发错货的事"),
    "time": ("今天18:30前", "10分钟内"),
    "until": ("明天18:00",),
    "detail": ("您收到的是哪一件",),
    "next": ("客房部20分钟内带您去1510",),
    "reason": ("房间入住前没有按约定打扫",),
    "progress": ("客房部正在打扫1510，预计18:30完成",),
    "form": ("减免物业费", "换货"),
    "forms": ("退款、代金券、积分", "换货"),
    "help": ("退房时间在订单页的“入住须知”里",),
}

# These run to two sentences in public, every other public text is one.
TWO_SENTENCES = {"say_public_safety": 2, "say_public_question": 2}

APOLOGY = re.compile("抱歉|对不起|对不住|道歉|歉|不好意思|惭愧")
HEAVY_APOLOGY = re.compile("对不起|对不住|道歉|歉意|惭愧|郑重|诚恳|辜负|亏欠")
NO_APOLOGY = {
    "say_public_thanks", "say_public_question", "say_public_greet", "say_public_masked",
    "say_public_private_data", "say_thanks", "say_question", "say_greet",
    "say_goodbye", "say_offtopic",
}  # fmt: skip

# Words of one trade: they stand in its own variants and in no other.
TRADES: dict[str, re.Pattern[str]] = {
    "hotel": re.compile("酒店|住店|住的|住得|住好|入住|客房|房间|房费|前台|退房|哪一间"),
    "shop": re.compile("商品|包裹|快递|货|购物|网购|买|仓库"),
    "restaurant": re.compile("餐|菜|饭|吃(?!亏)|厨|上桌|口味"),
    "retail": re.compile("门店|店里|到店|进店|逛店|店员|柜台|收银|结账|小票"),
    "property": re.compile("小区|物业|业主|楼|报修|家门|自家|回家|邻里"),
    "travel": re.compile("行程|旅|出游|出来玩|导游|跟团|路上"),
}

FORBIDDEN: dict[str, re.Pattern[str]] = {
    "你 instead of 您": re.compile("你|您们"),
    "false intimacy": re.compile("亲(?![自手身人眼])|亲爱的|小编|宝贝|小主|咱|哦|呢[~～]|哈"),
    "boilerplate": re.compile(
        "不便|谅解|敬请|见谅|重视|理解您的心情|感同身受|深表|竭诚|温馨提示|宝贵|客户至上|再接再厉"
    ),
    "time without a time": re.compile("尽快|第一时间|稍后|稍等|请耐心等"),
    "telling the customer to calm down": re.compile(
        "请您?冷静|别生气|消消气|息怒|激动|注意您的|文明用语"
    ),
    "blame": re.compile("误会|您没有|您应该|您自己|您的错|输错|填错|写错|您弄错"),
    "excuse": re.compile("系统|高峰|人手|忙不过来|由于|不可抗|个别|第三方|临时工"),
    "conditional apology": re.compile("如果(让|给|有)您?.{0,8}(抱歉|道歉|对不起)"),
    "lawyer's words": re.compile(
        "律师|法律|依法|法规|法院|条款|免责|法定|权利|权益|赔偿|追究|在案|举证|保留.{0,4}权"
    ),
    "fraud admitted or denied": re.compile("欺诈|诈骗|骗|造假|假货|虚假|故意|恶意"),
    "a sum promised": re.compile("[0-9一二三四五六七八九十百两](元|块|折|倍)|赔|免单|全额|退款"),
    "a past removed": re.compile("删除|删帖|撤下|删掉"),
}

# The only responses that may hold an apology.
MAY_APOLOGISE = {"say_public_acknowledge", "say_public_apologise", "say_apologise"}

# What every variant of a response must say: each pattern is found in it.
STANDS = "有效|保留|不撤|不收回|不变|不动|没有变|留|还?在|照旧|照常|照算|算|作数|随时|不受牵连|归您"
NOT_AGAIN = "不用|不必|不会|不劳|不再|不需要"
SAYS: dict[str, tuple[str, ...]] = {
    "say_public_invite": ("“进入私聊”", "您.{0,5}(看|可见)|看不[到见]|给了?您|属于您|对您"),
    "say_public_invite_person": (
        "“进入私聊”",
        "您.{0,5}(看|可见)|看不[到见]|给了?您|属于您|对您",
        "同事",
    ),
    "say_public_insult": ("“进入私聊”",),
    "say_public_reminder": ("“进入私聊”",),
    "say_public_private_data": ("“进入私聊”",),
    "say_public_safety": ("120", "110", "同事", "私聊"),
    "say_public_stay": ("入口|私聊",),
    "say_public_masked": ("看不到|看得见|读不到|不显示|遮|可见|隐去",),
    "say_handover_safety": ("120|110", "同事"),
    "say_open": (NOT_AGAIN, "读|看|清楚|了解|带|记|知道"),
    "say_open_person": ("读|看|清楚|了解|带|记|知道",),
    "say_ask_order": ("订单号", "四位", "确认|核对|核实|冒用|对一下|不让别人"),
    "say_ask_order_number": ("订单号",),
    "say_ask_phone": ("四位|尾号",),
    "say_ask_photo": ("一张", "没|拍不", "办|定|处理|解决|拍板"),
    "say_photo_got": ("收到|收下|到了|传到|到我这", "存|留|放|附|归"),
    "say_no_photo": ("同事",),
    "say_ask_item": ("哪一|哪个|一项|一样", "点|选"),
    "say_offer": ("下面",),
    "say_offer_provisional": (
        "下面",
        "同事",
        # No final settlement, and nothing given up by taking it.
        "(不|还)(是|算|等于|作|代表)?.{0,3}(最|了结|到此为止|画句号|收场|收尾|了事)|另[说定]|没定|再定|开着",
        "不(耽误|影响|吃亏|用您放弃|用退|必让步|堵|丢|减)|换您不再|照样|没(有少|让|放弃)|没让|算数"
        "|都没",
    ),
    "say_offer_more": ("下面",),
    "say_offer_heavier": (
        "下面",
        "影响|后果|后来|牵连|[受遭碰讲].{0,3}(这些|的)|这些",
        "好|更|提|往上|加|多担",
    ),
    "say_offer_last": (
        "下面",
        "上限|最多|最后|到顶|到头|全|余地|只能|不了主|顶|到此为止|往上",
        "同事",
    ),
    "say_offer_other": (
        "下面",
        "一样|同样|同等|等值|等价|相当|对等|不变|照旧|不减|不多也不少|没(少|动)|缩水|克扣|折扣",
    ),
    "say_form_none": (STANDS,),
    "say_form_only": (STANDS, "同事|人工|人来|找人"),
    "say_fair": ("会员", "一样|同样|也是|尺子|表|标准|不凭", "少|减|扣|亏|不打折|足|短|占|还是"),
    "say_more_limit": (
        "方案|安排|这份|现有的|眼下",
        "有效|保留|不撤|不受影响|留着|不作废|可选|照留|算数",
    ),
    "say_which": ("下面|点",),
    "say_refused": ("怎|什么|哪|要的", "同事|上面的人|能定的人"),
    "say_proof_failed": ("再|重|核实",),
    "say_proof_limited": ("同事",),
    "say_handover": ("同事",),
    "say_handover_unknown": ("同事",),
    "say_by_person": ("{who}", NOT_AGAIN),
    "say_waiting": ("同事",),
}

# Ideographs, digits and full-width marks; everything else (emoji, kaomoji, Latin letters,
# half-width marks, exclamation marks, spaces) has no place in these sentences.
ALLOWED = re.compile("^[\u4e00-\u9fff0-9，。？：；、“”（）]+$")
VARIABLE = re.compile(r"{(\w+)}")
SENTENCE = re.compile("[^。？]+[。？]?")


@dataclass(frozen=True)
class Variant:
    """One way to say a response, as it stands in the file."""

    response: str
    text: str
    anger: Levels
    industry: tuple[str, ...]

    @property
    def bare(self) -> str:
        """The text without variables and marks: what is ours in it."""
        return re.sub("[，。？：；、“”（）]", "", VARIABLE.sub("", self.text))

    def renderings(self) -> Iterator[str]:
        """The text with each sample of its variables in turn."""
        names = VARIABLE.findall(self.text)
        for turn in range(max([len(SAMPLES[name]) for name in names], default=1)):
            values = {name: SAMPLES[name][turn % len(SAMPLES[name])] for name in names}
            yield self.text.format(**values)


def _load() -> list[Variant]:
    variants = []
    for path in sorted(FOLDER.glob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for response, entries in content["responses"].items():
            for entry in entries:
                metadata = entry.get("metadata", {})
                variants.append(
                    Variant(
                        response,
                        entry["text"],
                        tuple(metadata.get("anger", ANY)),
                        tuple(metadata.get("industry", ())),
                    )
                )
    return variants


VARIANTS = _load()
each_response = pytest.mark.parametrize("response", sorted(RULES))


def _of(response: str) -> list[Variant]:
    return [variant for variant in VARIANTS if variant.response == response]


def _groups(response: str) -> Iterator[list[Variant]]:
    """The variants among which the selector chooses at each level."""
    for level in ANY:
        group = [variant for variant in _of(response) if level in variant.anger]
        if group:
            yield group


def _bigrams(text: str) -> set[str]:
    return {text[n : n + 2] for n in range(len(text) - 1)}


def _similarity(one: str, other: str) -> float:
    """Jaccard index of the two texts' character bigrams, 0 to 1."""
    a, b = _bigrams(one), _bigrams(other)
    return len(a & b) / len(a | b) if a | b else 1.0


# --- the files -------------------------------------------------------------------------------


def test_the_files_hold_the_responses_of_the_table_and_no_other() -> None:
    assert {variant.response for variant in VARIANTS} == set(RULES)


def test_no_response_stands_in_two_places() -> None:
    """PyYAML keeps the last of two equal keys without a word, so the lines are counted."""
    keys = Counter(
        line.strip()
        for path in FOLDER.glob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("  say_")
    )
    assert [key for key, times in keys.items() if times > 1] == []


def test_an_entry_holds_text_and_known_metadata_only() -> None:
    for path in FOLDER.glob("*.yml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert set(content) == {"version", "responses"}, path.name
        for response, entries in content["responses"].items():
            for entry in entries:
                assert set(entry) <= {"text", "metadata"}, (response, entry)
                metadata = entry.get("metadata", {})
                assert set(metadata) <= {"anger", "industry"}, (response, entry)
                assert set(metadata.get("industry", ())) <= TRADES.keys(), (response, entry)


# --- completeness ----------------------------------------------------------------------------


@each_response
def test_every_level_has_enough_variants_for_any_industry(response: str) -> None:
    rule = RULES[response]
    neutral = Counter(variant.anger for variant in _of(response) if not variant.industry)
    assert set(neutral) == set(rule.groups)
    assert {group: n for group, n in neutral.items() if n < rule.count} == {}


@each_response
def test_every_trade_is_named_at_the_angry_levels_where_the_table_says_so(response: str) -> None:
    found = Counter((v.anger, name) for v in _of(response) for name in v.industry)
    wanted = {(group, name) for group in ANGRY for name in TRADES}
    assert set(found) == (wanted if RULES[response].trades else set())
    assert len(set(found.values())) <= 1, "one trade has fewer than another"


@each_response
def test_variables_are_those_of_the_table(response: str) -> None:
    rule = RULES[response]
    for variant in _of(response):
        used = VARIABLE.findall(variant.text)
        assert len(used) == len(set(used)), variant.text
        assert rule.needs <= set(used) <= rule.needs | rule.may, variant.text
        assert not re.search("[{}]", VARIABLE.sub("", variant.text)), variant.text


@pytest.mark.parametrize("level", ANY)
def test_half_of_the_neutral_apologies_name_the_matter(level: int) -> None:
    named = Counter(
        "{matter}" in variant.text
        for variant in _of("say_apologise")
        if variant.anger == (level,) and not variant.industry
    )
    assert named[True] == named[False]


# --- each sentence ---------------------------------------------------------------------------


@each_response
def test_only_chinese_and_full_width_marks(response: str) -> None:
    for variant in _of(response):
        assert ALLOWED.match(VARIABLE.sub("", variant.text)), variant.text
        assert variant.text[-1] in "。？", variant.text
        assert not re.search("[，。？：；、]{2}", variant.text), variant.text


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_nothing_forbidden_is_said(what: str) -> None:
    said = [(v.response, v.text) for v in VARIANTS if FORBIDDEN[what].search(v.text)]
    assert said == []


@each_response
def test_length(response: str) -> None:
    for variant in _of(response):
        for text in variant.renderings():
            if response.startswith("say_public_"):
                assert max(map(len, SENTENCE.findall(text))) <= 70, text
            elif variant.anger != ANY and 3 in variant.anger:
                assert len(text) <= 70, text
            else:
                assert len(text) <= 90, text


@pytest.mark.parametrize(
    "response", sorted(name for name in RULES if name.startswith("say_public_"))
)
def test_public_texts_are_one_sentence_or_two_where_two_are_allowed(response: str) -> None:
    most = TWO_SENTENCES.get(response, 1)
    for variant in _of(response):
        assert len(SENTENCE.findall(variant.text)) <= most, variant.text


@each_response
def test_industry_words_stand_where_the_metadata_says_so(response: str) -> None:
    for variant in _of(response):
        named = tuple(name for name, words in TRADES.items() if words.search(variant.bare))
        assert named == variant.industry, variant.text


@each_response
def test_the_matter_can_stand_where_it_stands(response: str) -> None:
    """{matter} may itself begin with 您说的 and always ends in 这件事 or 的事."""
    for variant in _of(response):
        before, found, after = variant.text.partition("{matter}")
        if found:
            clause = re.split("[，。？：]", before)[-1]
            assert "您" not in clause, variant.text
            assert not clause.endswith(("的", "这", "那")), variant.text
            assert not re.match("的|一事", after), variant.text
            assert "这件事" not in before + after, variant.text


def test_at_once_is_said_sparingly() -> None:
    """马上 in every turn is the empty promise of a call centre; a step or a time is not."""
    at_once = re.compile("马上|立刻|立即|即刻|当场")
    said = [
        variant
        for variant in VARIANTS
        if "safety" not in variant.response and at_once.search(variant.text)
    ]
    assert len(said) <= 0.03 * len(VARIANTS), [variant.text for variant in said]


# --- apologies -------------------------------------------------------------------------------


def test_no_apology_where_none_is_owed() -> None:
    for variant in VARIANTS:
        calm_in_public = variant.response == "say_public_acknowledge" and variant.anger == (0,)
        if variant.response in NO_APOLOGY or calm_in_public:
            assert not APOLOGY.search(variant.text), variant.text


def test_the_apology_is_said_by_apologising_responses_only() -> None:
    """Acknowledge, ask, offer and close follow an apology; said again it becomes a phrase."""
    for variant in VARIANTS:
        if variant.response not in MAY_APOLOGISE:
            assert not APOLOGY.search(variant.text), (variant.response, variant.text)


def test_the_calm_are_not_grovelled_to() -> None:
    for variant in VARIANTS:
        if variant.anger == (0,):
            assert not HEAVY_APOLOGY.search(variant.text), variant.text


@pytest.mark.parametrize("response", ["say_public_apologise", "say_apologise"])
def test_an_apology_apologises(response: str) -> None:
    for variant in _of(response):
        assert APOLOGY.search(variant.text), variant.text


# --- what a response must say to do its work -------------------------------------------------


@pytest.mark.parametrize("response", sorted(SAYS))
def test_a_response_says_what_it_is_for(response: str) -> None:
    for variant in _of(response):
        missing = [part for part in SAYS[response] if not re.search(part, variant.text)]
        assert missing == [], variant.text


@pytest.mark.parametrize(
    ("response", "never"),
    [
        ("say_ask_order_number", "四位|尾号"),
        ("say_ask_phone", "订单号"),
        ("say_proof_failed", "订单号(?!.*(四位|尾号))"),
        ("say_proof_failed", "^(?!.*订单号).*(四位|尾号)"),
    ],
)
def test_a_question_does_not_ask_for_the_other_half(response: str, never: str) -> None:
    """A failed proof names both halves or neither, so that a guesser learns nothing."""
    for variant in _of(response):
        assert not re.search(never, variant.text), variant.text


def test_no_picture_is_said_to_have_been_looked_at() -> None:
    """No program looks at pictures: one arrives and is kept, and with it the matter goes on."""
    looked = re.compile("看[过了完见]|[我给]看|对着照片看|一眼|看得最准|(就|够用?|足)够|够了|拍板")
    spared = re.compile("不再|不必|不用|再问|多问|反复|一问|一次|一步到位|一回")
    for variant in [*_of("say_ask_photo"), *_of("say_photo_got")]:
        text = variant.text.replace("同事看得见", "")
        assert not looked.search(text), variant.text
        assert not spared.search(text), variant.text


def test_who_tells_more_harm_is_not_told_to_have_asked_for_more() -> None:
    for variant in _of("say_offer_heavier"):
        assert not re.search("您(说|觉得|嫌|要)(还)?(不够|少)|意见|心意", variant.text), (
            variant.text
        )


def test_a_grave_matter_is_neither_admitted_nor_denied() -> None:
    """What is listed meanwhile makes up for no fault: whether there is one is being looked into."""
    either = re.compile(
        "做好|做到位|补(上|偿|救)|属实|查实|确实|责任|我们的(错|不是)|没有问题|不存在|不会有|正品"
    )
    for variant in _of("say_offer_provisional"):
        assert not either.search(variant.text), variant.text


def test_a_person_who_decides_is_no_reproach() -> None:
    """Too much, too often or to be confirmed: the reason is not held against the customer."""
    for variant in _of("say_by_person"):
        assert not re.search("次数|多次|频繁|经常|太多|核查您|可疑|异常|记录不良", variant.text)


# --- no two alike ----------------------------------------------------------------------------


def test_no_variant_and_no_sentence_stands_twice_in_the_corpus() -> None:
    """A sentence that is nothing but a variable does not count."""
    variants = Counter(variant.text for variant in VARIANTS)
    sentences = Counter(
        sentence.strip("。？")
        for variant in VARIANTS
        for sentence in SENTENCE.findall(variant.text)
        if VARIABLE.sub("", sentence).strip("。？")
    )
    assert [text for text, times in variants.items() if times > 1] == []
    assert [text for text, times in sentences.items() if times > 1] == []


@each_response
def test_variants_do_not_begin_alike(response: str) -> None:
    for group in _groups(response):
        beginnings = Counter("{}" if v.text.startswith("{") else v.text[:3] for v in group)
        assert [start for start, times in beginnings.items() if times > 2] == []


@each_response
def test_variants_of_one_response_and_level_differ(response: str) -> None:
    for group in _groups(response):
        for one, other in combinations(group, 2):
            assert _similarity(one.bare, other.bare) < 0.6, (one.text, other.text)


def test_sentences_differ_over_the_whole_corpus() -> None:
    """Another response must not repeat in one conversation what this one has said."""
    long = [(v.text, _bigrams(v.bare)) for v in VARIANTS if len(v.bare) >= 8]
    alike = [
        (one, other)
        for (one, a), (other, b) in combinations(long, 2)
        if len(a & b) >= 0.55 * len(a | b)
    ]
    assert alike == []
