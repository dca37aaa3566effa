"""What is said beside the bot's answer: the notice about personal data, a wish that is kept.

It goes in the transaction of the answer and before its words, so that it costs no message of its
own where messages are counted (WeChat).
"""

from desk.aftercare import words
from desk.conversations.turn import Turn
from recovery.aftercare.notice import notice_text, version
from recovery.aftercare.wishes import read_wishes
from recovery.store import customers, preferences
from recovery.store.inbox import Message


def say_beside(turn: Turn, message: Message) -> None:
    """Say what belongs beside the answer to a message; nothing in public.

    Args:
        turn: The commit of the answer, of a customer's message.
        message: That message.
    """
    conversation, business = turn.conversation, turn.business
    if not conversation.private:
        return
    text = notice_text(business.privacy_notice, business.name)
    if text:
        person = customers.load(turn.db, conversation.customer_id).person
        if preferences.show_notice(turn.db, person, version(text), turn.now):
            turn.show(
                conversation.stream, f"{message.id}.privacy", {"kind": "notice", "text": text}
            )
    if message.pressed is None and read_wishes(message.text).no_marketing:
        kept = {"kind": "notice", "text": words.no_more()}
        turn.show(conversation.stream, f"{message.id}.kept", kept)
