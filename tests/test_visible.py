import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync.visible import JOINERS, and_more, cause_of, plural, shortened, visible

HOSTILE = st.text(
    st.one_of(
        st.sampled_from("\x00\x07\x1b\r\n\t\x7f\x85\x9b\u200b\u200d\u202e\u2028\u2066\ufeff\ud800#[]👩🎨a"),
        st.characters(),
    ),
    max_size=30,
)


@given(HOSTILE)
def test_nothing_that_is_shown_can_act_on_a_terminal(text: str) -> None:
    assert all(character.isprintable() or character in JOINERS for character in visible(text))


# By Unicode's lists of blanks and of what is ignorable by default, which Python's isprintable does not know.
BLANK = {0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0}
IGNORABLE = {0x34F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)}


def test_every_character_that_leaves_no_ink_is_written_out() -> None:
    codes = {*range(0x20, 0xD800), *range(0xE000, 0x30000), *range(0xE0000, 0xE0200)}
    silent = BLANK | IGNORABLE
    unseen = [chr(code) for code in codes if not chr(code).isprintable() or code in silent]
    assert len(unseen) > 10_000
    assert [hex(ord(each)) for each in unseen if each in visible(f"a{each}b") or visible(f"a{each}") == "a"] == []


@pytest.mark.parametrize("text", ["⚠️ Sale", "1️⃣", "#️⃣", "❤️‍🔥", "👩🏽‍🎨", "🏳️‍🌈", "می‌خواهم", "क्‍ष"])
def test_emoji_and_words_that_need_a_joiner_are_shown_as_they_are(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("text", ["при\u200cвет", "a\u200cé", "Acme\u3164", "A\ufe0f", "é\u200d🎨"])
def test_what_hides_between_letters_is_written_out(text: str) -> None:
    assert visible(text).isascii() or not set(visible(text)) & set("\u200c\u200d\u3164\ufe0f")
    assert visible(text) != text


@given(HOSTILE)
def test_what_is_shown_is_one_line(text: str) -> None:
    assert len(visible(text).splitlines()) <= 1


@given(HOSTILE)
def test_what_is_shown_can_be_written_as_utf8(text: str) -> None:
    visible(text).encode("utf-8")


@given(st.text(st.sampled_from("#[]e"), max_size=12))
def test_no_runner_finds_a_command_in_it(text: str) -> None:
    assert "##[" not in visible(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="#")))
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    printable = "".join(filter(str.isprintable, text))
    assert visible(printable) == printable


@given(HOSTILE, st.integers(2, 20))
def test_a_shortened_text_holds_no_more_than_its_limit_of_the_original(text: str, limit: int) -> None:
    assert len(shortened(text, limit)) <= (limit + 1) * len(r"\U0010ffff")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", r"a\nb"),
        ("a\r\tb", r"a\r\tb"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u202eb", r"a\u202eb"),
        ("\U000e0001", r"\U000e0001"),
        ("\ud800", r"\ud800"),
        ("##[error]x", r"\x23#[error]x"),
        ("a\u200db", r"a\u200db"),
        ("\u200d👩", r"\u200d👩"),
        ("👩\u200d🎨", "👩\u200d🎨"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("é 👋 日本", "é 👋 日本"),
    ],
)
def test_what_is_not_printable_becomes_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_tag_characters_are_not_printable_in_this_python() -> None:
    assert unicodedata.category("\U000e0001") == "Cf"


def test_a_long_text_loses_its_middle() -> None:
    assert shortened("a" * 50 + "b" * 50, 10) == "aaaaa…bbbbb"


def test_a_text_of_the_limit_is_left_whole() -> None:
    assert shortened("abcdef", 6) == "abcdef"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "\x1b[31mname"), "Permission denied"),
        (OSError("no words of the system"), "unknown"),
        (OSError(5, "##[error]\x1b[31m"), r"\x23#[error]\x1b[31m"),
    ],
)
def test_a_cause_is_told_in_the_words_of_the_system_alone(error: OSError, words: str) -> None:
    assert cause_of(error) == words


@pytest.mark.parametrize(("count", "words"), [(-1, ""), (0, ""), (1, " and 1 more"), (1247, " and 1,247 more")])
def test_what_a_list_leaves_out_is_counted(count: int, words: str) -> None:
    assert and_more(count) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 pages"), (1, "1 page"), (2, "2 pages"), (1247, "1,247 pages")])
def test_a_count_stands_with_its_word(count: int, words: str) -> None:
    assert plural(count, "page") == words
