"""The grammar of cells means to us what it means to the engine."""

import pytest
import zen
from hypothesis import example, given
from hypothesis import strategies as st

from recovery.remedy.cells import (
    CellError,
    read_condition,
    read_outcome,
    tidy_condition,
    write_outcome,
)

NUMBERS = st.integers(0, 10**9)
TEXTS = st.text(
    st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="'\\"), max_size=12
)
ONES = st.one_of(
    TEXTS.map(lambda one: f"'{one}'"), NUMBERS.map(str), st.sampled_from(["true", "false"])
)
SPACES = st.sampled_from(["", " ", "  "])


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    sign = draw(st.sampled_from([">=", "<=", ">", "<"]))
    return f"{draw(SPACES)}{sign}{draw(SPACES)}{draw(NUMBERS)}{draw(SPACES)}"


@st.composite
def intervals(draw: st.DrawFn) -> str:
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    return f"[{draw(SPACES)}{low}{draw(SPACES)}..{draw(SPACES)}{high}{draw(SPACES)}]"


@st.composite
def lists(draw: st.DrawFn) -> str:
    comma = f"{draw(SPACES)},{draw(SPACES)}"
    return comma.join(draw(st.lists(ONES, min_size=1, max_size=4)))


def by_the_engine(condition: str, value: object) -> bool:
    return bool(zen.evaluate_unary_expression(condition, {"$": value}))


@given(st.one_of(comparisons(), intervals()), NUMBERS, st.integers(-1, 1))
def test_conditions_of_numbers_mean_what_the_engine_means(
    text: str, anywhere: int, step: int
) -> None:
    condition = read_condition(text)
    near = [edge + step for edge in (condition.least, condition.most) if edge is not None]
    for value in (anywhere, *(max(0, one) for one in near)):
        assert condition.matches(value) == by_the_engine(text, value)
        assert condition.matches(value) == by_the_engine(tidy_condition(text), value)


@given(lists(), st.one_of(TEXTS, NUMBERS, st.booleans()))
@example("1", True)
@example("'1'", 1)
@example("true", 1)
def test_lists_mean_what_the_engine_means(text: str, other: str | int | bool) -> None:
    condition = read_condition(text)
    listed = [one for _, one in condition.values or ()]
    for value in (*listed, other):
        assert condition.matches(value) == by_the_engine(text, value)
        assert condition.matches(value) == by_the_engine(tidy_condition(text), value)


@given(st.one_of(comparisons(), intervals(), lists()))
def test_a_tidy_condition_is_the_same_and_stays_as_it_is(text: str) -> None:
    tidy = tidy_condition(text)
    assert read_condition(tidy) == read_condition(text)
    assert tidy_condition(tidy) == tidy


OUTCOMES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.booleans()),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.dictionaries(st.sampled_from(["kind", "fen", "minutes"]), inside, max_size=3),
    ),
    max_leaves=8,
)


@given(OUTCOMES)
def test_outcomes_come_back_and_mean_what_the_engine_means(value: object) -> None:
    text = write_outcome(value)
    assert read_outcome(text) == value
    assert zen.evaluate_expression(text, {}) == value


def test_what_a_chinese_keyboard_types_becomes_plain() -> None:
    assert tidy_condition("　>= ２４") == ">= 24"
    assert tidy_condition("[０１..６]") == "[1..6]"
    assert tidy_condition("'a' ,'b'") == "'a', 'b'"
    assert tidy_condition("  ") == ""


@pytest.mark.parametrize(
    "text",
    ["ours", "'ours", ">= 'a'", "1.5", "[6..1]", "1 2", "a > 1", "null", "'a';'b'", "9" * 5000],
)
def test_other_conditions_are_refused(text: str) -> None:
    with pytest.raises(CellError):
        read_condition(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1.5", "带小数"),
        ("[{kind: 'voucher', fen: 19.9}]", "带小数"),
        ("", "不能为空"),
        ("[1, ]", "逗号后面没有内容"),
        ("[1", "缺少 ]"),
        ("{kind 'a'}", "应当是冒号"),
        ("{a: 1, a: 2}", "写了两次"),
        ("voucher", "单引号"),
        ("'a' 'b'", "多出了"),
        ("[" * 60, "括号太多"),
        ("1 + 1", "看不懂"),
    ],
)
def test_other_outcomes_are_refused_with_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(CellError, match=said):
        read_outcome(text)


@pytest.mark.parametrize("text", ["it's", "a\\b", "a\nb", "a\rb"])
def test_a_text_that_would_break_a_cell_is_not_written(text: str) -> None:
    with pytest.raises(CellError):
        write_outcome(text)
