"""The sentiment lexicon: longest word, denial, the end of a message, a table that is checked."""

from pathlib import Path

import pytest

from bot.nlu.sentiment import MEASURES, Lexicon, LexiconError

LEXICON = Lexicon(
    {"好": 1, "好评": 1, "干净": 1, "不干净": -1, "失望": -1, "太失望": -2, "出差": 0, "差": -1}
)


def found(text: str, *words: str) -> list[tuple[str, float]]:
    return [(hit.word, hit.weight) for hit in LEXICON.find(text, words)]


def test_the_longest_entry_counts() -> None:
    assert found("太失望") == [("太失望", -2)]
    assert found("房间不干净") == [("不干净", -1)]


def test_a_single_character_judges_only_as_a_word() -> None:
    assert found("服务差", "服务", "差") == [("差", -1)]
    assert found("差旅费", "差旅费") == []


def test_an_entry_of_no_weight_hides_a_shorter_one() -> None:
    assert found("出差", "出", "差") == []


def test_denial_turns_round_and_softens() -> None:
    assert found("并没有失望") == [("失望", 0.5)]
    assert found("没干净过") == [("干净", -0.5)]


def test_praise_and_blame_pull_apart() -> None:
    praise = dict(zip(MEASURES, LEXICON.measure("干净", ("干净",)), strict=True))
    blame = dict(zip(MEASURES, LEXICON.measure("太失望", ("太", "失望")), strict=True))

    assert praise["balance"] < 0 < blame["balance"]
    assert (praise["sign"], blame["sign"]) == (-1, 1)
    assert praise["blame"] == blame["praise"] == 0


def test_the_verdict_at_the_end_is_seen() -> None:
    text = "大堂干净，早餐一般般，人很多，总之失望"
    measures = dict(zip(MEASURES, LEXICON.measure(text, ("干净", "失望")), strict=True))

    assert measures["balance"] == 0
    assert measures["end"] == 1


def test_an_empty_text_judges_nothing() -> None:
    assert set(LEXICON.measure("", ())) == {0.0}


@pytest.mark.parametrize("line", ["好", "好\t很", "好\t3", "\t1", "好\t1\n好\t1"])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    table = tmp_path / "sentiment.tsv"
    table.write_text(f"# words\n{line}\n", "utf-8")

    with pytest.raises(LexiconError):
        Lexicon.read(table)


def test_our_own_table_is_sound() -> None:
    weights = Lexicon.read().weights

    assert len(weights) > 20_000
    assert weights["物超所值"] > 0 > weights["坑人"]
