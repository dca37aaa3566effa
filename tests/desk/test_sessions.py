"""Who a page speaks for: the cookie, the name, the host site's signature."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import Morsel, SimpleCookie
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from recovery.ids import sign
from recovery.store.tables import customers
from tests.desk.people import PATIENCE, database, guest, signed_identity
from tests.desk.serving import NOON, a_context, serving
from tests.support.customer import Customer
from tests.support.stack import Stack, running


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A desk as behind TLS, with a limit of sessions that a test can reach."""
    folder = tmp_path_factory.mktemp("strict")
    limits = {"sessions_per_minute": 5}
    with running(folder, "desk", secure_cookies=True, limits=limits) as stack:
        yield stack


async def begin(http: httpx.AsyncClient, **body: object) -> httpx.Response:
    return await http.post("/api/session", json={"business": "lanting", **body})


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    return SimpleCookie(answer.headers["set-cookie"])["huixin_session"]


# --- the cookie -----------------------------------------------------------------------------


async def test_scripts_and_other_sites_cannot_use_the_cookie(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        cookie = cookie_of(await begin(customer.http))
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["secure"]
    assert len(cookie.value) >= 43, "256 random bits"


async def test_behind_tls_the_cookie_travels_encrypted_only(strict: Stack) -> None:
    async with Customer(strict.url) as customer:
        cookie = cookie_of(await begin(customer.http))
    assert cookie["secure"] is True


async def test_a_living_session_goes_on(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        first = await customer.begin("lanting", "阿明")
        before = customer.cookie
        again = await customer.begin("lanting", "阿明")
        assert (again, customer.cookie) == (first, before)
        renamed = await customer.begin("lanting", "明明")
        nameless = await customer.begin("lanting", "")
    assert renamed == {**first, "name": "明明"}
    assert nameless == renamed, "a page that names nobody changes nothing"


async def test_two_tabs_that_open_at_once_are_one_customer(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        me = await customer.begin("lanting")
        answers = await asyncio.gather(
            *(customer.http.get("/api/rooms/lanting-lobby") for _ in range(12))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["conversation"] for answer in answers}) == 1
        everyone = await asyncio.gather(*(begin(customer.http) for _ in range(12)))
        assert {answer.json()["customer"]["id"] for answer in everyone} == {me["id"]}


async def test_one_browser_is_another_customer_at_another_business(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        hotel = await customer.begin("lanting")
        shop = await customer.begin("qinghe")
        assert hotel["id"] != shop["id"]
        assert (await customer.begin("lanting"))["id"] == hotel["id"]


@pytest.mark.parametrize("cookie", ["weak", "x" * 4000, '"\\000"'])
async def test_a_secret_is_made_by_the_desk_and_never_taken_over(alone: Stack, cookie: str) -> None:
    """Else somebody could plant a cookie that he knows, or pass the limit of new sessions."""
    async with httpx.AsyncClient(base_url=alone.url, trust_env=False, timeout=PATIENCE) as http:
        answer = await begin_with(http, cookie)
    assert answer.status_code == 200
    assert cookie_of(answer).value != cookie


async def begin_with(http: httpx.AsyncClient, cookie: str) -> httpx.Response:
    headers = {"Cookie": f"huixin_session={cookie}"}
    return await http.post("/api/session", json={"business": "lanting"}, headers=headers)


async def test_new_sessions_of_one_address_are_limited(strict: Stack) -> None:
    async with httpx.AsyncClient(base_url=strict.url, trust_env=False, timeout=PATIENCE) as http:
        answers = [await begin_with(http, f"invented-{n}") for n in range(6)]
        assert answers[0].status_code == 200
        assert (answers[-1].status_code, answers[-1].json()["error"]["code"]) == (429, "too_fast")
        again = await begin_with(http, cookie_of(answers[0]).value)
    assert again.status_code == 200, "who has a session is not counted again"


async def test_bytes_that_are_no_text_are_nobodys_cookie(alone: Stack) -> None:
    async with httpx.AsyncClient(base_url=alone.url, trust_env=False, timeout=PATIENCE) as http:
        headers = [(b"cookie", b"huixin_session=\xff\xfe")]
        for path in ("/api/rooms/lanting-lobby", "/api/my/conversations", "/api/invitations/x"):
            answer = await http.get(path, headers=headers)
            assert answer.status_code in (200, 401, 404), path
            assert "conversation" not in answer.text or answer.json() == {"conversations": []}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"business": "nobody"}', 404),
        (b'{"business": {"a": 1}}', 404),
        (b"{}", 404),
        (b"[]", 400),
        (b"null", 400),
        (b"{", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        (b" " * 300_000, 413),
    ],
)
async def test_a_broken_request_gets_a_clear_error(alone: Stack, body: bytes, status: int) -> None:
    async with httpx.AsyncClient(base_url=alone.url, trust_env=False, timeout=PATIENCE) as http:
        headers = {"content-type": "application/json"}
        answer = await http.post("/api/session", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert "set-cookie" not in answer.headers


async def test_a_form_of_another_site_begins_nothing(alone: Stack) -> None:
    async with httpx.AsyncClient(base_url=alone.url, trust_env=False, timeout=PATIENCE) as http:
        answer = await http.post("/api/session", data={"business": "lanting"})
    assert answer.status_code == 400


async def test_without_a_session_a_room_shows_nothing(alone: Stack) -> None:
    async with httpx.AsyncClient(base_url=alone.url, trust_env=False, timeout=PATIENCE) as http:
        answer = await http.get("/api/rooms/lanting-lobby")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "no_session")
        unknown = await http.get("/api/rooms/nowhere")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "no_room")
        listed = (await http.get("/api/rooms")).json()["rooms"]
    assert [room["id"] for room in listed][:2] == ["lanting-lobby", "qinghe-square"]
    assert len({room["industry"] for room in listed}) == 6, "one room a business, one of each trade"


# --- the name -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("  阿明  ", "阿明"),
        ("阿\n明\t\u3000来", "阿 明 来"),
        ("\u0000阿\u200b明\u202e", "阿明"),
        ("王" * 30, "王" * 20),
        ("<b>阿明</b>", "<b>阿明</b>"),
        ("/restart", "restart"),
        ("😀", "😀"),
        ("", "访客"),
        ("\u200b\u0007", "访客"),
        (None, "访客"),
        (["阿明"], "访客"),
        ("好" * 5000, "好" * 20),
        ("13812345678", "［手机号］"),
        ("林 13812345678", "林 ［手机号］"),
    ],
)
async def test_a_name_is_cleaned_cut_and_fit_for_everybody(
    alone: Stack, given: object, shown: str
) -> None:
    async with Customer(alone.url) as customer:
        answer = await begin(customer.http, name=given)
    assert answer.json()["customer"]["name"] == shown


# --- the host site's signature --------------------------------------------------------------


async def identified(stack: Stack, identity: object, business: str = "lanting") -> httpx.Response:
    async with Customer(stack.url) as customer:
        body = {"business": business, "identity": identity}
        return await customer.http.post("/api/session", json=body)


async def test_a_signed_customer_is_proved_and_the_same_in_every_browser(alone: Stack) -> None:
    one = await identified(alone, signed_identity(alone, "lanting", "guest-77"))
    other = await identified(alone, signed_identity(alone, "lanting", "guest-77"))
    assert one.json()["customer"]["proved"] is True
    assert one.json()["customer"]["id"] == other.json()["customer"]["id"]
    someone = await identified(alone, signed_identity(alone, "lanting", "guest-78"))
    assert someone.json()["customer"]["id"] != one.json()["customer"]["id"]


async def test_a_signature_may_be_shown_again_while_it_is_fresh(alone: Stack) -> None:
    """The page of the host site is loaded again; that is no attack."""
    identity = signed_identity(alone, "lanting", "guest-79")
    first, again = await identified(alone, identity), await identified(alone, identity)
    assert first.json()["customer"]["id"] == again.json()["customer"]["id"]


def signed(
    stack: Stack,
    key: str | None = None,
    purpose: str = "identity",
    leave: str = "",
    **changes: object,
) -> str:
    """A signature of guest-80 at lanting that is good but for what is named."""
    soon = (datetime.now(UTC) + timedelta(minutes=5)).timestamp()
    content = {"customer": "guest-80", "business": "lanting", "exp": soon, **changes}
    content.pop(leave, None)
    return sign(content, key or stack.secrets["identity_keys"]["lanting"], purpose)


def halves(stack: Stack) -> tuple[str, str]:
    payload, mac = signed(stack).split(".")
    return payload, mac


SOMEONE_ELSE = base64.urlsafe_b64encode(b'{"customer":"guest-81"}').rstrip(b"=").decode()
FORGERIES: dict[str, Callable[[Stack], object]] = {
    "wrong key": lambda stack: signed(stack, key="k" * 43),
    "key of another business": lambda stack: signed(
        stack, stack.secrets["identity_keys"]["qinghe"]
    ),
    "the desk's own key": lambda stack: signed(stack, key=stack.secrets["signing_key"]),
    "made for another business": lambda stack: signed(stack, business="qinghe"),
    "made for something else": lambda stack: signed(stack, purpose="invitation"),
    "expired": lambda stack: signed(stack, exp=datetime.now(UTC).timestamp() - 1),
    "without expiry": lambda stack: signed(stack, leave="exp"),
    "expiry is a word": lambda stack: signed(stack, exp="tomorrow"),
    "expiry is nothing": lambda stack: signed(stack, exp=None),
    "without business": lambda stack: signed(stack, leave="business"),
    "without customer": lambda stack: signed(stack, leave="customer"),
    "empty customer": lambda stack: signed(stack, customer=""),
    "endless customer": lambda stack: signed(stack, customer="g" * 129),
    "customer is a number": lambda stack: signed(stack, customer=7),
    "tampered payload": lambda stack: f"{SOMEONE_ELSE}.{halves(stack)[1]}",
    "tampered signature": lambda stack: f"{signed(stack)[:-3]}AAA",
    "without signature": lambda stack: halves(stack)[0],
    "empty signature": lambda stack: f"{halves(stack)[0]}.",
    "three parts": lambda stack: f"{signed(stack)}.{halves(stack)[1]}",
    "not base64": lambda _: "签名.签名",
    "half a character": lambda _: "\ud800.x",
    "empty": lambda _: "",
    "a number": lambda _: 7,
    "an object": lambda _: {"customer": "guest-80"},
}


async def test_what_all_forgeries_are_made_of_is_good(alone: Stack) -> None:
    assert (await identified(alone, signed(alone))).status_code == 200


@pytest.mark.parametrize("kind", FORGERIES)
async def test_what_the_host_site_did_not_sign_is_refused(alone: Stack, kind: str) -> None:
    """It is refused aloud: to go on as a stranger would surprise the customer."""
    store = database(alone)
    with store.read() as db:
        before = db.execute(select(func.count()).select_from(customers)).scalar()
    async with httpx.AsyncClient(base_url=alone.url, trust_env=False, timeout=PATIENCE) as http:
        answer = await http.post(
            "/api/session",
            content=_ascii({"business": "lanting", "identity": FORGERIES[kind](alone)}),
            headers={"content-type": "application/json"},
        )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "bad_identity")
    assert "set-cookie" not in answer.headers
    with store.read() as db:
        assert db.execute(select(func.count()).select_from(customers)).scalar() == before
    store.close()


def _ascii(content: object) -> bytes:
    """JSON with every character escaped, so that halves of characters can be sent too."""
    return json.dumps(content).encode()


async def test_a_strangers_talk_stays_with_the_stranger(alone: Stack) -> None:
    # Who then logs in at the host site is the known customer, and whoever held the cookie of
    # the stranger does not become that customer with it.
    async with guest(alone, name="路人") as stranger:
        post = await stranger.post("有人在吗")
        old_cookie = stranger.customer.http.cookies["huixin_session"]
        identity = signed_identity(alone, "lanting", "guest-90")
        known = await stranger.customer.begin("lanting", "", identity=identity)
        assert known["proved"] is True
        assert known["id"] != stranger.id
        assert stranger.customer.http.cookies["huixin_session"] != old_cookie

        thread = (await stranger.customer.http.get("/api/rooms/lanting-lobby")).json()
        assert thread["conversation"] != stranger.thread
        async with stranger.customer.room("lanting-lobby") as page:
            shown = await page.event(id=post["id"])
            assert shown["mine"] is False
            assert not [name for name in page.last if name == f"own:{stranger.thread}"]

        async with httpx.AsyncClient(
            base_url=alone.url, trust_env=False, timeout=PATIENCE
        ) as thief:
            headers = {"Cookie": f"huixin_session={old_cookie}"}
            answer = await thief.get("/api/rooms/lanting-lobby", headers=headers)
            assert answer.status_code == 401


async def test_the_other_businesses_of_a_browser_outlive_a_login(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        shop = await customer.begin("qinghe", "小满")
        await customer.begin("lanting")
        identity = signed_identity(alone, "lanting", "guest-91")
        proved = await customer.begin("lanting", identity=identity)
        assert (await customer.begin("qinghe"))["id"] == shop["id"]
        assert (await customer.begin("lanting"))["id"] == proved["id"], "and stays proved"
        cookie = customer.cookie
        await customer.begin("lanting", identity=identity)
        assert customer.cookie == cookie, "the same login again changes nothing"


async def test_a_first_visit_of_many_tabs_with_one_signature_is_one_customer(alone: Stack) -> None:
    identity = signed_identity(alone, "lanting", "guest-92")
    answers = await asyncio.gather(*(identified(alone, identity) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["customer"]["id"] for answer in answers}) == 1


async def test_an_address_with_a_nul_is_none(tmp_path: Path, url: str) -> None:
    """PostgreSQL takes a NUL in no text; that must not look like a fault of the desk."""
    context = a_context(tmp_path, lambda: NOON, database=url)
    async with serving(context) as desk:
        async with httpx.AsyncClient(base_url=desk.url, trust_env=False, timeout=PATIENCE) as http:
            assert (await begin(http)).status_code == 200
            for path in (
                "/api/conversations/k%00",
                "/api/conversations/k%00/pictures/p%00",
                "/api/rooms/lanting-lobby%00",
                "/api/invitations/t%00",
            ):
                assert (await http.get(path)).status_code == 404, path
