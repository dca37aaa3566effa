"""Sends the link of the survey, once a case."""

from desk.aftercare import words
from desk.aftercare.giving import Moment, spoken_to_lately
from desk.conversations.turn import Committed
from recovery.aftercare.gestures import load_gestures
from recovery.ids import new_secret
from recovery.store import surveys

PATH = "/s/"
LINK_TITLE = "填写问卷"


def invite(moment: Moment) -> Committed | None:
    """Send the link; None where it was sent before, could not be opened, or is too soon.

    The secret stands in the event alone, which only the customer is shown (`for_staff` takes the
    link out); the database of surveys has its hash.
    """
    public = moment.context.settings.public_url
    if moment.conversation.channel != "web" and public is None:
        # Outside of our own pages a path leads nowhere.
        return None
    if spoken_to_lately(moment):
        # About another matter of the same person: one thing at a time.
        return None
    secret = new_secret()
    sent = surveys.send(
        moment.db,
        secret,
        moment.solved.business,
        moment.solved.case_id,
        moment.solved.customer_id,
        moment.now,
        moment.now + load_gestures().pace.survey_lasts,
    )
    if sent is None:
        return None
    link = {"title": LINK_TITLE, "url": f"{public or ''}{PATH}{secret}"}
    return moment.say(f"{sent.id}.sent", words.survey(sent.case_id), link=link)
