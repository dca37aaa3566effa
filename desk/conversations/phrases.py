"""What the desk itself says: when Rasa is away, when people change, when a thing is done.

The bot's words stand in data/responses/; these few cannot come from there, because they are
needed exactly when the bot cannot speak.
"""

from hashlib import sha256

_HOLDING = (
    "您的话已经收到，正在为您看，请稍等一下。",
    "收到了，我这边需要一点时间，马上回您。",
    "已经记下，稍等片刻，这就来答复您。",
    "看到了，请给我一会儿，不用再发一遍。",
)
_GIVEN_UP = (
    "让您久等了，我这边暂时答不上来，已经转给同事，{time}有人来回您，前面说的都在。",
    "抱歉让您等着，这件事已交到同事手里，{time}答复您，您不用重复。",
    "是我这边慢了，已请同事接手，{time}给您回话，之前的内容都已带上。",
)
_PROOF_LIMIT = (
    "核对的次数已经用完，为了保护订单，由同事接着为您办，{time}回您。",
    "为了订单安全先不再核对，已请同事来接，{time}和您联系。",
)
_OFFER_GONE = (
    "这个方案刚刚有变动，已请同事看一下，{time}给您准确的答复。",
    "方案的状态变了，为免出错由同事来确认，{time}回您。",
)
_REMEDY_REFUSED = (
    "“{title}”这一项没能自动办好，已经交给同事去办，{time}给您结果。",
    "办“{title}”时遇到了阻碍，同事已接手，{time}告诉您怎么样了。",
)


_REPEATED = (
    "这个订单先前已经安排过补救，这一次由同事为您仔细看，{time}给您答复。",
    "先前已为这一单办过补救，接下来请同事看怎样处理更好，{time}回您。",
    "这一单之前有过安排，为了办得准确，已请同事来看，{time}给您回话。",
)
_OVER_BUDGET = (
    "这个方案给您留着，还差同事确认一步，{time}给您准信，不用再说一遍。",
    "您同意的方案已经记下，要由同事点头才能办，{time}回您。",
    "方案没有变，这一步请同事来确认，{time}就答复您。",
)
_REMEDY_LATE = (
    "“{title}”比说好的慢了，还在接着办，也已请同事跟进，{time}告诉您进展。",
    "“{title}”到现在还没办成，我们没有停，同事已在盯这件事，{time}给您消息。",
)
_REMEDY_FAILED = (
    "“{title}”试了很多次还是没办成，不再让您这样等，已交给同事亲手去办，{time}给您答复。",
    "很抱歉，“{title}”一直没能办成，这件事已转到同事手里，由他来办完，{time}告诉您结果。",
)
_PERSON_DUE = (
    "{matter}已经请同事来办，{time}有人在这里回您，前面说的都带过来了。",
    "{matter}由同事接手，{time}在这里答复您，说过的不用再说一遍。",
)
_CARE_DUE = (
    "人要紧：如有危险或身体不适，请先拨打120或110。已经通知同事，{time}有人在这里回您。",
    "先顾好人：有危险请马上拨打120或110。同事已经知道这件事，{time}在这里联系您。",
)


def _pick(variants: tuple[str, ...], key: str) -> str:
    """Choose by the message, so that a retry says the same."""
    return variants[int(sha256(key.encode()).hexdigest(), 16) % len(variants)]


def holding(message_id: str) -> str:
    """Ask for patience while Rasa is slow or away."""
    return _pick(_HOLDING, message_id)


def given_up(message_id: str, time: str) -> str:
    """Say that a person answers, because Rasa did not."""
    return _pick(_GIVEN_UP, message_id).format(time=time)


def proof_limit(message_id: str, time: str) -> str:
    """Say that an order cannot be proved any more today."""
    return _pick(_PROOF_LIMIT, message_id).format(time=time)


def offer_gone(message_id: str, time: str) -> str:
    """Say that an offer was no longer open when it was taken."""
    return _pick(_OFFER_GONE, message_id).format(time=time)


def remedy_refused(key: str, title: str, time: str) -> str:
    """Say that a remedy needs a person."""
    return _pick(_REMEDY_REFUSED, key).format(title=title, time=time)


def repeated(message_id: str, time: str) -> str:
    """Say that a person looks at an order that had a remedy before; nobody is accused."""
    return _pick(_REPEATED, message_id).format(time=time)


def over_budget(message_id: str, time: str) -> str:
    """Say that an offer which was taken waits for a person's word; it stands."""
    return _pick(_OVER_BUDGET, message_id).format(time=time)


def remedy_late(key: str, title: str, time: str) -> str:
    """Say that a remedy takes longer than promised, and who looks after it."""
    return _pick(_REMEDY_LATE, key).format(title=title, time=time)


def remedy_failed(key: str, title: str, time: str) -> str:
    """Say that a remedy could not be carried out for hours, and that a person sees to it."""
    return _pick(_REMEDY_FAILED, key).format(title=title, time=time)


def person_due(key: str, matter: str, time: str) -> str:
    """Say when a person answers, to a customer who comes into a private chat that waits.

    Args:
        key: Chooses the words.
        matter: The matter as a noun phrase, empty where it is not known.
        time: As a person would say it.
    """
    return _pick(_PERSON_DUE, key).format(matter=matter or "您的事", time=time)


def care_due(key: str, time: str) -> str:
    """The same where somebody's body or life may be at risk: the person first."""
    return _pick(_CARE_DUE, key).format(time=time)


def person_here(name: str) -> str:
    """Say who answers from now on."""
    return f"现在由{name}为您服务"


def queued(time: str) -> str:
    """Say that a person comes, by when."""
    return f"已转给同事，{time}有人回复您"


def closed() -> str:
    """Say that the matter is settled and that the door stays open."""
    return "这件事先说到这里，有别的事随时告诉我们"
