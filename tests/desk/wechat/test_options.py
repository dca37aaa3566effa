"""Quick replies that are pressed in a menu, or typed as words or numbers."""

import pytest
from sqlalchemy import Connection

from recovery.store import customers
from recovery.store.database import Database
from recovery.store.wechat import contacts, options
from tests.desk.serving import NOON

BUTTONS = [{"title": title, "token": f"token {title}"} for title in ("同意", "换个方案", "2 张")]


@pytest.fixture
def contact(store: Database) -> str:
    with store.write() as db:
        return _contact(db, "o-lan")


def _contact(db: Connection, openid: str) -> str:
    customer = customers.of_wechat(db, "lanting", openid, "微信顾客", NOON)
    return contacts.add(db, "fuwu", openid, customer.id, NOON).id


def _token(db: Connection, contact: str, text: str, menu: str | None = None) -> str | None:
    found = options.match(db, contact, text, menu)
    return found.token if found else None


@pytest.mark.parametrize(
    ("text", "title"),
    [
        *(("1", "同意"), ("１", "同意"), ("①", "同意"), (" 2。", "换个方案"), ("3)", "2 张")),
        *(("选1", "同意"), ("我选 2", "换个方案"), ("第1个", "同意"), ("第一个", "同意")),
        *(("第二个吧", "换个方案"), ("选三", "2 张"), ("1.", "同意"), ("1、", "同意")),
        *(("选第２项。", "换个方案"), ("选4", None), ("不选1", None), ("第一个问题", None)),
        *(("选1还是2", None), ("第一次", None), ("选", None), ("3号", None)),
        *(("同意", "同意"), ("同意 ", "同意"), ("2 张", "2 张")),
        *(("4", None), ("0", None), ("12", None), ("1个", None), ("同意吧", None), ("。", None)),
        *(("", None), ("1" * 500, None)),
    ],
)
def test_a_number_or_the_words_stand_for_what_is_shown(
    store: Database, contact: str, text: str, title: str | None
) -> None:
    with store.write() as db:
        shown = options.show(db, contact, "k1", BUTTONS, NOON)
        assert [one.number for one in shown] == [1, 2, 3]
        assert _token(db, contact, text) == (f"token {title}" if title else None)


def test_only_the_latest_can_be_typed_but_all_can_be_pressed(store: Database, contact: str) -> None:
    with store.write() as db:
        former = options.show(db, contact, "k1", BUTTONS, NOON)
        latest = options.show(db, contact, "k2", [{"title": "好", "token": "t"}], NOON)
        assert _token(db, contact, "1") == "t"
        assert _token(db, contact, "2") is None
        assert _token(db, contact, "换个方案", former[1].id) == "token 换个方案"
        assert _token(db, contact, "好", latest[0].id) == "t"


def test_a_menu_of_which_wechat_gives_no_id_is_known_by_its_words(
    store: Database, contact: str
) -> None:
    with store.write() as db:
        options.show(db, contact, "k1", BUTTONS, NOON)
        assert _token(db, contact, "换个方案", "0") == "token 换个方案"


def test_a_number_is_ordinary_text_once_something_else_was_said(
    store: Database, contact: str
) -> None:
    with store.write() as db:
        options.show(db, contact, "k1", BUTTONS, NOON)
        options.clear(db, contact)
        assert _token(db, contact, "1") is None


def test_nobody_presses_what_another_was_shown(store: Database, contact: str) -> None:
    with store.write() as db:
        [item, *_] = options.show(db, contact, "k1", BUTTONS, NOON)
        other = _contact(db, "o-wang")
        assert _token(db, other, "同意", item.id) is None
        assert _token(db, other, "1") is None
