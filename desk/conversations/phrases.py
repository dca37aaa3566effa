"""What the desk itself says: when Rasa is away, when people change, when a thing is done.

The bot's words stand in data/responses/; these few cannot come from there, because they are
needed exactly when the bot cannot speak.
"""

from recovery.variants import pick

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
    "办“{title}”时遇到了阻碍，已请同事来办，{time}告诉您怎么样了。",
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
    "“{title}”到现在还没办成，我们没有停，也请了同事来看，{time}给您消息。",
)
_REMEDY_FAILED = (
    "“{title}”试了很多次还是没办成，不再让您这样等，改由同事亲手去办，{time}给您答复。",
    "很抱歉，“{title}”一直没能办成，这件事转给同事来办完，{time}告诉您结果。",
)
_PERSON_DUE = (
    "{matter}已经请同事来办，{time}有人在这里回您，前面说的都带过来了。",
    "{matter}由同事接手，{time}在这里答复您，说过的不用再说一遍。",
)
_CARE_DUE = (
    "人要紧：如有危险或身体不适，请先拨打120或110。已经通知同事，{time}有人在这里回您。",
    "先顾好人：有危险请马上拨打120或110。同事已经知道这件事，{time}在这里联系您。",
    "身体和安全最要紧，有危险请先打120或110。同事已收到通知，{time}在这里回您。",
)
_STILL_QUEUED = (
    "在的，发来的都给同事留着。{standing}。",
    "收到，没有落下您。{standing}。",
    "看到了，您的话都在同事要看的记录里。{standing}。",
    "一直为您排着队，这条也记下了。{standing}。",
)
_LATE = "比说好的时间晚了，抱歉"


_AGREED = (
    "好的，就按这个方案办。{next}。",
    "收到，已经开始办了。{next}。",
    "这就为您办。{next}。",
)
_REFUSED = (
    "好的，这个方案先不办。您想怎样处理，直接告诉同事就行。",
    "知道了，这个方案不办。您的想法可以直接说，同事在看。",
)
_PLEASE_TYPE = {
    "voice": (
        "收到您的语音，我这边暂时听不了，麻烦打字说一下，我马上看。",
        "您发的语音我这里听不到内容，请您用文字写一下，我接着为您办。",
    ),
    "video": (
        "收到您的视频，我这边暂时看不了，麻烦用文字说一下情况，也可以发照片。",
        "您发的视频我这里打不开，请用文字写一下，或者截一张图发给我。",
    ),
    "image": (
        "您发的图片没能收到，麻烦再发一次；发不出来的话，用文字说一下也行。",
        "刚才那张图片没有传过来，请再发一遍，或者用文字告诉我们。",
    ),
}
_PERSON_PLEASE_TYPE = {
    "voice": (
        "收到您的语音，这里暂时听不了，麻烦打字说一下，同事看得到。",
        "语音在这里播放不出来，请您用文字写一下，同事接着为您办。",
    ),
    "video": (
        "收到您的视频，这里暂时看不了，麻烦打字说一下情况，也可以发照片给同事看。",
        "视频在这里打不开，请用文字写一下，或者截一张图发来，同事看得到。",
    ),
    "image": _PLEASE_TYPE["image"],
}


def holding(message_id: str) -> str:
    """Ask for patience while Rasa is slow or away."""
    return pick(_HOLDING, message_id)


def given_up(message_id: str, time: str) -> str:
    """Say that a person answers, because Rasa did not."""
    return pick(_GIVEN_UP, message_id).format(time=time)


def proof_limit(message_id: str, time: str) -> str:
    """Say that an order cannot be proved any more today."""
    return pick(_PROOF_LIMIT, message_id).format(time=time)


def offer_gone(message_id: str, time: str) -> str:
    """Say that an offer was no longer open when it was taken."""
    return pick(_OFFER_GONE, message_id).format(time=time)


def remedy_refused(key: str, title: str, time: str) -> str:
    """Say that a remedy needs a person."""
    return pick(_REMEDY_REFUSED, key).format(title=title, time=time)


def repeated(message_id: str, time: str) -> str:
    """Say that a person looks at an order that had a remedy before; nobody is accused."""
    return pick(_REPEATED, message_id).format(time=time)


def over_budget(message_id: str, time: str) -> str:
    """Say that an offer which was taken waits for a person's word; it stands."""
    return pick(_OVER_BUDGET, message_id).format(time=time)


def remedy_late(key: str, title: str, time: str) -> str:
    """Say that a remedy takes longer than promised, and who looks after it."""
    return pick(_REMEDY_LATE, key).format(title=title, time=time)


def remedy_failed(key: str, title: str, time: str) -> str:
    """Say that a remedy could not be carried out for hours, and that a person sees to it."""
    return pick(_REMEDY_FAILED, key).format(title=title, time=time)


def person_due(key: str, matter: str, time: str) -> str:
    """Say when a person answers, to a customer who comes into a private chat that waits.

    Args:
        key: Chooses the words.
        matter: The matter as a noun phrase, empty where it is not known.
        time: As a person would say it.
    """
    return pick(_PERSON_DUE, key).format(matter=matter or "您的事", time=time)


def care_due(key: str, time: str) -> str:
    """The same where somebody's body or life may be at risk: the person first."""
    return pick(_CARE_DUE, key).format(time=time)


def agreed(message_id: str, next_: str) -> str:
    """Confirm an offer that was taken while a person answers, and say what happens next."""
    return pick(_AGREED, message_id).format(next=next_)


def refused(message_id: str) -> str:
    """Confirm that an offer was turned down while a person answers."""
    return pick(_REFUSED, message_id)


def person_here(name: str) -> str:
    """Say who answers from now on."""
    return f"现在由{name}为您服务"


def queued(time: str, situation: str = "", *, ahead: int = 0, minutes: int | None = None) -> str:
    """Say that a person comes, by when, and how things stand.

    Args:
        time: By when, as a person would say it; empty where that was said a moment ago.
        situation: `closed` outside of service hours, `nobody` where nobody is online, `waits`
            where all who are there have their hands full.
        ahead: How many come before.
        minutes: How long it takes by what was measured; None where nothing was.
    """
    return "，".join(["已转给同事", *_standing(time, situation, ahead, minutes)])


def still_queued(key: str, standing: str) -> str:
    """Answer who writes again while waiting for a person: the words came, and how things stand.

    Args:
        key: Chooses the words.
        standing: From `how_it_stands`.
    """
    return pick(_STILL_QUEUED, key).format(standing=standing)


def how_it_stands(
    time: str,
    situation: str = "",
    *,
    ahead: int = 0,
    minutes: int | None = None,
    late: bool = False,
) -> str:
    """Say how things stand in the queue, as one clause.

    Args:
        time: By when, as a person would say it; empty where nothing is known.
        situation: As of `queued`.
        ahead: How many come before.
        minutes: How long it takes by what was measured; None where nothing was.
        late: The time that was promised is over.
    """
    standing = _standing(time, situation, ahead, minutes) or ["同事这就来看"]
    return "，".join([*([_LATE] * late), *standing])


def _standing(time: str, situation: str, ahead: int, minutes: int | None) -> list[str]:
    parts = []
    if situation == "closed":
        parts += ["现在是非服务时间", "已为您排好队"]
    elif situation == "nobody":
        parts += ["现在没有同事在线", "已为您排好队"]
    elif situation == "waits":
        parts.append(f"前面还有{ahead}位" if ahead else "您是下一位")
        if minutes:
            parts.append(f"按最近的速度大约{minutes}分钟")
    if time:
        parts.append(f"{time}有人回复您")
    if situation == "closed":
        parts.append("上班后先办")
    return parts


def entered_with(business: str, name: str) -> str:
    """Say where one is, to who comes into a private chat with the person who serves them."""
    return f"这里是{business}的一对一服务，只有您和我们看得到，{name}在这里接着为您服务"


def handed_on(name: str) -> str:
    """Say who goes on instead of a colleague."""
    return f"接下来由{name}为您服务，前面说的都已交代"


def back_in_queue(time: str) -> str:
    """Say that the person who had it did not answer, and what happens now."""
    return f"刚才的同事没能及时回复您，抱歉；已排到最前面请其他同事接手，{time}有人回复您"


def closed() -> str:
    """Say that the matter is settled and that the door stays open."""
    return "这件事办到这里；还有哪里不妥，随时在这里告诉我们"


def please_type(key: str, kind: str, *, to_person: bool = False) -> str:
    """Ask to say in words what cannot be heard or seen here.

    Args:
        key: Chooses the words.
        kind: `voice`, `video`, or `image` for one that did not arrive.
        to_person: A person reads it, not the bot.
    """
    return pick((_PERSON_PLEASE_TYPE if to_person else _PLEASE_TYPE)[kind], key)


def welcome(business: str, assistant: str) -> str:
    """Greet who has begun to follow the account; there is nothing to answer yet."""
    return (
        f"您好，这里是{business}，我是{assistant}。"
        "有什么不满意的，直接在这里告诉我就行，文字和照片都可以，只有您和我们看得到。"
    )


def welcome_back(matter: str, standing: str) -> str:
    """Greet who comes back in the middle of a matter, and say where it stands.

    Args:
        matter: As a noun phrase, empty where it is not known.
        standing: A clause.
    """
    about = f"关于“{matter}”的" if matter else "前面的"
    return f"您好，{about}对话还在，说过的都没丢。{standing}。"


def too_much(most: int) -> str:
    """Ask to send in parts what is longer than can be taken in at once."""
    return f"这条太长，没能收下；一次最多{most}个字，麻烦分成几条发，每一条都会看"


def nothing_there() -> str:
    """Answer a menu item that stands for nothing here."""
    return "这一项暂时不能用，有什么事请直接在这里打字告诉我们"


def not_taken() -> str:
    """Say that something could not be taken in, by no fault of the customer."""
    return "刚才那条没能收下，麻烦再发一次"
