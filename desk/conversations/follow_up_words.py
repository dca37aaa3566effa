"""What the desk says when it asks afterwards how it went, and to the answers."""

from recovery.variants import pick

_ASK = (
    "您好，{matter}已经处理过了，想问一声：您满意吗？选一个分数就行。",
    "您好，来回访一下{matter}：现在都妥当了吗？请给这次处理打个分。",
    "您好，{matter}处理完有一阵了，您对这次处理满意吗？1到5分，选一个就好。",
)
_ASK_AGAIN = (
    "再打扰一次，也只这一次：{matter}的处理，您给几分？不方便就不用理会。",
    "{matter}的处理还想听听您的看法，点个分数就行；不回也没关系，之后不再问。",
)
_POOR = (
    "抱歉，没能让您满意。{matter}已经重新打开，{time}有同事在这里回您。"
    "哪里没办好，方便的话先写一句，同事接手就能看到。",
    "收到，这次没有办好，对不起。{matter}重新打开、排在前面，{time}有同事在这里回您。"
    "愿意的话先说说差在哪里，不用从头讲。",
)
_POOR_WITH_PERSON = (
    "抱歉，没能让您满意，您的打分同事已经看到，在这里接着为您办。",
    "收到，这次没有办好，对不起。同事在这里，会接着处理。",
)
_FAIR = (
    "谢谢您直说。还差在哪里？写一句就行，我们照着改。",
    "谢谢您的打分。哪一点没让您满意，愿意的话写一句，同事会看。",
)
_GOOD = (
    "谢谢您！有什么想说的，直接写在这里；不写也行。",
    "谢谢您的肯定。要是还有想提醒我们的，写一句就好，不写也没关系。",
)
_RATED_BEFORE = "您的打分已经记下了，谢谢。有想补充的，直接写在这里就行。"
_OVER = "这次回访已经结束了，谢谢您。有什么事直接写在这里，马上有人看。"
_WORDS = (
    "记下了，谢谢您说得这么清楚，同事会看到。",
    "收到，您说的已经记进这件事里，谢谢。",
)
_STOPPED = "好的，以后不再回访您。有事随时在这里找我们。"
_WORDS_TO_PERSON = (
    "您说的我看到了，这不该就这么过去。已经请同事来看，{time}在这里回您。",
    "听得出您还很不舒服，这件事交给同事接着办，{time}有人在这里回您。",
)
_ASKED_PERSON = (
    "好的，请同事来看，{time}在这里回您。",
    "收到，这就请同事来，{time}有人在这里答复您。",
)
_CALL = "该给顾客打电话回访了：{matter}，问完请把结果记在案情里"
_CALL_AGAIN = "回访电话还没有结果：{matter}，再打一次，之后不再提醒"
_CALL_CARE = "这件事涉及人身安全，请亲自回访：{matter}，问完请把结果记在案情里"


def _named(matter: str) -> str:
    return f"“{matter}”" if matter else "您上次说的事"


def ask(key: str, matter: str, *, again: bool) -> str:
    """Ask how it went.

    Args:
        key: Chooses the words.
        matter: As a noun phrase, empty where it is not known.
        again: It was asked before.
    """
    return pick(_ASK_AGAIN if again else _ASK, key).format(matter=_named(matter))


def poor(key: str, matter: str, time: str) -> str:
    """Answer 1 or 2: the one apology, that it is open again, and when a person answers."""
    return pick(_POOR, key).format(matter=_named(matter), time=time)


def poor_with_person(key: str) -> str:
    """The same where a person has the conversation already."""
    return pick(_POOR_WITH_PERSON, key)


def fair(key: str) -> str:
    """Answer 3: thank, and ask what is missing."""
    return pick(_FAIR, key)


def good(key: str) -> str:
    """Answer 4 or 5: thank and end; who wants may say more."""
    return pick(_GOOD, key)


def rated_before() -> str:
    """Say that the first rating stands."""
    return _RATED_BEFORE


def over() -> str:
    """Say that it is too late for an answer, and that the door is open."""
    return _OVER


def words_kept(key: str) -> str:
    """Thank for the answer to the open question."""
    return pick(_WORDS, key)


def words_to_person(key: str, time: str) -> str:
    """Say that a person looks at what was written in anger."""
    return pick(_WORDS_TO_PERSON, key).format(time=time)


def asked_person(key: str, time: str) -> str:
    """Say by when a person answers who wants something, and is not angry."""
    return pick(_ASKED_PERSON, key).format(time=time)


def stopped() -> str:
    """Confirm that nobody asks any more."""
    return _STOPPED


def call(matter: str, *, again: bool, care: bool) -> str:
    """Tell staff that a customer is to be called.

    Args:
        matter: As a noun phrase, empty where it is not known.
        again: It was told before.
        care: Somebody's body or life was at risk: no machine asks how satisfied they are.
    """
    words = _CALL_AGAIN if again else _CALL_CARE if care else _CALL
    return words.format(matter=_named(matter))
