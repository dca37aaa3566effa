"""One entity a place."""

from bot.nlu.entities import resolved


def entity(kind: str, start: int, end: int, extractor: str) -> dict[str, object]:
    return {"entity": kind, "start": start, "end": end, "extractor": extractor}


REGEX, CRF = "RegexEntityExtractor", "CRFEntityExtractor"


def test_the_pattern_goes_before_the_guess() -> None:
    sure = entity("order_number", 2, 12, REGEX)
    guess = entity("order_number", 0, 14, CRF)

    assert resolved([guess, sure]) == [sure]


def test_the_longer_goes_before_the_shorter() -> None:
    long, short = entity("date", 0, 5, CRF), entity("date", 3, 7, CRF)

    assert resolved([short, long]) == [long]


def test_others_stay_in_the_order_of_the_text() -> None:
    room = entity("room_number", 4, 8, REGEX)
    first = entity("date", 0, 2, CRF)
    product = entity("product", 6, 10, CRF)
    beside = entity("room_number", 8, 12, CRF)

    assert resolved([beside, product, room, first]) == [first, room, beside]


def test_a_place_has_one_entity_whatever_its_kind() -> None:
    day, span = entity("date", 0, 3, REGEX), entity("duration", 0, 2, REGEX)

    assert resolved([span, day]) == [day]
