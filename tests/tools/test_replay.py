"""A replay posts the first post of each dialogue as a customer, and reports what came of it."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recovery.store.database import Database
from recovery.understood import Understood
from tests.support.stack import Stack
from tools.console import ToolError
from tools.places import here
from tools.replaying.desk_records import DeskRecords, Recorded, response_names
from tools.replaying.figures import NO_CASE, count, percentile, why_silent
from tools.replaying.posts import Post, read_posts
from tools.replaying.report import Setting, report, terminal, transcripts
from tools.replaying.transcripts import choose, shown, transcript
from tools.replaying.visits import UnknownRoomError, Visit, visit_all

DIALOGUES = Path(__file__).parent / "replay_dialogues.jsonl"
WORDS = here().root / "data" / "responses"
SETTING = Setting(datetime(2026, 11, 22, tzinfo=UTC), "some.jsonl", "room", "model", 8, 12.3)


def message(text: str, **more: object) -> dict[str, object]:
    return {"kind": "message", "id": "e", "author": "bot", "text": text, **more}


def a_visit(
    text: str = "网断了",
    *,
    anger: int = 0,
    intent: str = "complain_other",
    complaint: float = 0.9,
    seconds: float | None = 0.5,
    invited: bool = True,
) -> Visit:
    flags = frozenset({"complaint"} if complaint >= 0.5 else ())
    heard = Understood(text, intent, 0.9, (), anger, {"complaint": complaint}, flags)
    own = [{"kind": "invitation", "id": "i", "token": "t", "matter": "网断了这件事"}]
    return Visit(
        Post("d", text),
        seconds=seconds,
        aloud=[message("看到了。")] if seconds is not None else [],
        own=own if invited else [],
        opening=[message("您来了就好。", buttons=[{"title": "就这样办"}])] if invited else [],
        recorded=Recorded(
            heard, ("say_public_acknowledge",), invited, "unknown" if invited else None
        ),
    )


# --- the posts ----------------------------------------------------------------------------


def test_the_customers_first_post_of_each_dialogue_is_taken() -> None:
    posts = read_posts(DIALOGUES)
    assert [post.dialogue for post in posts] == ["r1", "r2", "r3", "r4", "r5"]
    assert posts[1].text == "谢谢客服，问题解决了，服务真好"
    assert read_posts(DIALOGUES, most=2) == posts[:2]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "no dialogue"),
        ("\n\n", "no dialogue"),
        ("nonsense", "line 1: expected"),
        ('{"id": "a", "turns": [{"sender": "helpdesk", "text": "您好"}]}', "line 1: expected"),
        ('{"id": "a", "turns": [{"sender": "customer", "text": 5}]}', "not a text"),
        ('{"turns": [{"sender": "customer", "text": "好"}]}', "line 1: expected"),
        ('{"id": 1, "turns": [{"sender": "customer", "text": "好"}]}\n' * 2, "line 2: .*twice"),
    ],
)
def test_a_file_in_another_form_is_refused_by_line(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "dialogues.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ToolError, match=why):
        read_posts(path)


def test_a_missing_file_ends_before_anything_is_started() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.replay", "nowhere.jsonl"],
        cwd=here().root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "nowhere.jsonl: no such file" in done.stderr


# --- figures and report -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([3.0], 0.95, 3.0), ([1, 2, 3, 4], 0.5, 2), (range(1, 101), 0.95, 95)],
)
def test_percentiles_are_values_that_occurred(
    values: list[float], share: float, expected: float | None
) -> None:
    assert percentile(values, share) == expected


def test_everything_is_counted() -> None:
    broken = Visit(Post("d", "x"), broken="TimeoutError: ")
    refused = Visit(Post("d", "x"), refused="empty: 还没有写内容")
    silent = a_visit("哈哈", intent="out_of_scope", complaint=0.1, seconds=None, invited=False)
    visits = [a_visit(anger=3), a_visit(anger=2, seconds=1.5), silent, broken, refused]
    figures = count(visits)
    assert (figures.posts, figures.broken, figures.refused) == (5, 1, 1)
    assert figures.anger == (1, 0, 1, 1)
    assert figures.complaints == 2
    assert (figures.aloud, figures.invited, figures.entered) == (2, 2, 2)
    assert figures.responses["say_public_acknowledge"] == 3
    assert figures.failures == Counter({"unknown": 2, NO_CASE: 1})
    assert (figures.median, figures.p95) == (0.5, 1.5)
    by_intent = {row.name: (row.posts, row.answered) for row in figures.intents}
    assert by_intent["complain_other"] == (2, 2)
    assert sum(figures.silent.values()) == 3
    assert "intent out_of_scope" in str(why_silent(silent))
    assert why_silent(visits[0]) is None


def test_personal_data_and_accounts_are_masked() -> None:
    assert shown("@某某客服 我的\n电话13900001111") == "@［账号］ 我的 电话［手机号］"
    written = transcript(a_visit("@某某 打13900001111"), 7)
    assert "某某" not in written
    assert "1390000" not in written
    assert "［手机号］" in written


def test_a_transcript_tells_who_saw_what() -> None:
    written = transcript(a_visit(anger=2), 7)
    assert written.startswith("### 7\n")
    assert "angry; intent complain_other 0.90; complaint 0.90" in written
    assert "> **customer** 网断了" in written
    assert "> **everybody sees** 看到了。" in written
    assert "> **only the customer sees** 〔invitation: 进入私聊〕（网断了这件事）" in written
    assert "> **in private** 您来了就好。 〔就这样办〕" in written
    refused = transcript(Visit(Post("d", "x"), refused="empty: 还没有写内容"), 1)
    assert "refused by the desk: empty: 还没有写内容" in refused


def test_five_visits_of_different_kinds_are_shown() -> None:
    calm = [a_visit(anger=0) for _ in range(9)]
    silent = a_visit(intent="out_of_scope", complaint=0.0, seconds=None, invited=False)
    visits = [*calm, a_visit(anger=2), silent, a_visit(anger=3)]
    assert [number for number, _ in choose(visits)] == [1, 2, 10, 11, 12]
    assert len(choose(visits[:3])) == 3
    written = report(visits, SETTING)
    assert written.count("\n### ") == 5
    assert "| posts | 12 |" in written
    assert "| first words, median | 0.50 s |" in written
    assert transcripts(visits).count("\n### ") == 12
    assert "posts" in terminal(count(visits))


def test_variants_are_named_as_the_words_say() -> None:
    names = response_names(WORDS)
    assert "say_public_apologise" in names.values()
    key = hashlib.sha1("say_public_thanks|您满意，我们就踏实了。".encode()).hexdigest()[:10]  # noqa: S324
    assert names[key] == "say_public_thanks"


# --- the real road ------------------------------------------------------------------------


@pytest.fixture
def records(stack: Stack) -> DeskRecords:
    return DeskRecords(Database(f"sqlite:///{stack.data / 'desk.sqlite3'}"), WORDS)


async def test_the_posts_go_through_a_real_desk(stack: Stack, records: DeskRecords) -> None:
    progress: list[int] = []
    visits = await visit_all(
        read_posts(DIALOGUES), stack.url, "qinghe-square", records, 3, progress.append
    )
    assert progress == [1, 2, 3, 4, 5]
    assert [visit.broken or visit.refused for visit in visits] == [None] * 5
    wrong, thanks, private, other, chatter = visits
    assert wrong.recorded is not None
    assert wrong.recorded.failure == "wrong_item"
    assert wrong.recorded.understood is not None
    assert wrong.recorded.understood.anger >= 2
    assert "say_public_apologise" in wrong.recorded.responses
    assert wrong.seconds is not None
    assert wrong.invited
    assert any("订单号" in event.get("text", "") for event in wrong.opening)
    assert not thanks.invited
    assert private.invited
    assert other.recorded is not None
    assert (other.recorded.failure, other.recorded.stage) == ("unknown", "hearing")
    assert any("同事" in event.get("text", "") for event in other.opening)
    assert not chatter.answered
    written = report(visits, SETTING)
    assert "13900001111" not in written
    assert json.dumps(written)


async def test_an_unknown_room_is_named(stack: Stack, records: DeskRecords) -> None:
    with pytest.raises(UnknownRoomError, match=r"no room cellar; there are .*qinghe-square"):
        await visit_all([Post("d", "x")], stack.url, "cellar", records, 1, print)
