"""“到哪一步了” while a customer waits for a person: the desk answers from the case, once."""

from datetime import timedelta

from desk.conversations.turn import Turn
from recovery.anger import ANGRY
from recovery.dialogue.complaint import SURE
from recovery.dialogue.progress import progress_words
from recovery.store import conversations, streams, underway
from recovery.store.conversations import QUEUE
from recovery.understood import Understood

PAUSE = timedelta(minutes=3)
"""How long it is not answered again."""
_ENDING = ".progress"


def answer(turn: Turn, heard: Understood) -> None:
    """Say how far everything is, where that is surely all that was asked.

    The conversation stays in the queue, and its customer goes on waiting for a person. Whoever is
    served by a person is answered by that person, who sees the same in the case.

    Args:
        turn: The commit under way, its case as it is by now.
        heard: What was understood of the message.
    """
    if turn.case is None or heard.intent != "ask_progress" or heard.confidence < SURE:
        return
    if heard.anger >= ANGRY or heard.flags:
        # There is more in it than a question: that is for the person.
        return
    present = conversations.load(turn.db, turn.conversation.id)
    if present is None or not present.private or present.owner != QUEUE:
        return
    promised = underway.of_case(turn.db, turn.case.id)
    if not promised or streams.has_lately(turn.db, present.stream, _ENDING, turn.now - PAUSE):
        return
    said = progress_words(turn.business, promised, turn.now)
    event = {"kind": "message", "author": "system", "text": f"{said}。同事也会接着看。"}
    turn.show(present.stream, f"{turn.source}{_ENDING}", event)
