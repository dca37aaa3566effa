"""What the tests of the road out share: somebody who has written, things said to them."""

from typing import Any

from sqlalchemy import Connection

from recovery.ids import new_id
from recovery.store import streams
from recovery.store.tables import wechat_sends
from tests.desk.wechat.scene import ACCOUNT, Clerk, Scene

LAN = "o-lan"
SEND = "/cgi-bin/message/custom/send"


def texts(scene: Scene, openid: str = LAN) -> list[str]:
    """What somebody has seen."""
    return [seen.text for seen in scene.double.seen(openid)]


def sends(scene: Scene, openid: str = LAN) -> list[dict[str, Any]]:
    """The rows of what is on its way to somebody, in order."""
    contact = scene.contact(openid)["id"]
    found = scene.rows(wechat_sends, wechat_sends.c.contact_id == contact)
    return sorted(found, key=lambda row: int(row["id"]))


def states(scene: Scene, openid: str = LAN) -> list[str]:
    """How the rows stand."""
    return [row["state"] for row in sends(scene, openid)]


async def settled(scene: Scene, openid: str = LAN, number: int = 1) -> None:
    """Wait until there are so many rows, and none is to be sent or under way any more."""

    def done() -> bool:
        found = states(scene, openid)
        return len(found) >= number and not set(found) & {"todo", "sending"}

    await scene.until(done)


async def arrived(scene: Scene, openid: str = LAN, account: str = ACCOUNT) -> str:
    """Somebody writes and is answered; gives the conversation."""
    await scene.double.write(openid, "您好", account)
    await settled(scene, openid)
    return str(scene.conversation(openid, account)["id"])


async def tell(scene: Scene, conversation: str, *events: dict[str, Any]) -> list[str]:
    """Let the desk show events in one transaction; gives their ids."""
    context = scene.desk.context
    whole = [{"id": new_id("w"), **event} for event in events]

    def show(db: Connection) -> list[streams.Entry]:
        now, stream = context.clock(), f"private:{conversation}"
        return [entry for one in whole if (entry := streams.append(db, stream, one, now))]

    context.hub.publish(await context.storage.write(show))
    return [str(one["id"]) for one in whole]


def said(text: str, **more: object) -> dict[str, Any]:
    """An event: a member of staff says something."""
    return {"kind": "message", "author": "staff", "name": "小林", "text": text, **more}


async def owned(scene: Scene, conversation: str) -> Clerk:
    """A member of staff has the conversation; the customer has been told."""
    clerk = await scene.staff()
    await clerk.act(conversation, "take")
    await settled(scene, number=2)
    return clerk
