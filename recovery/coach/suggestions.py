"""Replies that fit the present state of a case; staff choose one and change it as they like."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from recovery.anger import ANGRY, CALM
from recovery.coach.warnings import apologises

MOST = 3
# Two texts that share this part of their pairs of characters say the same.
_SAME = 0.5
# What is shorter shares most of its pairs with anything about the same matter.
_FEWEST_PAIRS = 12


@dataclass(frozen=True)
class Moment:
    """The present state, as far as words depend on it.

    Attributes:
        private: Whether only the customer reads it.
        stage: Of the case; empty where there is none.
        reason: Why it came to a person.
        anger: Now, 0 to 3.
        matter: As a noun phrase, `您说的这件事` where it is not known.
        customer: Name, empty where it is not known.
        staff: Who writes.
        time: By when the next answer comes, as a person says it.
        introduced: Whether who writes has said something here before.
        waits: Whether the last word was the customer's.
        silent: Whether the customer has not written for long.
        apologised: Whether the bot or staff have said sorry.
        order_known: Whether an order is proved.
        lacks_evidence: Whether the policy wants a photo that is not there.
        offered: Titles of the open offer.
        expires: Until when the open offer stands, in words.
        refused: Whether the latest offer was refused.
        failed: Titles of remedies that could not be carried out.
        running: Titles of those under way.
        done: Titles of those carried out.
        requested: Whether a manager was asked for more.
        calls: Whether a video call can be offered.
    """

    private: bool
    stage: str
    reason: str | None
    anger: int
    matter: str
    customer: str
    staff: str
    time: str
    introduced: bool = False
    waits: bool = True
    silent: bool = False
    apologised: bool = False
    order_known: bool = False
    lacks_evidence: bool = False
    offered: tuple[str, ...] = ()
    expires: str = ""
    refused: bool = False
    failed: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    requested: bool = False
    calls: bool = False


@dataclass(frozen=True)
class Suggestion:
    """One suggested reply; nothing is sent by itself."""

    title: str
    text: str


_Group = tuple[str, tuple[str, ...]]


def suggest(moment: Moment, said: Sequence[str]) -> list[Suggestion]:
    """Suggest replies, the most fitting first.

    Args:
        moment: The present state.
        said: What the bot and staff have said in this conversation; nothing of it is said again.

    Returns:
        Three, fewer where the rest has been said.
    """
    fresh = (
        Suggestion(title, text)
        for title, texts in _groups(moment)
        if (text := _unsaid(texts, said, apologised=moment.apologised)) is not None
    )
    return list(islice(fresh, MOST))


def _unsaid(texts: Sequence[str], said: Sequence[str], *, apologised: bool) -> str | None:
    for text in texts:
        if apologised and apologises(text):
            continue
        if not any(alike(text, before) for before in said):
            return text
    return None


def alike(one: str, other: str) -> bool:
    """Whether two texts say the same in nearly the same words."""
    pairs, others = _pairs(one), _pairs(other)
    fewest = max(min(len(pairs), len(others)), _FEWEST_PAIRS)
    return one == other or len(pairs & others) / fewest >= _SAME


def _pairs(text: str) -> set[str]:
    letters = [char for char in text if char.isalnum()]
    return {first + second for first, second in pairwise(letters)}


def _groups(moment: Moment) -> Iterator[_Group]:
    if not moment.private:
        yield from _in_public(moment)
        return
    yield from _first_words(moment)
    yield from _of_remedies(moment)
    yield from _of_what_is_missing(moment)
    yield from _of_going_on(moment)


def _in_public(moment: Moment) -> Iterator[_Group]:
    matter, time = moment.matter, moment.time
    yield (
        "看到了",
        (
            f"{matter}已经看到，我在向当班的同事核实，{time}在这里回您。",
            f"{matter}我在跟，{time}把核实到的说给您听。",
        ),
    )
    yield (
        "请到私聊",
        (
            f"{matter}需要对一下细节，细节不适合在这里写，您点一下邀请到私聊来，由我接着办。",
            "私聊的邀请一直有效着，您方便时点开，前面说的都已经带过去，不用再讲。",
        ),
    )
    yield (
        "说下一步",
        (
            f"下一步是查清经过，{time}有结果；涉及您个人的部分，我们在私聊里说。",
            f"同事已经过去处理，{time}回来告诉您怎么样了。",
        ),
    )


def _first_words(moment: Moment) -> Iterator[_Group]:
    hello = f"{moment.customer}您好" if moment.customer else "您好"
    matter, staff, time = moment.matter, moment.staff, moment.time
    if moment.reason == "safety":
        yield (
            "先顾好人",
            (
                "先顾好人：如果还不舒服，请马上就医或拨打120，票据留着。您现在在哪里，身边有人吗？",
                f"您现在好些了吗？人安顿好再说别的，负责人{time}联系您。",
            ),
        )
    if not moment.introduced:
        sorry = (
            f"{hello}，我是{staff}。{matter}换成谁都会生气，实在抱歉。"
            f"接下来由我跟到底，{time}给您第一个答复。"
        )
        plain = (
            f"{hello}，我是{staff}，前面的对话我都看过了，{matter}由我来跟进，"
            f"不用再说一遍。{time}给您答复。"
        )
        short = f"{hello}，{staff}在。您说的都记着，我先去核实，{time}回来。"
        texts = (sorry, plain, short) if moment.anger >= ANGRY else (plain, short)
        yield "接手", texts
    if moment.reason == "escalation":
        yield (
            "提到要投诉",
            (
                f"向有关部门反映是您的权利，这边也不停：{matter}我{time}给您一个明确的答复。",
                f"您要反映的话，经过我可以写给您留底。同时我这边继续办，{time}回您。",
            ),
        )


def _of_remedies(moment: Moment) -> Iterator[_Group]:
    time = moment.time
    for title in moment.failed:
        yield (
            "没办成的接着办",
            (
                f"“{title}”没能自动办成，我现在亲手去办，{time}告诉您结果。",
                f"“{title}”卡住的地方我找到人处理了，{time}回您办到哪一步。",
            ),
        )
    if moment.requested:
        yield (
            "等经理答复",
            (
                f"您提的要求已经报给经理，{time}给您准信，同意或不同意都会说明原因。",
                f"经理那边我在催，{time}之内有消息就告诉您。",
            ),
        )
    if moment.offered:
        items = "、".join(moment.offered[:3])
        until = f"，{moment.expires}都有效" if moment.expires else ""
        yield (
            "说明方案",
            (
                f"卡片上列的是{items}，每一项旁边写着原因{until}。您看过点“就这样办”就开始，哪一项不合适直接说。",
                f"方案还给您留着{until}，不急着定，想先问哪一项都可以。",
            ),
        )
    if moment.refused or moment.offered:
        yield (
            "问想怎样办",
            (
                f"您最在意的是哪一点？您希望怎样处理说给我听，我去看能办到哪一步，{time}回您。",
                f"想先听您的：换一种办法，还是在这个方案上加减？我按您说的去问，{time}回您。",
            ),
        )
    if moment.running:
        yield (
            "说进度",
            (
                f"“{moment.running[0]}”正在办，{time}我再来看一次，把结果告诉您。",
                f"给您报个进度：“{moment.running[0]}”已经交下去，还没有回执，我盯着。",
            ),
        )
    if moment.done and not moment.running and not moment.failed:
        yield (
            "确认办好",
            (
                f"“{moment.done[0]}”已经办好。您那边如果还没看到，直接告诉我，我接着查。",
                f"想和您确认一下，“{moment.done[0]}”收到了吗？",
            ),
        )
        if moment.anger == CALM or moment.stage in ("agreed", "closed"):
            yield (
                "结束前确认",
                (
                    f"{moment.matter}到这里办完了，您看还有没有落下的？没有的话我先结案，之后有事在这里说一声就行。",
                    "还有别的事要我一起办吗？没有的话先到这里，门一直开着。",
                ),
            )


def _of_what_is_missing(moment: Moment) -> Iterator[_Group]:
    settled = moment.offered or moment.running or moment.done
    if not moment.order_known and not settled:
        yield (
            "问订单",
            (
                "麻烦告诉我订单号和预留手机的后四位，只在这里核对，核对好我就往下办。",
                "订单号不在手边的话，下单的日期和预留手机后四位也行，我来找。",
            ),
        )
    if moment.lacks_evidence:
        yield (
            "请发照片",
            (
                "方便的话发一两张照片，能看清问题的地方就行，收到我马上看。",
                "没有照片也不影响我先办，有的话随时发来。",
            ),
        )


def _of_going_on(moment: Moment) -> Iterator[_Group]:
    matter, time = moment.matter, moment.time
    if moment.silent:
        yield (
            "等您的消息",
            (
                f"{matter}我还在等您的消息，不急，方便时回一句就行，这里一直开着。",
                "您那边如果忙，可以晚点再说，前面的都记着。",
            ),
        )
    yield (
        "核实后答复",
        (
            f"{matter}我正在核实，{time}把核实到的情况告诉您，中间有进展也会说。",
            f"还在查，没有放下。{time}我再来告诉您查到哪一步。",
            f"我又去问了一次当班的人，{time}把经过理清楚给您。",
        ),
    )
    if moment.calls and moment.anger >= ANGRY:
        yield (
            "请您通话",
            ("几句话说不清的话，我们视频说几分钟，您什么时候方便，我按您的时间来。",),
        )
    yield (
        "听您的想法",
        (
            "您希望先解决哪一件？我按您说的顺序来办。",
            "还有哪些地方我没有问到？您想起什么随时说。",
        ),
    )
    yield (
        "约下一次",
        (
            f"我先去办，{time}回来给您一个准信，您不用守着。",
            f"这段时间您忙您的，{time}我在这里更新。",
        ),
    )
