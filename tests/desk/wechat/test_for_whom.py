"""Who is taken for whom, and who gets to see what: the cases that go beside the usual ways."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from desk.conversations.veil import Veil
from desk.staff.masking import Sight, masked_detail
from recovery.clock import utc_now
from recovery.store import customers
from recovery.store.database import Database
from recovery.store.tables import customers as customers_table
from recovery.store.tables import wechat_options, wechat_sends
from tests.desk.scripted_rasa import says
from tests.desk.wechat.scene import BUSINESS, Scene
from tests.desk.wechat.test_receiving import LAN, offering, own, settled
from tests.desk.wechat.test_scenes import all_settled, invited, shown_code


async def test_what_waits_for_a_former_wechat_goes_to_the_present_one_alone(
    scene_on_both: Scene,
) -> None:
    scene = scene_on_both
    async with invited(scene) as one:
        private = await one.customer.enter(one.token)
        clerk = await scene.staff()
        await clerk.act(private, "take")
        await one.code(f"conversations/{private}")
        await scene.double.scan("o-ming", shown_code(scene))
        await scene.double.sees("o-ming", "这段对话接到微信了")
        for number in range(6):
            body = {"id": f"answer-{number}", "text": f"第{number}句", "confirmed": True}
            await clerk.act(private, "answer", **body)
            await scene.until(lambda: all_settled(scene))
        held = scene.rows(wechat_sends, wechat_sends.c.state == "held")
        assert [row["content"]["text"] for row in held][-1] == "第5句"

        await one.code(f"conversations/{private}")
        await scene.double.scan("o-new", shown_code(scene))
        await scene.double.sees("o-new", "第5句")
        await scene.double.write("o-ming", "这是旧手机")
        await scene.double.sees("o-ming", "好的：这是旧手机")
        assert "第5句" not in "".join(scene.double.words("o-ming"))
        assert "".join(scene.double.words("o-new")).count("第5句") == 1
        assert scene.rows(wechat_sends, wechat_sends.c.state == "held") == []
        await clerk.close()


async def test_who_presses_a_menu_of_long_ago_goes_on_there(scene: Scene) -> None:
    scene.rasa.script = offering
    await scene.double.write(LAN, "买了两件")
    await settled(scene)
    former = scene.conversation(LAN)["id"]
    scene.rasa.script = lambda _, body: says(
        "好的",
        commands=[
            {"do": "open_case", "case": "s" + body["message_id"][1:25], "failure": None},
            {"do": "close_case", "outcome": "resolved"},
        ],
    )
    await scene.double.write(LAN, "好了")
    await settled(scene)
    scene.rasa.script = offering
    scene.clock.wind(days=9)
    item = scene.rows(wechat_options)[0]
    pressed = await scene.double.write(LAN, item["title"], bizmsgmenuid=item["id"])
    assert pressed.text == "按了0"
    await scene.double.write(LAN, "接着说")
    await settled(scene)
    assert scene.conversation(LAN)["id"] == former
    assert own(scene) == ["买了两件", "好了", "第一件", "接着说"]


@pytest.mark.parametrize("moment", [0, 10**10, 999_999_999_999])
async def test_a_time_of_no_calendar_stops_no_message(scene: Scene, moment: int) -> None:
    delivery = await scene.double.write(LAN, "嗨", CreateTime=moment)
    assert (delivery.outcome, delivery.text, delivery.attempts) == ("passive", "好的：嗨", 1)


def test_one_openid_that_writes_to_two_accounts_at_once_is_one_customer(store: Database) -> None:
    def come(_: int) -> str:
        with store.write() as db:
            return customers.of_wechat(db, BUSINESS, "wm-ming-0001", "微信顾客", utc_now()).id

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(come, range(8)))) == 1


def test_errors_of_the_store_name_no_openid(store: Database) -> None:
    with store.write() as db:
        known = customers.of_wechat(db, BUSINESS, "wm-ming-0001", "微信顾客", utc_now())
    again = {**vars(known), "id": "u-another", "created_at": "2026-01-01"}
    with pytest.raises(IntegrityError) as found, store.write() as db:
        db.execute(insert(customers_table).values(**again))
    for error in (found.value, found.value.orig):
        assert "wm-ming-0001" not in f"{error}{error!r}"
    assert "external_id" in str(found.value), "what is wrong is still told"


@pytest.mark.parametrize(
    "place",
    ["翠苑一区12幢(文三路)", "望江府 望江东路", "纬度30.279412，经度120.131941", "30.27,120.13"],
)
def test_where_a_customer_is_masked_readers_do_not_see(place: str) -> None:
    shown = Veil("微信顾客").text(f"【位置】{place}\n在这里")
    assert shown == "【位置】［地址］\n在这里"


def test_masked_readers_see_which_messages_wait() -> None:
    # Digits of an id may look like somebody's telephone.
    event = "ma13812345678bcdef0a1b2c3"
    row = {"customer": "微信顾客", "matter": "", "last": ""}
    marks = {"held": [event], "undelivered": [event], "unsure": [event]}
    nothing = Sight(public=False, private=False, case=False)
    shown = masked_detail({"conversation": row, **marks}, Veil("微信顾客"), nothing, row=False)
    assert {name: shown[name] for name in marks} == marks
