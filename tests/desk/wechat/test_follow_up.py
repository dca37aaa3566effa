"""Asked in WeChat how it went: the numbers of the list are the ratings themselves."""

from pathlib import Path

from recovery.store.tables import follow_ups
from tests.desk.follow_ups import a_watch
from tests.desk.scripted_rasa import Body, says
from tests.desk.wechat.scene import a_scene

LAN = "oLan-1234567890"


def settles(path: str, body: Body) -> Body:
    """A Rasa that opens a case and closes it in one breath."""
    if path == "/desk/overheard":
        return {"understood": says()["understood"], "repeated": False}
    case = "s" + body["message_id"][1:25]
    opened = {"do": "open_case", "case": case, "failure": "room_not_clean"}
    return says("已经重新打扫好了", commands=[opened, {"do": "close_case", "outcome": "thanked"}])


async def test_asked_and_answered_by_a_number(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        scene.rasa.script = settles
        await scene.double.write(LAN, "房间没打扫，谢谢")
        await scene.until(lambda: scene.inbox(LAN)[0]["state"] == "done")
        watch = a_watch(scene.desk.context)
        await watch.look_once()
        scene.clock.wind(hours=25)
        await watch.look_once()
        await scene.double.sees(LAN, "5分 很满意")
        asked = len(scene.rasa.messages())
        await scene.double.write(LAN, "2")
        await scene.double.sees(LAN, "重新打开")
        [row] = scene.rows(follow_ups)
        assert (row["state"], row["rating"]) == ("answered", 2)
        there = scene.conversation(LAN)
        assert (there["owner"], there["reason"], there["front"]) == ("queue", "follow_up", True)
        assert len(scene.rasa.messages()) == asked, "no answer of theirs is a complaint to the bot"
