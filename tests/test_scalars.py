import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync.jsonvalues import LARGEST_EXACT, Json, same
from bio_sync.scalars import NotAValue, plain_value

TEXT = [
    "no", "No", "NO", "yes", "Yes", "y", "Y", "n", "N", "on", "On", "off", "OFF",
    "12:30", "12:30:45", "190:20:30", "2026-01-02", "2026-01-02T10:00:00Z", "2026-01-02 10:00:00",
    "1_000", "1,000", "1.2.3", "0b101", "0o18", "0O17", "0X1F", "0x", "0o", "+0x1F", "-0o17", "+", "-", ".", "..",
    "...", "e3", "1e", "1e+", ".e3", "+.", "1 2", "12a", "nULL", "tRUE", "fALSE", "none", "None", "inf", "nan",
    "Infinity", "NaN", "-nan", "+.nan", "-.NaN", ".iNF", ".Nan", "=", "<<", "10.0.0.1",
    "+15550100x", "１２", "٣",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXT)
def test_what_authors_mean_as_text_stays_text(text: str) -> None:
    assert plain_value(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("False", False),
        ("FALSE", False),
        ("0", 0),
        ("-0", 0),
        ("+1", 1),
        ("-19", -19),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("0xff", 255),
        ("1e3", 1000.0),
        ("1E+3", 1000.0),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("+12.25", 12.25),
        ("1.5e300", 1.5e300),
        ("9007199254740992", 2**53),
        ("-9007199254740992", -(2**53)),
        ("0x20000000000000", 2**53),
    ],
)
def test_words_and_numbers_of_the_core_schema_have_their_value(text: str, value: Json) -> None:
    assert same(plain_value(text), value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "-.inf", "-.INF"])
def test_what_is_no_json_number_is_refused_and_may_be_quoted(text: str) -> None:
    with pytest.raises(NotAValue) as caught:
        plain_value(text)
    assert caught.value.message == f"{text} is not a number that a page can hold"
    assert caught.value.hint == f'if it is meant as text, put it in quotes: "{text}"'


@pytest.mark.parametrize(
    "text",
    [
        "9007199254740993",
        "-9007199254740993",
        "0x20000000000001",
        "0o400000000000000001",
        "1e999",
        "-1e999",
        "1" + "0" * 310,
        "1" * 400,
        "1" * 401,
        "0." + "1" * 500,
    ],
)
def test_a_number_that_browsers_would_change_is_refused(text: str) -> None:
    with pytest.raises(NotAValue, match="too large"):
        plain_value(text)


@pytest.mark.parametrize("text", ["9" * 5_000, "-" + "9" * 5_000, "1e" + "9" * 5_000, "0x" + "f" * 5_000])
def test_thousands_of_digits_are_answered_at_once_and_in_few_words(text: str) -> None:
    begun = time.process_time()
    try:
        answer = str(plain_value(text))
    except NotAValue as error:
        answer = error.message + error.hint
        assert len(answer) < 200
    assert time.process_time() - begun < 5


@given(st.integers(-LARGEST_EXACT, LARGEST_EXACT))
def test_every_exact_whole_number_reads_back(number: int) -> None:
    assert same(plain_value(str(number)), number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_reads_back(number: float) -> None:
    value = plain_value(repr(number))
    assert isinstance(value, float)
    assert value == number
    assert math.copysign(1, value) == math.copysign(1, number)


@given(st.text(st.sampled_from("+-.0123456789eEoxXfFnaNiI_:~trueTRUEnul "), max_size=12))
def test_any_plain_text_is_a_json_value_or_refused(text: str) -> None:
    try:
        value = plain_value(text)
    except NotAValue:
        return
    json.dumps(value, allow_nan=False)
