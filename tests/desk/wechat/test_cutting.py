"""Long texts arrive whole, in parts that WeChat takes, cut where one would pause."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.channels.wechat.outgoing.cutting import MOST_BYTES, cut, size

FAMILY = "👨‍👩‍👧‍👦"
WAVE = "👋🏽"
FLAGS = "🇨🇳🇫🇷🇩🇪"
PIECES = st.sampled_from(
    [
        "您好，",
        "房间没打扫。",
        "\n",
        "\n\n",
        " ",
        "真的吗？！",
        "订单号20261122-0001",
        "退款1288.50元",
        "https://desk.example/w/abcDEF_123?x=1",
        "Wi-Fi",
        FAMILY,
        WAVE,
        FLAGS,
        "1️⃣",
        "é",
        "𠮷",
        "“好。”",
        "三人行" * 40,
    ]
)
TEXTS = st.lists(PIECES, max_size=120).map("".join) | st.text(max_size=1500)


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


@given(TEXTS, st.sampled_from([MOST_BYTES, 200, 40]))
def test_parts_fit_are_never_empty_and_together_are_the_text(text: str, most: int) -> None:
    parts = cut(text, most)
    assert bare("".join(parts)) == bare(text)
    assert all(part and part == part.strip() and size(part) <= most for part in parts)
    # Nothing is changed inside: every part stands in the text as it is.
    assert all(part in text for part in parts)


@given(TEXTS)
def test_what_fits_stays_one_message(text: str) -> None:
    if size(text.strip()) <= MOST_BYTES:
        assert cut(text) == ([text.strip()] if text.strip() else [])


@given(st.lists(PIECES, min_size=1, max_size=150))
def test_emoji_numbers_and_addresses_are_not_torn(pieces: list[str]) -> None:
    text = "".join(pieces)
    wholes = [FAMILY, WAVE, "1️⃣", "1288.50元", "https://desk.example/w/abcDEF_123?x=1", "é"]
    parts = cut(text)
    for whole in wholes:
        assert sum(part.count(whole) for part in parts) == text.count(whole)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("一二三四五六七八九。\n\n一二三四五六七八。九十", "一二三四五六七八九。"),
        ("一二三四五六七八。一二三四五六七八九十", "一二三四五六七八。"),
        ("一二三四五六七，一二三四五六七八九十甲", "一二三四五六七，"),
        ("他说“今天就办好。”一二三四五六七八", "他说“今天就办好。”"),
        ("one two three four five six seven eight", "one two three four five six seven"),
    ],
)
def test_the_longest_pause_that_fits_ends_a_part(text: str, first: str) -> None:
    assert cut(text, 36)[0] == first


def test_a_long_text_is_not_cut_into_scraps() -> None:
    text = "好。" + "一" * 2000
    assert len(cut(text)) == 3


def test_what_cannot_be_kept_together_is_cut_all_the_same() -> None:
    address = "https://desk.example/" + "a" * 5000
    tower = "e" + "\u0301" * 3000
    for text in (address, tower, "7" * 5000, FAMILY * 300):
        parts = cut(text)
        assert "".join(parts) == text
        assert all(size(part) <= MOST_BYTES for part in parts)


def test_flags_stay_pairs() -> None:
    parts = cut("🇨🇳" * 600)
    assert all(len(part) % 2 == 0 for part in parts)


def test_hostile_lengths_take_no_time_worth_naming() -> None:
    for text in ("a" * 200_000, "1." * 100_000, "🇨" * 50_000, "\u200d" * 50_000):
        assert "".join(cut(text)) == text
