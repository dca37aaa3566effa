"""In which form the customer would rather have a remedy, and which forms are worth the same."""

import re

from recovery.case import Case
from recovery.dialogue.authority import Matter, by_bot, decide
from recovery.dialogue.reply import Turn
from recovery.remedy.facts import CHOICES
from recovery.remedy.policy import Decision

FORM_WORDS = {
    "refund": "退款",
    "exchange": "换货",
    "resend": "补寄",
    "voucher": "代金券",
    "points": "积分",
    "waiver": "减免费用",
}
"""Each choice of `recovery.remedy.facts.CHOICES` as a customer would name it."""

_FORM = r"(?:代金券|优惠券|券|卷|积分|红包|优惠|退款|退钱|现金|换货|换新|补寄|补发|重发|减免)"
# What is turned down ("不要券，退钱") is taken out first.
_TURNED_DOWN = re.compile(
    r"(?:不想|不要|不想要|别给|别再给|用不上|用不着|不需要|不用|不稀罕|谁要|谁稀罕)"
    rf"[^，。！？、,.!? ]{{0,5}}?{_FORM}了?"
    r"|(?:不|别|懒得|不想)(?:再|用|必)?(?:换|退|补|寄)"
    r"(?:新的|货|款|钱|一件|寄|发)?了?(?!吗|么|行)"
    rf"|{_FORM}[^，。！？、,.!? ]{{0,3}}"
    r"(?:用不上|用不着|没用|没意思|不要|不需要|不稀罕|就算了|算了|谁要)"
)
# What stands behind these is asked for in place of what stands before.
_INTO = re.compile(r"(?:换算?|改|折算?|变|转|兑换?)(?:成|为)")
_CLAUSE = r"[^，。！？,.!?]"
_SIGNS = {
    "refund": re.compile(
        rf"退(?!房|换|场|出|订){_CLAUSE}{{0,4}}?(?:款|钱|费|现金|票)|退货(?!券)|退(?:给我|了吧|掉|成|一?半|一部分|全款)"
        r"|(?:想|要|能|能不能|可以|直接|全额?|给我|先)退(?!房|换|场|出|订|让)|全退"
        rf"|返现|现金|折现|免单|(?:给|赔|打){_CLAUSE}{{0,3}}钱|钱{_CLAUSE}{{0,3}}(?:退|还|打)给?|(?:换|成)钱"
        r"|原路|打到(?:我)?卡|转账"
    ),
    "exchange": re.compile(
        r"换(?:货|新|件|台|双|条|副|套|[一两]?(?:件|台|双|条|副|套)|个新|个一样|个同款|(?:一个|个)(?:好的?|没坏|没毛病))"
        r"|换一?个(?:吧|吗|行|可以|就)?(?:$|[，。！？,.!?])|更换"
    ),
    "resend": re.compile(
        rf"(?:补|重新?|再)(?:寄|发|送)(?!{_CLAUSE}{{0,4}}(?:券|积分|红包|甜品|饮|菜|遍|消息|短信|方案))|补(?:给我|齐|一件|一份|一个)"
    ),
    "voucher": re.compile(r"券|红包|代金|优惠(?:码|卷)"),
    "points": re.compile(r"积分|会员分|点数"),
    "waiver": re.compile(
        rf"减免|免(?:掉|一|两|半|物业|管理)|(?:扣|减|抵|免){_CLAUSE}{{0,6}}(?:物业|管理费|停车费|车位费)"
        rf"|(?:物业费|管理费|停车费|车位费){_CLAUSE}{{0,4}}(?:扣|减|抵|免)|少(?:交|收)"
    ),
}


def read_choice(text: str) -> str | None:
    """The form a message asks for; None where it names none, or several."""
    rest = _TURNED_DOWN.sub(" ", text)
    return _only(_INTO.split(rest)[-1]) or _only(rest)


def _only(text: str) -> str | None:
    asked = [choice for choice, signs in _SIGNS.items() if signs.search(text)]
    return asked[0] if len(asked) == 1 else None


def in_form(turn: Turn, case: Case, matter: Matter, round_: int, choice: str) -> Decision | None:
    """The decision in another form; None where that form is not to be had from the bot."""
    decision = decide(turn, case, matter, round_, choice)
    if not decision.row("choices") or not by_bot(decision):
        return None
    return decision


def forms(turn: Turn, case: Case, matter: Matter, round_: int, present: str) -> dict[str, Decision]:
    """All forms of equal worth that would give something else than the present one.

    Args:
        turn: The message.
        case: The case.
        matter: What it is about.
        round_: Of the offer.
        present: The form it has now; empty for that of the policy.

    Returns:
        Decisions by choice.
    """
    now = decide(turn, case, matter, round_, present)
    found: dict[str, Decision] = {}
    for choice in CHOICES:
        if choice in ("", present):
            continue
        other = in_form(turn, case, matter, round_, choice)
        if other and other.remedies != now.remedies and other.worth.fen == now.worth.fen:
            found[choice] = other
    return found
