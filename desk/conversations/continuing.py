"""A complaint goes on in the case of before: of the same person, in whatever conversation."""

from dataclasses import replace

from desk.conversations import phrases
from desk.conversations.commented import COMMENT
from desk.conversations.queueing import outlook
from desk.conversations.turn import Changed, Turn, save
from recovery.case import Case, apply, hear
from recovery.commands import BadCommandError, ContinueCase, Note
from recovery.one_customer.merging import gone_into, merged
from recovery.store import (
    case_joins,
    cases,
    clocks,
    conversations,
    follow_ups,
    notices,
    persons,
    staff,
)
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner

_HERE = "接着上次{matter}说，之前说过的都在，不用从头再讲。"
_AGAIN = "上次{matter}，我们接着办，之前说过的都在，不用从头再讲。"
_INVITED = "您之前说过的{matter}，我们都记着，点邀请就接着上次的谈，不用从头再讲。"
_CAME_HERE = "顾客换了个地方接着说这件事，由您接着谈"
_ELSEWHERE = "顾客在另一处又说起这件事，请在您的会话里回他"


def go_on(turn: Turn, command: ContinueCase, anger: int | None) -> None:
    """Let a conversation go on in the case of before, and say so.

    Whoever looks after that case looks after this conversation too.

    Args:
        turn: The commit under way; its case is the one of before from now on.
        command: Which case, and by which rule.
        anger: Of the message; None where it shows none.

    Raises:
        BadCommandError: It is not this person's (any more), or another business's.
    """
    found = persons.case_of(turn.db, command.case)
    mine = persons.person_of(turn.db, turn.conversation.customer_id)
    if (
        found is None
        or found.business != turn.conversation.business
        or persons.person_of(turn.db, found.customer_id) != mine
    ):
        raise BadCommandError("no case of this person to go on in")
    before = cases.load(turn.db, found.id)
    case = apply(before, replace(command, case=found.id), turn.now)
    if before is None or case is None:
        raise BadCommandError("no case to go on in")
    case = _with_what_was_begun_here(turn, case)
    turn.case = case if anger is None else hear(case, anger, turn.now)
    conversations.bind_case(turn.db, turn.conversation.id, case.id)
    turn.conversation = replace(turn.conversation, case_id=case.id)
    save(turn)
    cases.log(turn.db, case.id, turn.source, command, turn.now)
    if before.stage == "closed":
        follow_ups.note_reopened(turn.db, case.id, turn.now)
    _say(turn, before)
    _hand_along(turn, case)


def _with_what_was_begun_here(turn: Turn, case: Case) -> Case:
    """Take along a case that was begun with a greeting or an order, before the matter was told."""
    begun = turn.case
    if begun is None or not begun.is_empty or begun.id == case.id:
        return case
    other = turn.conversation
    cases.save(turn.db, gone_into(begun), other.business, other.customer_id, turn.now)
    cases.log(turn.db, begun.id, turn.source, Note({"merged_into": case.id}), turn.now)
    case_joins.set_merged(turn.db, begun.id, case.id)
    case_joins.move_all(turn.db, begun.id, case.id)
    return merged(case, begun, turn.now)


def _say(turn: Turn, before: Case) -> None:
    conversation = turn.conversation
    if conversation.channel == COMMENT:
        return
    matter = before.matter if before.has_matter else "那件事"
    words = _INVITED
    if conversation.private:
        words = _AGAIN if before.stage == "closed" else _HERE
    event = {"kind": "message", "author": "system", "text": words.format(matter=matter)}
    turn.show(conversation.stream, f"{turn.source}.on", event)


def _hand_along(turn: Turn, case: Case) -> None:
    """Let who looks after the case elsewhere look after this conversation, or know of it."""
    here = turn.conversation
    others = [
        one
        for one in conversations.all_of_case(turn.db, case.id)
        if one.private and one.id != here.id and one.owner != BOT
    ]
    if not others or here.owner != BOT:
        return
    # A person who has it comes before the queue.
    there = next((one for one in others if one.agent is not None), others[0])
    turn.others.append(Changed(there.business, there.id))
    if not here.private:
        if there.agent is not None:
            turn.notices += notices.add(
                turn.db, [there.agent], "attention", there.id, _ELSEWHERE, turn.now
            )
        return
    if there.agent is not None:
        _to_agent(turn, there.agent)
    else:
        _take_place(turn, there)
    turn.conversation = conversations.load(turn.db, here.id) or here


def _to_agent(turn: Turn, agent: int) -> None:
    here, now = turn.conversation, turn.now
    conversations.change_owner(turn.db, here, staff_owner(agent), now, expected=(BOT,))
    clocks.person_due(turn.db, here, turn.business, now)
    turn.notices += notices.add(turn.db, [agent], "assigned", here.id, _CAME_HERE, now)
    name = staff.names(turn.db).get(agent, "同事")
    shown = {"kind": "owner", "owner": "staff", "name": name, "text": phrases.person_here(name)}
    turn.show(here.stream, f"{turn.source}.owner", shown)


def _take_place(turn: Turn, there: Conversation) -> None:
    """Wait in the place of the conversation in which the customer waited until now."""
    here, now = turn.conversation, turn.now
    conversations.change_owner(turn.db, there, BOT, now, expected=(QUEUE,))
    clocks.given_back(turn.db, there, turn.business, now)
    conversations.change_owner(turn.db, here, QUEUE, now, expected=(BOT,), reason=there.reason)
    conversations.wait_as(turn.db, here.id, there)
    clocks.person_due(turn.db, here, turn.business, now)
    waits = conversations.load(turn.db, here.id) or here
    text = outlook(turn.db, turn.context, waits, now).line(timed=True)
    shown = {"kind": "owner", "owner": "queue", "name": "", "text": text}
    turn.show(here.stream, f"{turn.source}.owner", shown)
