"""Every page of staff, open, with the oddest things on it that anybody can write."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.backstage import ADMIN, backstage, listens, on_duty, takes
from tests.browser.party import Party
from tests.browser.visitors import SHOP, Agent, Guest
from tests.desk.images import encoded
from tests.desk.orders import an_order
from tests.desk.people import signed_identity
from tests.desk.scripted_rasa import Body, says
from tests.desk.staff_scene import PASSWORD, Scene

SHORT = "<x-hack data-hack>"
ATTACKS = (
    '<img data-hack src="/x.png" onerror="window.hacked=1">',
    "<script data-hack>window.hacked=1</script>",
    '"><svg data-hack onload=window.hacked=1>',
    "'\"></textarea><x-hack data-hack></x-hack>",
    "{{constructor.constructor('window.hacked=1')()}} ${window.hacked=1}",
    "<style data-hack>*{display:none!important}</style>",
    "<details data-hack open ontoggle=window.hacked=1>[链接](javascript:window.hacked=1)",
)
ENDLESS = "Ж" * 2000
FLIPPED = "\u202e倒过来的\u202c\u2066字\u2069\u200f"
STRAIGHT = "倒过来的字"
HIDDEN = "零\u200b宽\u2060的\ufeff字"
RTL_NAME = "محمد عبد الرحمن"
EMOJI_NAME = "👨‍👩‍👧‍👦🏳️‍🌈🙂"
WIDE_NAME = "W" * 20
STACKED = "Z" + "\u0301\u0327\u030a" * 60

DESKTOP: ViewportSize = {"width": 1366, "height": 768}


def hears(path: str, body: Body) -> Body:
    """As `listens`; what a customer calls the matter and the order comes as they wrote it."""
    if path == "/desk/messages" and body["text"].startswith("怪事"):
        case = "s" + body["message_id"][1:25]
        opened = {"do": "open_case", "case": case, "failure": "unknown", "keywords": SHORT}
        return says("收到", commands=[opened, {"do": "invite"}], anger=3)
    if path == "/desk/messages" and body["text"].startswith("怪单号"):
        facts = {"order_number": ATTACKS[0], "item": SHORT, "phone_last4": SHORT}
        return says(ATTACKS[1], commands=[{"do": "note", "facts": facts}], anger=3)
    return listens(path, body)


@dataclass
class Stage:
    """Everything that was written, and the pages on which staff meet it.

    Attributes:
        pages: By name.
        agents: By login.
        paths: The conversations, by what is odd about them.
    """

    scene: Scene
    party: Party
    pages: dict[str, Page] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)


PAGES = (
    "queue",
    "mine",
    "colleagues",
    "script",
    "script, masked",
    "odd letters",
    "by hand",
    "search",
    "notices",
    "canned",
    "transfer",
    "departure",
    "labels",
    "close",
    "board",
    "requests",
    "words",
    "audit",
    "accounts",
    "own account",
)


def call(agent: Agent, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON
    """One call of the staff's pages, in the agent's session."""
    api = f"{agent.base}/api/staff"
    csrf = agent.context.request.get(f"{api}/me").json()["csrf"]
    answer = agent.context.request.fetch(
        api + path, method=method, data=body, headers={"X-CSRF": csrf}
    )
    assert answer.ok, f"{method} {path}: {answer.status} {answer.text()}"
    return answer.json() if answer.text() else None


def an_id() -> str:
    return secrets.token_hex(8)


@contextmanager
def set_up(chromium: Browser, folder: Path) -> Iterator[Stage]:
    """All of it written, all pages open, for the length of the block."""
    with backstage(folder, video_calls="https://meet.example") as scene:
        scene.rasa.script = hears
        scene.stack.add_staff("mo", SHORT, PASSWORD, "agent")
        made = Stage(scene, Party(chromium, scene.stack.url))
        try:
            _customers(made)
            _staff(made)
            _open(made)
            assert set(made.pages) == set(PAGES)
            yield made
        finally:
            made.party.close()


def _guest(stage: Stage, name: str, room: str, post: str) -> Guest:
    guest = stage.party.guest()
    guest.name = name
    guest.enter_room(room)
    return guest.complain(post).enter_private()


def _queued(guest: Guest) -> str:
    guest.say("给我转人工")
    expect(guest.page.get_by_test_id("owner-line")).to_contain_text("人工客服")
    return "/staff/" + guest.page.url.rsplit("/", 1)[1]


def _customers(stage: Stage) -> None:
    scripted = _guest(stage, SHORT, "lanting-lobby", f"怪事{ATTACKS[0]}")
    scripted.say("怪单号")
    for attack in ATTACKS:
        scripted.say(attack)
        expect(scripted.line(attack).last).to_have_attribute("data-state", "sent")
    picture = {
        "name": '"><img data-hack src=x onerror="window.hacked=1">.png',
        "mimeType": "image/png",
        "buffer": encoded("PNG"),
    }
    with scripted.page.expect_file_chooser() as chooser:
        scripted.page.get_by_role("button", name="发图片").click()
    chooser.value.set_files([picture])
    expect(scripted.log.get_by_test_id("picture")).to_have_count(1)
    stage.paths["script"] = _queued(scripted)

    odd = _guest(stage, f"{RTL_NAME}\u202e", SHOP, "怪事")
    for text in (ENDLESS, FLIPPED, HIDDEN, STACKED, EMOJI_NAME * 20):
        odd.say(text)
    stage.paths["odd letters"] = _queued(odd)

    for name in (WIDE_NAME, EMOJI_NAME):
        wide = _guest(stage, name, SHOP, "怪事")
        wide.say(ENDLESS)
        stage.paths[name] = _queued(wide)

    known = stage.party.guest()
    identity = signed_identity(stage.scene.stack, "lanting", SHORT)
    known.go(f"/r/lanting-lobby#identity={identity}")
    known.connected()
    known.complain("怪事").enter_private()
    stage.paths["identity"] = _queued(known)


def _staff(stage: Stage) -> None:
    for login in ("lin", "mo", "sun", "ma", "tang", ADMIN):
        stage.agents[login] = on_duty(stage.party, login, viewport=DESKTOP)
    lin, sun, mo = (stage.agents[login] for login in ("lin", "sun", "mo"))
    for name in ("script", "odd letters"):
        takes(lin, stage.paths[name])
    takes(mo, stage.paths[WIDE_NAME])
    script = "/conversations/" + stage.paths["script"].rsplit("/", 1)[1]
    odd = "/conversations/" + stage.paths["odd letters"].rsplit("/", 1)[1]

    label = call(sun, "POST", "/labels", {"name": SHORT, "colour": "red"})
    long_label = call(sun, "POST", "/labels", {"name": WIDE_NAME, "colour": "blue"})
    for at in (script, odd):
        call(lin, "PUT", f"{at}/labels", {"labels": [label["id"], long_label["id"]]})
    for title, text in ((SHORT, ATTACKS[0]), (WIDE_NAME, ENDLESS[:900])):
        reply = {"title": title, "text": text, "shortcut": "", "industry": None}
        call(sun, "POST", "/canned", {**reply, "anger_least": 0, "anger_most": 3})
    colleagues = {one["name"]: one["id"] for one in call(sun, "GET", "/colleagues")["colleagues"]}
    for text in (*ATTACKS, ENDLESS, FLIPPED):
        note = {"id": an_id(), "text": text, "mentions": [colleagues["孙主管"]]}
        call(lin, "POST", f"{script}/notes", note)
    for text in (ATTACKS[0], ENDLESS):
        call(sun, "POST", f"{script}/whisper", {"id": an_id(), "text": text})
    # Who has not been answered cannot be put aside.
    answer = {"id": an_id(), "text": f"好的，{ATTACKS[0]}", "confirmed": True}
    call(lin, "POST", f"{odd}/answer", answer)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    call(lin, "POST", f"{odd}/snooze", {"until": tomorrow.isoformat(), "note": ATTACKS[0]})
    call(lin, "POST", f"{odd}/snooze", {"until": None, "note": ""})

    order = an_order(stage.scene.stack)
    by_hand = {
        "id": an_id(),
        "business": "lanting",
        "channel": "phone",
        "name": f"{SHORT}{WIDE_NAME}",
        "text": f"{ATTACKS[0]}\n{ENDLESS[:1900]}",
        "failure": "noise",
        "order_number": order.number,
        "phone_last4": order.last4,
    }
    entered = call(lin, "POST", "/cases", by_hand)["conversation"]
    stage.paths["by hand"] = f"/staff/{entered}"
    for text in (ATTACKS[1], FLIPPED):
        call(lin, "POST", f"/conversations/{entered}/heard", {"id": an_id(), "text": text})
    wishes = [
        item["wish"]
        for item in call(lin, "GET", f"/conversations/{entered}")["case"]["advice"]["items"]
        if item["wish"]["kind"] != "voucher"
    ]
    for reason in (ATTACKS[0], f"{ATTACKS[1]}{'Ж' * 400}"):
        asked = {
            "id": an_id(),
            "remedies": [*wishes, {"kind": "voucher", "fen": 50_000}],
            "reason": reason,
        }
        request = call(lin, "POST", f"/conversations/{entered}/requests", asked)
        if reason == ATTACKS[0]:
            refusal = {"note": ATTACKS[2]}
            call(stage.agents["ma"], "POST", f"/requests/{request['id']}/refuse", refusal)


def _open(stage: Stage) -> None:
    lin, sun, ma, tang, gu = (stage.agents[login] for login in ("lin", "sun", "ma", "tang", ADMIN))
    rows = lambda page: page.get_by_test_id("queue-row").first  # noqa: E731 - three uses below

    def hang(name: str, agent: Agent, path: str, seen: Callable[[Page], Locator]) -> Page:
        page = stage.pages[name] = agent.tab(path)
        expect(seen(page)).to_be_visible()
        return page

    script = stage.paths["script"]
    log = lambda page: page.get_by_role("log")  # noqa: E731 - as above
    hang("queue", sun, "/staff", rows)
    for name, tab in (("mine", "我的"), ("colleagues", "同事")):
        page = hang(name, lin, "/staff", lambda page: page.get_by_test_id("tab-mine"))
        page.get_by_role("tab", name=tab).click()
        expect(rows(page)).to_be_visible()
    for name in ("script", "odd letters", "by hand"):
        page = hang(name, lin, stage.paths[name], log)
        # All that can be folded out is folded out.
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    hang("script, masked", tang, script, log)
    page = hang("search", lin, "/staff", lambda page: page.get_by_test_id("search"))
    page.get_by_test_id("search").fill(SHORT)
    expect(rows(page)).to_be_visible()
    page = hang("notices", sun, "/staff", lambda page: page.get_by_test_id("bell"))
    page.get_by_test_id("bell").get_by_role("button").first.click()
    expect(page.get_by_test_id("notice").first).to_be_visible()
    page = hang("canned", lin, script, log)
    page.get_by_test_id("canned").click()
    expect(page.get_by_test_id("canned-option").first).to_be_visible()
    for name, button, dialog in (
        ("transfer", "transfer", "transfer-dialog"),
        ("labels", "labels", "label-picker"),
        ("close", "close", "close-dialog"),
    ):
        page = hang(name, lin, script, log)
        page.get_by_test_id(button).click()
        expect(page.get_by_test_id(dialog)).to_be_visible()
    page = hang("departure", lin, stage.paths["by hand"], log)
    page.get_by_test_id("departure").click()
    expect(page.get_by_test_id("departure-dialog")).to_be_visible()
    hang("board", sun, "/staff/board", lambda page: page.get_by_test_id("board-row").first)
    hang("requests", ma, "/staff/requests", lambda page: page.get_by_test_id("request-card").first)
    hang("words", sun, "/staff/words", lambda page: page.get_by_test_id("canned-row").first)
    hang("audit", ma, "/staff/audit", lambda page: page.get_by_test_id("audit-row").first)
    hang("accounts", gu, "/staff/accounts", lambda page: page.get_by_test_id("account-row").first)
    mo = stage.agents["mo"]
    hang("own account", mo, "/staff/me", lambda page: page.get_by_test_id("own-page"))
