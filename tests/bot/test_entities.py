"""Entities: marks become tags and back, tables lead, and what was learnt is found."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.entity_model import EntityModel, Gazetteer, gazetteer_of, spans, tags

NOTHING = Gazetteer({}, {})
ROOM = Gazetteer({"room_number": [r"\d{3,4}(?=房|号房)"]}, {"湖景房": "product", "毛巾": "product"})
EXAMPLES = [
    ("我住1208房，毛巾没换", [(2, 6, "room_number"), (8, 10, "product")]),
    ("1305房的毛巾是脏的", [(0, 4, "room_number"), (6, 8, "product")]),
    ("订的是湖景房，给的809号房", [(3, 6, "product"), (9, 12, "room_number")]),
    ("湖景房没有了，只剩702房", [(0, 3, "product"), (9, 12, "room_number")]),
    ("等了很久", []),
    ("没有人接电话", []),
] * 4


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> EntityModel:
    return EntityModel.fit(EXAMPLES, ROOM, tmp_path_factory.mktemp("draft"))


def test_what_was_learnt_is_found_in_new_words(model: EntityModel) -> None:
    text = "你好，1507房的毛巾没换，订的是湖景房，给的不是"

    found = [(text[start:end], kind) for start, end, kind in model.predict(text)]

    assert found == [("1507", "room_number"), ("毛巾", "product"), ("湖景房", "product")]


def test_a_saved_model_marks_the_same(model: EntityModel, tmp_path: Path) -> None:
    model.save(tmp_path)

    again = EntityModel.load(tmp_path)

    assert again is not None
    for text, _ in EXAMPLES:
        assert again.predict(text) == model.predict(text)
    assert EntityModel.load(tmp_path / "nothing") is None


def test_the_same_examples_give_the_same_model(model: EntityModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    (tmp_path / "draft").mkdir()
    EntityModel.fit(EXAMPLES, ROOM, tmp_path / "draft").save(tmp_path / "draft")

    for name in ("entities.crfsuite", "gazetteer.json"):
        assert (tmp_path / "draft" / name).read_bytes() == (tmp_path / name).read_bytes()


@given(st.text(max_size=80))
def test_any_text_gets_spans_in_order_inside_it(model: EntityModel, text: str) -> None:
    place = 0
    for start, end, kind in model.predict(text):
        assert place <= start < end <= len(text)
        assert kind in ("room_number", "product")
        place = end


def test_letters_that_grow_in_lower_case_shift_nothing(model: EntityModel) -> None:
    text = "İİİ1208房"

    assert [text[start:end] for start, end, _ in model.predict(text)] == ["1208"]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.sampled_from(["a", "b"]))))
def test_marks_survive_as_tags(parts: list[tuple[int, int, str]]) -> None:
    marked, place = [], 0
    for gap, size, kind in parts:
        marked.append((place + gap, place + gap + size, kind))
        place += gap + size

    assert spans(tags("x" * place, marked)) == marked


def test_of_overlapping_patterns_the_longest_counts() -> None:
    both = Gazetteer({"duration": ["三天"], "date": ["三天前"]}, {})

    assert both.by_pattern("我三天前订的") == [(1, 4, "date")]


def test_a_short_word_of_a_table_keeps_to_the_words_of_the_text() -> None:
    table = Gazetteer({}, {"面包": "product", "里面": "product", "牛肉面": "product"})
    text = "这里面包装破了"

    assert table.by_word(text, frozenset({0, 1, 3, 5, 6, 7})) == [(1, 3, "product")]
    assert table.by_word("一碗牛肉面条", frozenset({0, 6})) == [(2, 5, "product")]


def test_tables_of_other_names_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "dishes.txt"
    file.write_text("酸菜鱼\n粥\n\n", "utf-8")

    tables = gazetteer_of(
        ["product", "date"],
        [{"name": "date", "pattern": "周一"}, {"name": "about_noise", "pattern": "吵"}],
        [
            {"name": "product", "elements": ["耳机"]},
            {"name": "product", "elements": str(file)},
            {"name": "city", "elements": ["杭州"]},
        ],
    )

    assert tables.patterns == {"date": ["周一"]}
    assert tables.words == {"耳机": "product", "酸菜鱼": "product"}


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(re.error):
        Gazetteer({"date": ["(周一"]}, {})
