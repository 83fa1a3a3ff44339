import copy
import io
import json
import os
import pickle
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bio_sync.errors import InvalidKey
from bio_sync.key import ApiKey, read_key

PREFIX = "xqr_pk_0a1b2c3d"
SECRET = "kT9-vQ2_xZ8mNb4LwR7yHc1JdF6gSp3AeU5oIiK0tWqVzXrBnMlYhGjDfCsPaEuO"
KEY = f"{PREFIX}.{SECRET}"
URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def leaks(text: str, secret: str = SECRET) -> bool:
    return any(secret[start : start + 8] in text for start in range(len(secret) - 7))


def test_the_leak_detector_detects() -> None:
    assert leaks(f"…{SECRET[20:28]}…")
    assert not leaks(f"…{SECRET[20:27]}…")


@pytest.mark.parametrize(
    "show", [repr, str, ascii, format, "{}".format, "{0!r:>90}".format, "%s".__mod__, "%r".__mod__]
)
def test_no_way_of_writing_a_key_shows_it(show: object) -> None:
    assert callable(show)
    assert show(ApiKey(KEY)) in {
        f"<API key {PREFIX}…>",
        ascii(f"<API key {PREFIX}…>"),
        f"<API key {PREFIX}…>".rjust(90),
    } | {rf"<API key {PREFIX}\u2026>"}


def test_a_key_of_another_form_shows_nothing_of_itself() -> None:
    assert repr(ApiKey("another-form-of-key")) == "<API key …>"
    assert ApiKey("another-form-of-key").prefix == ""


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_key_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError) as caught:
        pickle.dumps(ApiKey(KEY), protocol)
    assert not leaks(str(caught.value))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_key_cannot_be_copied(duplicate: object) -> None:
    assert callable(duplicate)
    with pytest.raises(TypeError):
        duplicate(ApiKey(KEY))


def test_a_key_is_no_json() -> None:
    with pytest.raises(TypeError) as caught:
        json.dumps({"key": ApiKey(KEY)})
    assert not leaks(str(caught.value))


def test_json_of_its_text_does_not_show_it() -> None:
    assert not leaks(json.dumps({"key": ApiKey(KEY)}, default=str))


def test_a_key_has_no_dictionary_that_a_debugger_would_print() -> None:
    assert not hasattr(ApiKey(KEY), "__dict__")


def test_the_header_alone_gives_the_key_away() -> None:
    assert ApiKey(KEY).header() == f"Bearer {KEY}"


@pytest.mark.parametrize("text", [f" {KEY}", f"{KEY}\n", f"\t{KEY}\r\n", f"\u00a0{KEY}\u2003"])
def test_white_space_around_a_key_is_dropped(text: str) -> None:
    assert ApiKey(text).header() == f"Bearer {KEY}"


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_an_empty_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidKey, match="empty"):
        ApiKey(text)


@pytest.mark.parametrize(
    "character", [" ", "\n", "\r\n", "\t", "\0", "\x7f", "\x1b", "é", "“", "\u200b", "\ufeff", "😀"]
)
def test_a_character_that_no_header_carries_is_refused_without_showing_the_key(character: str) -> None:
    with pytest.raises(InvalidKey) as caught:
        ApiKey(f"{PREFIX}.{SECRET[:30]}{character}{SECRET[30:]}")
    assert not leaks(caught.value.message + caught.value.hint)


@given(
    st.text(URL_SAFE, min_size=8, max_size=64),
    st.lists(st.tuples(st.text(max_size=5), st.integers(0, 60), st.integers(0, 64)), max_size=6),
)
def test_no_eight_characters_of_the_secret_survive_redaction(secret: str, pieces: list[tuple[str, int, int]]) -> None:
    # A number is cut out as nines, so that JSON stays JSON: of a secret that has eight of them, those are left.
    assume("99999999" not in secret)
    text = "".join(noise + secret[start : start + length] for noise, start, length in pieces)
    assert not leaks(ApiKey(f"{PREFIX}.{secret}").redacted(text), secret)


@given(st.integers(0, 56), st.text(URL_SAFE, max_size=9), st.text(URL_SAFE, max_size=9))
def test_any_window_of_the_secret_is_cut_out_of_its_surroundings(start: int, before: str, after: str) -> None:
    assert not leaks(ApiKey(KEY).redacted(before + SECRET[start : start + 8] + after))


@given(st.text())
def test_text_without_the_secret_is_left_as_it_is(text: str) -> None:
    assert ApiKey(KEY).redacted(text) == text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"key {KEY} end", f"key {PREFIX}.*** end"),
        (f"{SECRET[:8]} and {SECRET[8:16]}", "*** and ***"),
        (SECRET * 2, "***"),
        (SECRET[3:10], SECRET[3:10]),
        (PREFIX, PREFIX),
    ],
)
def test_what_is_cut_out_leaves_three_stars(text: str, redacted: str) -> None:
    assert ApiKey(KEY).redacted(text) == redacted


def test_a_secret_too_short_to_be_one_leaves_ordinary_words_alone() -> None:
    assert ApiKey(f"{PREFIX}.short").redacted("a short text") == "a short text"


def test_a_key_of_another_form_is_cut_out_from_its_first_character() -> None:
    assert ApiKey("another-form-of-key").redacted("x another- y") == "x *** y"


def test_the_environment_holds_the_key() -> None:
    assert read_key({"XQR_API_KEY": f" {KEY}\n"}, file=None).header() == f"Bearer {KEY}"


def test_a_file_holds_the_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n", encoding="utf-8")
    assert read_key({}, file=str(tmp_path / "key")).header() == f"Bearer {KEY}"


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY, encoding="utf-8")
    assert read_key({"XQR_API_KEY_FILE": str(tmp_path / "key")}, file=None).header() == f"Bearer {KEY}"


def test_the_flag_is_stronger_than_the_environment(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-the-flag", encoding="utf-8")
    environment = {"XQR_API_KEY": KEY, "XQR_API_KEY_FILE": "/nowhere"}
    assert read_key(environment, file=str(tmp_path / "key")).header() == "Bearer from-the-flag"


def test_the_key_itself_is_stronger_than_the_file_that_the_environment_names() -> None:
    assert read_key({"XQR_API_KEY": KEY, "XQR_API_KEY_FILE": "/nowhere"}, file=None).header() == f"Bearer {KEY}"


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY, encoding="utf-8")
    environment = {"XQR_API_KEY": " ", "XQR_API_KEY_FILE": str(tmp_path / "key")}
    assert read_key(environment, file=None).header() == f"Bearer {KEY}"


def test_a_dash_means_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{KEY}\n".encode())))
    assert read_key({}, file="-").header() == f"Bearer {KEY}"


def test_a_pipe_may_hold_the_key() -> None:
    reader, writer = os.pipe()
    os.write(writer, KEY.encode())
    os.close(writer)
    assert stat.S_ISFIFO(os.fstat(reader).st_mode)
    assert read_key({}, file=f"/dev/fd/{reader}").header() == f"Bearer {KEY}"
    os.close(reader)


@pytest.mark.parametrize("environment", [{}, {"XQR_API_KEY": ""}, {"XQR_API_KEY": " ", "XQR_API_KEY_FILE": ""}])
def test_without_a_key_the_hint_names_where_it_goes(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidKey, match="there is no API key") as caught:
        read_key(environment, file=None)
    assert "XQR_API_KEY" in caught.value.hint
    assert "--api-key-file" in caught.value.hint


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", [KEY, "nowhere", "."])
def test_a_file_that_cannot_be_read_is_not_named_for_it_may_be_the_key(name: str) -> None:
    with pytest.raises(InvalidKey, match="can't be read") as caught:
        read_key({}, file=name)
    assert not leaks(f"{caught.value.message}{caught.value.hint}{caught.value.__cause__}")


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00", KEY.encode("utf-16"), b"", b"\n", f"{KEY}\n{KEY}".encode(), b"a" * 10 + b"\0"]
)
def test_a_file_that_holds_no_key_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(InvalidKey) as caught:
        read_key({}, file=str(tmp_path / "key"))
    assert not leaks(caught.value.message + caught.value.hint)


def test_a_refused_key_leaves_no_trace_in_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY.encode("utf-16"))
    with pytest.raises(InvalidKey) as caught:
        read_key({}, file=str(tmp_path / "key"))
    assert caught.value.__suppress_context__
