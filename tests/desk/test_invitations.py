"""Invitations from public into private: for one customer, once, for a short time."""

import asyncio
import json
import statistics
import time

import httpx

from recovery.ids import new_id, new_secret, sign
from tests.desk.people import (
    ANGRY,
    PATIENCE,
    Guest,
    close_code,
    database,
    expire_invitations,
    guest,
    words,
)
from tests.support.stack import Stack

NOT_FOUND = {"error": {"code": "not_found", "message": "没有找到"}}


async def invited(one: Guest) -> str:
    """Complain; gives the token of the invitation."""
    await one.post(ANGRY[one.business])
    return str(one.calls()[-1]["token"])


def strangers_tokens(stack: Stack, good: str) -> dict[str, str]:
    """What somebody may try in place of an invitation of his own."""
    payload, mac = good.split(".")
    secrets = stack.secrets
    content = {"i": new_id("i"), "n": new_secret()[:16]}
    return {
        "good, of somebody else": good,
        "forged": sign(content, "k" * 43, "invitation"),
        "rightly signed, never issued": sign(content, secrets["signing_key"], "invitation"),
        "signed for something else": sign(content, secrets["signing_key"], "button"),
        "truncated": good[:-4],
        "without signature": payload,
        "other signature": f"{payload}.{mac[::-1]}",
        "random": new_secret(),
        "short": "x",
        "not ascii": "%E5%BC%80%E9%97%A8",
        "nothing readable": "%00%ff",
    }


async def test_only_the_invited_learns_that_there_is_an_invitation(stack: Stack) -> None:
    async with guest(stack) as owner, guest(stack, name="旁人") as other:
        token = await invited(owner)
        mine = await owner.customer.http.get(f"/api/invitations/{token}")
        assert mine.json() == {
            "matter": "房间没有打扫干净这件事",
            "business": "岚庭酒店",
            "state": "open",
            # This business has no account in WeChat to go on in.
            "wechat": None,
        }
        async with httpx.AsyncClient(
            base_url=stack.url, trust_env=False, timeout=PATIENCE
        ) as nobody:
            for kind, tried in strangers_tokens(stack, token).items():
                for who, http in (("other", other.customer.http), ("nobody", nobody)):
                    path = f"/api/invitations/{tried}"
                    for answer in (
                        await http.get(path),
                        await http.post(path),
                        await http.post(f"{path}/renew"),
                        await http.post(f"{path}/wechat", json={}),
                    ):
                        assert answer.status_code == 404, (kind, who)
                        assert answer.json() == NOT_FOUND, (kind, who)
                        assert "set-cookie" not in answer.headers
        again = await owner.customer.http.get(f"/api/invitations/{token}")
        assert again.json()["state"] == "open", "nobody has used it up"


async def test_the_time_of_an_answer_tells_strangers_nothing(stack: Stack) -> None:
    """Medians of many tries, taken by turns so that the load of the machine hits all alike."""
    async with guest(stack) as owner, guest(stack, name="旁人") as other:
        token = await invited(owner)
        tries = {
            kind: tried
            for kind, tried in strangers_tokens(stack, token).items()
            if kind in ("good, of somebody else", "rightly signed, never issued", "forged")
        }
        taken: dict[str, list[float]] = {kind: [] for kind in tries}
        for _ in range(30):
            for kind, tried in tries.items():
                begun = time.perf_counter()
                await other.customer.http.get(f"/api/invitations/{tried}")
                taken[kind].append(time.perf_counter() - begun)
        medians = {kind: statistics.median(times) for kind, times in taken.items()}
        assert max(medians.values()) < min(medians.values()) + 0.015, medians


async def test_the_second_click_leads_to_the_same_chat(stack: Stack) -> None:
    async with guest(stack) as owner:
        token = await invited(owner)
        clicks = await asyncio.gather(*(owner.customer.enter(token) for _ in range(5)))
        assert len(set(clicks)) == 1
        shown = await owner.customer.http.get(f"/api/invitations/{token}")
        assert shown.json()["state"] == "used"
        said = await owner.enter(token)
        assert owner.conversation == clicks[0]
        assert len([event for event in said if event["kind"] == "owner"]) == 1
        assert words(said).count("房间没有打扫干净") >= 1
        opening = [event["text"] for event in said if event["kind"] == "message"]
        assert len(opening) == len(set(opening)), "the bot opens once"


async def test_personal_data_alone_brings_one_chat_however_often_it_is_clicked(
    stack: Stack,
) -> None:
    """There is no case yet that could lead the second click to the first chat."""
    async with guest(stack) as owner:
        await owner.post("我的手机号是13912345678")
        token = owner.calls()[-1]["token"]
        clicks = await asyncio.gather(*(owner.customer.enter(token) for _ in range(5)))
        await owner.post("我的手机号是13912345679")
        assert len(owner.calls()) == 2
        clicks.append(await owner.customer.enter(owner.calls()[-1]["token"]))
        assert len(set(clicks)) == 1


async def test_an_invitation_that_has_run_out_can_be_renewed_by_the_invited(stack: Stack) -> None:
    async with guest(stack) as owner, guest(stack, name="旁人") as other:
        token = await invited(owner)
        store = database(stack)
        expire_invitations(store, owner.id)
        store.close()
        path = f"/api/invitations/{token}"
        assert (await owner.customer.http.get(path)).json()["state"] == "expired"
        late = await owner.customer.http.post(path)
        assert (late.status_code, late.json()["error"]["code"]) == (410, "expired")
        foreign = await other.customer.http.post(path)
        assert (foreign.status_code, foreign.json()) == (404, NOT_FOUND), "expired or not"
        refused = await other.customer.http.post(f"{path}/renew")
        assert (refused.status_code, refused.json()) == (404, NOT_FOUND)

        fresh = (await owner.customer.http.post(f"{path}/renew")).json()["token"]
        assert fresh != token
        said = await owner.enter(fresh)
        assert "房间没有打扫干净" in words(said)


async def test_an_invitation_that_was_used_still_leads_back_after_its_time(stack: Stack) -> None:
    async with guest(stack) as owner:
        token = await invited(owner)
        first = await owner.customer.enter(token)
        store = database(stack)
        expire_invitations(store, owner.id)
        store.close()
        assert await owner.customer.enter(token) == first


async def test_a_private_chat_is_closed_to_everybody_else(stack: Stack) -> None:
    async with guest(stack) as owner, guest(stack, name="旁人") as other:
        await invited(owner)
        await owner.enter()
        foreign = f"/ws/conversation/{owner.conversation}"
        missing = f"/ws/conversation/{new_id('k')}"
        expected = (4404, "not_found")
        assert await close_code(stack, foreign, Cookie=other.customer.cookie) == expected
        assert await close_code(stack, missing, Cookie=other.customer.cookie) == expected
        assert await close_code(stack, foreign) == expected
        assert await close_code(stack, missing) == expected
        assert await close_code(stack, missing, Cookie=owner.customer.cookie) == expected
        # The thread in the room is the owner's own, but no private chat.
        thread = f"/ws/conversation/{owner.thread}"
        assert await close_code(stack, thread, Cookie=owner.customer.cookie) == expected
        for path in (owner.conversation, new_id("k"), owner.thread):
            answer = await other.customer.http.get(f"/api/conversations/{path}")
            assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
        listed = await other.customer.http.get("/api/my/conversations")
        assert listed.json() == {"conversations": []}
        frames = json.dumps(other.room.frames)
        assert owner.conversation not in frames
