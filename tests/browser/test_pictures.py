"""Pictures in the private chat: chosen, pasted, dropped; shown to customer and staff."""

import base64
import os
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.party import Party
from tests.browser.test_accessibility import violations
from tests.browser.visitors import DESKTOP, PHONE, Guest
from tests.desk.images import drawing, encoded, scan_bomb
from tests.desk.scripted_rasa import ScriptedRasa, scripted_rasa
from tests.support.stack import Stack, running

PASSWORD = "an honest password"
NO_PICTURE = "这个文件不是能看的图片"


@pytest.fixture(scope="module")
def rasa() -> Iterator[ScriptedRasa]:
    with scripted_rasa() as server:
        yield server


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, rasa: ScriptedRasa) -> Iterator[Stack]:
    """A desk of its own: nothing here needs a bot that understands."""
    with running(tmp_path_factory.mktemp("pictures"), "desk", rasa=[rasa.url]) as stack:
        stack.add_staff("he", "何静", PASSWORD)
        yield stack


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Where pictures of the pages go: HUIXIN_SHOTS, to be looked at."""
    folder = Path(os.environ.get("HUIXIN_SHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def photo(width: int = 1200, height: int = 900, kind: str = "JPEG") -> FilePayload:
    """A file as the picker gives it."""
    content = encoded(kind, drawing(width, height))
    mime = f"image/{kind.lower()}"
    return {"name": f"photo.{kind.lower()}", "mimeType": mime, "buffer": content}


def choose(guest: Guest, *files: FilePayload) -> None:
    """Choose files in the picker of the composer."""
    with guest.page.expect_file_chooser() as chooser:
        guest.page.get_by_role("button", name="发图片").click()
    assert chooser.value.is_multiple()
    chooser.value.set_files(list(files))


def pictures(page: Page) -> Locator:
    """The pictures in the log."""
    return page.get_by_role("log").get_by_test_id("picture")


def bubbles(guest: Guest) -> Locator:
    """The messages that are pictures."""
    return guest.log.get_by_role("article").filter(has=guest.page.get_by_test_id("picture"))


def loaded(picture: Locator) -> list[int]:
    """Wait until a picture is there; its own width and height in pixels."""
    image = picture.get_by_role("img", name="图片")
    expect(image).to_be_visible()
    size: list[int] = image.evaluate(
        "async (image) => { await image.decode();"
        " return [image.naturalWidth, image.naturalHeight]; }"
    )
    return size


def inside(party: Party) -> Guest:
    return party.guest().enter_room().complain().enter_private()


def test_a_picture_is_sent_shown_to_both_sides_and_opened_large(party: Party, album: Path) -> None:
    guest = party.guest().enter_room()
    expect(guest.page.get_by_role("button", name="发图片")).to_have_count(0)
    guest.complain().enter_private()
    guest.say("您看，房间是这样的")
    choose(guest, photo(), photo(900, 1600, "PNG"))
    expect(bubbles(guest)).to_have_count(2)
    for number in range(2):
        expect(bubbles(guest).nth(number)).to_have_attribute("data-state", "sent")
        expect(bubbles(guest).nth(number)).to_contain_text("已送达")
    expect(guest.from_bot.last).to_contain_text("图片")
    guest.page.screenshot(path=album / "customer.png")
    assert loaded(pictures(guest.page).first) == [1200, 900]
    before = pictures(guest.page).first.bounding_box()

    # Loaded from the desk it takes the same room, before and after it is there.
    guest.reload()
    assert loaded(pictures(guest.page).first) == [1200, 900]
    after = pictures(guest.page).first.bounding_box()
    assert before and after
    assert (before["width"], before["height"]) == (after["width"], after["height"]) == (240, 180)

    # With keys alone.
    pictures(guest.page).first.focus()
    guest.page.keyboard.press("Enter")
    viewer = guest.page.get_by_role("dialog", name="大图")
    large = viewer.get_by_role("img", name="图片")
    expect(large).to_be_visible()
    box = large.bounding_box()
    assert box and box["width"] > 900
    assert not violations(guest.page)
    guest.page.screenshot(path=album / "customer-large.png")
    guest.page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(pictures(guest.page).first).to_be_focused()
    assert not violations(guest.page)

    agent = party.agent().log_in("he", PASSWORD)
    agent.tab_named("机器人")
    row = agent.row_of(guest.page.url.rsplit("/", 1)[1])
    expect(row).to_contain_text("[图片]")
    row.click()
    # Whose matter it is not needs to see no picture of it.
    expect(agent.line("[图片]")).not_to_have_count(0)
    expect(pictures(agent.page)).to_have_count(0)
    agent.page.get_by_role("button", name="接手").click()
    expect(agent.owner).to_have_text("您负责这段会话")
    expect(pictures(agent.page)).to_have_count(2)
    assert loaded(pictures(agent.page).first) == [1200, 900]
    choose(guest, photo(640, 480))
    expect(pictures(agent.page)).to_have_count(3)
    loaded(pictures(agent.page).last)
    agent.page.screenshot(path=album / "staff.png")
    pictures(agent.page).nth(1).click()
    expect(agent.page.get_by_role("dialog", name="大图")).to_be_visible()
    agent.page.get_by_role("button", name="关闭大图").click()
    expect(agent.page.get_by_role("dialog")).to_have_count(0)


def test_on_a_phone(party: Party, album: Path) -> None:
    guest = party.guest(viewport=PHONE, has_touch=True, is_mobile=True)
    guest.enter_room().complain().enter_private()
    picker = guest.page.get_by_test_id("picture-picker")
    expect(picker).to_have_attribute("accept", "image/*")
    choose(guest, photo(3000, 4000), photo(1080, 9000, "PNG"))
    expect(bubbles(guest)).to_have_count(2)
    expect(bubbles(guest).last).to_have_attribute("data-state", "sent")
    expect(guest.from_bot.last).to_contain_text("图片")
    assert guest.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    button = guest.page.get_by_role("button", name="发图片").bounding_box()
    assert button and button["width"] >= 44 and button["height"] >= 44
    guest.page.screenshot(path=album / "phone.png")
    # Long screenshots are read by scrolling, at the width of the page.
    guest.reload()
    assert loaded(pictures(guest.page).last) == [1080, 9000]
    pictures(guest.page).last.tap()
    large = guest.page.get_by_role("dialog", name="大图").get_by_role("img")
    box = large.bounding_box()
    assert box and box["width"] > 300 and box["height"] > 2000
    guest.page.screenshot(path=album / "phone-large.png")
    close = guest.page.get_by_role("button", name="关闭大图")
    close.tap()
    expect(large).to_have_count(0)
    assert not violations(guest.page)


def test_large_photos_are_sent_smaller(party: Party, house: Stack) -> None:
    guest = inside(party)
    with guest.page.expect_request("**/pictures?client_id=*") as asked:
        choose(guest, photo(4000, 3000))
    expect(bubbles(guest).first).to_have_attribute("data-state", "sent")
    answer = asked.value.response()
    assert answer and answer.json()["picture"]["width"] == 2560
    guest.reload()
    assert loaded(pictures(guest.page).first) == [2560, 1920]
    kept = max((house.data / "pictures").glob("*/*[0-9a-f]"), key=lambda one: one.stat().st_mtime)
    with Image.open(BytesIO(kept.read_bytes())) as sent:
        assert (sent.format, sent.size) == ("JPEG", (2560, 1920))


GIVE = """(composer, [kind, content, mime]) => {
    const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
    const given = new DataTransfer();
    given.items.add(new File([bytes], 'shot', {type: mime}));
    if (kind === 'paste') {
        const init = {clipboardData: given, bubbles: true, cancelable: true};
        return composer.dispatchEvent(new ClipboardEvent('paste', init));
    }
    const init = {dataTransfer: given, bubbles: true, cancelable: true};
    const log = document.querySelector('[role=log]');
    log.dispatchEvent(new DragEvent('dragover', init));
    return kind === 'hover' || log.dispatchEvent(new DragEvent('drop', init));
}"""


def give(guest: Guest, kind: str, content: bytes, mime: str = "image/png") -> bool:
    """Paste, drop or hover with a file; whether the browser may still do what it would."""
    data = base64.b64encode(content).decode()
    left: bool = guest.composer.evaluate(GIVE, [kind, data, mime])
    return left


def test_pasted_and_dropped(party: Party, album: Path) -> None:
    guest = inside(party)
    guest.composer.fill("写到一半")
    assert give(guest, "paste", encoded("PNG")) is False
    expect(bubbles(guest)).to_have_count(1)
    give(guest, "hover", encoded("PNG"))
    expect(guest.page.get_by_text("松开鼠标，图片就发给客服")).to_be_visible()
    guest.page.screenshot(path=album / "dropping.png")
    assert give(guest, "drop", encoded("PNG", drawing(300, 500))) is False
    expect(bubbles(guest)).to_have_count(2)
    expect(guest.page.get_by_text("松开鼠标")).to_have_count(0)
    expect(bubbles(guest).last).to_have_attribute("data-state", "sent")
    expect(guest.composer).to_have_value("写到一半")


def test_what_is_no_picture_is_named_and_not_sent(party: Party, album: Path) -> None:
    guest = inside(party)
    text: FilePayload = {"name": "photo.png", "mimeType": "image/png", "buffer": b"<svg>no</svg>"}
    choose(guest, text, photo(320, 240))
    expect(guest.page.get_by_role("alert").filter(has_text=NO_PICTURE)).to_be_visible()
    expect(bubbles(guest)).to_have_count(1)
    expect(bubbles(guest).first).to_have_attribute("data-state", "sent")
    assert not violations(guest.page)
    guest.say("好的")
    expect(guest.page.get_by_text(NO_PICTURE)).to_have_count(0)

    # What only the desk finds out stands in the bubble, and can be taken away.
    guest.witness.allow(r"415.*/pictures")
    choose(guest, {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": scan_bomb()})
    refused = guest.log.locator("article[data-state=failed]")
    expect(refused).to_contain_text(NO_PICTURE)
    expect(refused.get_by_role("button", name="重新发送")).to_have_count(0)
    guest.page.screenshot(path=album / "refused.png")
    refused.get_by_role("button", name="删除").click()
    expect(refused).to_have_count(0)
    expect(bubbles(guest)).to_have_count(1)


def test_without_a_connection_it_is_kept_and_sent_later_once(party: Party, album: Path) -> None:
    guest = inside(party)
    guest.witness.allow("ERR_INTERNET_DISCONNECTED", "WebSocket connection to")
    guest.context.set_offline(True)
    choose(guest, photo())
    kept = bubbles(guest).first
    expect(kept).to_contain_text(re.compile("图片还在这里|已存好"))
    loaded(pictures(guest.page).first)
    guest.page.screenshot(path=album / "offline.png")
    guest.context.set_offline(False)
    expect(kept).to_have_attribute("data-state", "sent")
    guest.reload()
    expect(bubbles(guest)).to_have_count(1)


def test_a_picture_that_cannot_be_loaded_is_tried_again(party: Party, house: Stack) -> None:
    guest = inside(party)
    choose(guest, photo(333, 222, "PNG"))
    expect(bubbles(guest).first).to_have_attribute("data-state", "sent")
    guest.witness.allow("Failed to load resource", r"503.*/pictures/", "failed: .*/pictures/")
    guest.page.route("**/pictures/*", lambda route: route.fulfill(status=503))
    guest.reload()
    expect(pictures(guest.page).first).to_contain_text("图片没有打开")
    guest.page.unroute("**/pictures/*")
    pictures(guest.page).first.click()
    assert loaded(pictures(guest.page).first) == [333, 222]
    guest.page.set_viewport_size(DESKTOP)
