"""What happened so far, in one paragraph: facts of the store only, nothing guessed."""

from collections.abc import Iterator
from datetime import datetime

from desk.staff.look import Look
from recovery.anger import ANGRY, CALM, DISSATISFIED, FURIOUS
from recovery.case import Case, Offer
from recovery.clock import spoken_point
from recovery.outcomes import OUTCOMES
from recovery.remedy.catalogue import card, yuan
from recovery.store import chronicle, fulfilments, staff, streams
from recovery.store.conversations import QUEUE, owner_id

_ANGER = {CALM: "平静", DISSATISFIED: "不满", ANGRY: "生气", FURIOUS: "盛怒"}
_STATES = {"open": "顾客还没答复", "accepted": "顾客接受", "refused": "顾客没有接受"}
_WHERE = {
    "phone": "打来电话",
    "street": "当面反映",
    "other": "从别处反映",
    "comment": "在公众号文章的评论里写下第一条",
}
_REASONS = {
    "safety": "可能有人身安全问题",
    "asked": "顾客要找人工",
    "escalation": "顾客提到投诉或曝光",
    "fury": "顾客盛怒",
    "unknown": "不知道是什么问题",
    "refused": "顾客没有接受方案",
    "beyond_authority": "超出机器人的权限",
    "not_understood": "机器人连着两次没听懂",
    "proof_limit": "核对订单的次数用完",
    "no_order": "没有核对到订单",
    "second_matter": "又说到另一件事",
    "not_as_promised": "顾客说没有按说好的办",
    "changed_mind": "顾客改了主意",
    "late": "办得比说好的晚",
    "repeated": "先前已补救过",
    "alleged": "顾客指称的事要核实",
    "no_evidence": "没有凭据",
    "budget": "超出当日预算",
    "offer_gone": "方案已失效",
    "remedy_late": "补救办得慢了",
    "remedy_refused": "补救没能办理",
    "remedy_failed": "补救办不成",
    "error": "机器人答不上来",
    "follow_up": "回访时顾客不满意",
    "silent": "同事没有及时回",
    "reopened": "结案后又打开",
}
# Earlier ones are counted, not told.
_OFFERS_TOLD = 2
_LOOKED_BACK = 300
_TAIL = 4


def summary(look: Look) -> str:
    """What happened, for whoever takes the conversation over."""
    return "".join(f"{sentence}。" for sentence in _sentences(look))


def _sentences(look: Look) -> Iterator[str]:
    case = look.case
    yield from _beginning(look)
    if case:
        yield _matter(case)
        yield from _offers(look, case)
        yield from _carried_out(look, case)
        yield from _why_a_person(look, case)
    yield _who_has_it(look)
    if case and case.outcome:
        yield f"结案：{OUTCOMES.get(case.outcome, case.outcome)}"


def _moment(look: Look, at: str) -> str:
    business = look.context.directory.business(look.conversation.business)
    moment = datetime.fromisoformat(at)
    # Of a business that was taken out of the settings the hour is not known for sure.
    return spoken_point(moment, look.now, business.zone) if business else at[:10]


def _beginning(look: Look) -> Iterator[str]:
    first = chronicle.first_word(look.db, [one.id for one in look.parts])
    if first is None:
        return
    said = f"{_moment(look, first.at)}顾客{_where(look, first.conversation)}"
    anger = look.case.anger if look.case else None
    if anger:
        said += f"，当时{_ANGER[anger.opening]}"
        if anger.peak > anger.opening:
            said += f"，最高到{_ANGER[anger.peak]}"
        if anger.now != anger.peak:
            said += f"，现在{_ANGER[anger.now]}"
    yield said
    if look.public and look.private:
        entered = chronicle.entered_at(look.db, look.public.id, look.private.id)
        yield f"{_moment(look, entered)}进入私聊" if entered else "还没有进入私聊"


def _where(look: Look, conversation_id: str) -> str:
    part = next(one for one in look.parts if one.id == conversation_id)
    if part.channel in _WHERE:
        return _WHERE[part.channel]
    if part.private:
        return "在私聊里写下第一条"
    found = look.context.directory.room(part.room or "")
    return f"在公开的“{found[0].name}”写下第一条" if found else "在公开的房间写下第一条"


def _matter(case: Case) -> str:
    about = f"说的是{case.matter}" if case.has_matter else "还不清楚是什么事"
    if case.safety:
        about += "，可能关系到人身安全"
    if case.order_number is None:
        return f"{about}，订单还没有核对"
    return f"{about}，已核对尾号{case.order_number[-_TAIL:]}的订单"


def _offers(look: Look, case: Case) -> Iterator[str]:
    made = chronicle.made_at(look.db, case.id)
    names = staff.names(look.db)
    business = look.context.directory.business(look.conversation.business)
    assistant = business.assistant if business else "机器人"
    before = len(case.offers) - _OFFERS_TOLD
    if before > 0:
        yield f"先前提过{before}个方案"
    for offer in case.offers[-_OFFERS_TOLD:]:
        member = owner_id(offer.by)
        by = assistant if member is None else names.get(member, "同事")
        at = f"{_moment(look, made[offer.id])}" if offer.id in made else ""
        yield f"{at}{by}提出{_content(offer)}，{_state(look, offer)}"


def _content(offer: Offer) -> str:
    titles = "、".join(line["title"] for line in card(offer.remedies))
    facts = []
    if offer.rules:
        facts.append(f"规则{'、'.join(offer.rules[:3])}{'等' if len(offer.rules) > 3 else ''}")
    if offer.floor_fen:
        facts.append(f"应得{yuan(offer.floor_fen)}")
    if offer.goodwill_fen:
        facts.append(f"心意{yuan(offer.goodwill_fen)}")
    if offer.departure:
        facts.append("与政策不同")
    return f"{titles}（{'，'.join(facts)}）" if facts else titles


def _state(look: Look, offer: Offer) -> str:
    if offer.state == "open" and not offer.open_at(look.now):
        return "已过期"
    return _STATES.get(offer.state, "后来换了方案")


def _carried_out(look: Look, case: Case) -> Iterator[str]:
    states: dict[str, list[str]] = {}
    for item in fulfilments.of_case(look.db, case.id):
        title = card([item["remedy"]])[0]["title"]
        states.setdefault(item["state"], []).append(title)
    words = {"done": "已办好", "todo": "正在办", "refused": "没能办理", "failed": "没办成"}
    told = [f"{words[state]}{'、'.join(states[state])}" for state in words if state in states]
    if told:
        yield "，".join(told)


def _why_a_person(look: Look, case: Case) -> Iterator[str]:
    reason = case.reason or look.conversation.reason
    if reason is None:
        return
    said = f"转人工：{_REASONS.get(reason, '需要同事来看')}"
    if case.promised_by:
        said += f"，答应{_moment(look, case.promised_by)}前有人回"
    yield said


def _who_has_it(look: Look) -> str:
    conversation = look.private or look.conversation
    had = list(dict.fromkeys(_names_in(look)))
    names = staff.names(look.db)
    if conversation.agent is not None:
        present = names.get(conversation.agent, "同事")
        before = [name for name in had if name != present]
        now = f"现在由{present}负责"
    else:
        before, now = had, "现在在排队" if conversation.owner == QUEUE else "现在由机器人答话"
    return f"{'、'.join(before)}接手过，{now}" if before else now


def _names_in(look: Look) -> Iterator[str]:
    """Colleagues who had the conversation, as the customer was told, oldest first."""
    for part in look.parts:
        after = max(0, streams.last(look.db, part.stream) - _LOOKED_BACK)
        for entry in streams.after(look.db, part.stream, after, _LOOKED_BACK):
            if entry.event["kind"] == "owner" and entry.event["owner"] == "staff":
                yield entry.event["name"]
