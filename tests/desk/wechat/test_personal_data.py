"""Deleted in WeChat: nothing leads from the openid to what was said, and who writes is new."""

import json
from pathlib import Path

from desk.personal_data.keeping import GRACE, DataKeeper
from recovery.store.tables import data_requests, metadata, wechat_contacts
from tests.desk.wechat.scene import a_scene

LAN = "oLan-1234567890"


async def test_who_is_deleted_is_somebody_new_afterwards(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.double.write(LAN, "房间没打扫")
        await scene.until(lambda: scene.inbox(LAN) and scene.inbox(LAN)[0]["state"] == "done")
        before = scene.contact(LAN)["customer_id"]
        asked = len(scene.rasa.messages())
        await scene.double.write(LAN, "删除我的资料")
        await scene.double.sees(LAN, "找不回来")
        # The first of the list: 确认删除.
        await scene.double.write(LAN, "1")
        await scene.double.sees(LAN, "几分钟内就会删除")
        assert len(scene.rasa.messages()) == asked, "the bot was asked"
        scene.clock.wind(seconds=GRACE.total_seconds() + 1)
        app = scene.desk.app.ctx
        keeper = DataKeeper(scene.desk.context, app.album, app.rasa)
        while scene.rows(data_requests)[0]["state"] != "done":
            await keeper.look_once()

        everything = json.dumps(
            [scene.rows(table) for table in metadata.sorted_tables], ensure_ascii=False, default=str
        )
        assert LAN not in everything
        assert not scene.rows(wechat_contacts)
        await scene.double.write(LAN, "您好")
        await scene.until(lambda: scene.rows(wechat_contacts))
        assert scene.contact(LAN)["customer_id"] != before
