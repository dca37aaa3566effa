"""Makes one call that sends a message, and tells how it has ended."""

import asyncio
from typing import TYPE_CHECKING

from desk.channels.wechat.api.kf import KfApi
from desk.channels.wechat.api.official import OfficialApi
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from desk.channels.wechat.kf import sessions as kf_sessions
from desk.channels.wechat.outgoing.dispatching import CALL_SECONDS, Flight
from desk.channels.wechat.outgoing.verdicts import CannotBeMadeError, Landed
from recovery.logs import log
from recovery.store import pictures

if TYPE_CHECKING:
    from desk.channels.wechat.service import WeChat


async def call(wechat: "WeChat", flight: Flight) -> Landed:
    """Send a message.

    Args:
        wechat: The channel.
        flight: What; its rows say that it is under way.

    Returns:
        How it has ended. It never fails otherwise.
    """
    try:
        async with asyncio.timeout(CALL_SECONDS):
            jpeg = await _picture(wechat, flight)
            api = wechat.api(flight.account)
            if isinstance(api, KfApi):
                return await _send_kf(api, flight, jpeg)
            await _send(api, flight, jpeg)
    except TimeoutError:
        return Landed(flight, OutcomeUnknownError())
    except (WeChatError, NotReachedError, OutcomeUnknownError, CannotBeMadeError) as error:
        return Landed(flight, error)
    except Exception as error:
        # A defect, ours or a library's: it may have been sent by then, and what waits for other
        # contacts must go on.
        log.error("wechat call failed", contact=flight.contact.id, exc_info=error)
        return Landed(flight, OutcomeUnknownError())
    return Landed(flight)


async def _send(api: OfficialApi, flight: Flight, jpeg: bytes) -> None:
    letter, openid = flight.letter, flight.contact.openid
    if letter.kind == "image":
        await api.send_image(openid, jpeg)
    elif letter.kind == "menu":
        await api.send_menu(openid, letter.text, letter.items)
    else:
        await api.send_text(openid, letter.text)


async def _send_kf(api: KfApi, flight: Flight, jpeg: bytes) -> Landed:
    letter, user, name = flight.letter, flight.contact.openid, flight.batch
    try:
        session = await kf_sessions.claim(api, user)
    except OutcomeUnknownError as error:
        # Nothing was sent yet.
        raise NotReachedError from error
    if session != "ours":
        return Landed(flight, session=session)
    if letter.kind == "image":
        await api.send_image(user, jpeg, name)
    elif letter.kind == "menu":
        await api.send_menu(user, letter.text, letter.items, name)
    else:
        await api.send_text(user, letter.text, name)
    return Landed(flight)


async def _picture(wechat: "WeChat", flight: Flight) -> bytes:
    """The harmless copy of the picture that is to be sent; nothing for words.

    Raises:
        CannotBeMadeError: Its row or its file is gone.
    """
    wanted = flight.letter.picture
    if wanted is None:
        return b""
    found = await wechat.context.storage.read(pictures.load, wanted)
    jpeg = await asyncio.to_thread(wechat.album.copy_of, found.sha256) if found else None
    if jpeg is None:
        raise CannotBeMadeError(f"picture {wanted} is gone")
    return jpeg
