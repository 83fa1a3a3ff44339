import json
import signal
import subprocess
import sys
import textwrap
import time
import tracemalloc
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from bio_sync.jsonvalues import LARGEST_EXACT, Json
from bio_sync.pointer import ValuePath
from bio_sync.problems import Place
from bio_sync.yamlevents import FORBIDDEN, MOST_LEVELS, MOST_NODES
from bio_sync.yamltext import MOST_BYTES, Document, read

NUMBERS = st.one_of(st.integers(-LARGEST_EXACT, LARGEST_EXACT), st.floats(allow_nan=False, allow_infinity=False))


def json_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    texts = texts.filter(lambda text: not FORBIDDEN.search(text) and "\r" not in text)
    return st.recursive(
        st.one_of(st.none(), st.booleans(), NUMBERS, texts),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
        max_leaves=15,
    )


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = json_of(TEXTS)
# PyYAML writes for YAML 1.1, where 0E0 and 0o7 are text and need no quotes.
JSON_ALIKE_IN_YAML_1_1 = json_of(TEXTS.filter(lambda text: text[:1] not in set("+-.0123456789")))


def of(text: str | bytes) -> Document:
    return read(text.encode() if isinstance(text, str) else text, file="page.yaml")


def told(text: str | bytes) -> list[tuple[int, int, str]]:
    return [(problem.line, problem.column, problem.message) for problem in of(text).problems]


def rules(text: str | bytes) -> list[str]:
    return [problem.rule for problem in of(text).problems]


def every(value: Json, path: ValuePath = ()) -> list[tuple[ValuePath, Json]]:
    found: list[tuple[ValuePath, Json]] = [(path, value)]
    if isinstance(value, dict):
        for key, member in value.items():
            found += every(member, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += every(item, (*path, index))
    return found


def text_from(text: str, place: Place) -> str:
    return "\n".join(text.split("\n")[place.line - 1 :])[place.column - 1 :]


@given(JSON)
def test_json_is_read_as_itself(value: Json) -> None:
    document = of(json.dumps(value, ensure_ascii=False))
    assert document.problems == ()
    assert json.dumps(document.value) == json.dumps(value)


@given(JSON_ALIKE_IN_YAML_1_1)
def test_yaml_that_another_writer_wrote_is_read_as_what_was_written(value: Json) -> None:
    document = of(yaml.safe_dump(value, sort_keys=False))
    assert document.problems == ()
    assert json.dumps(document.value) == json.dumps(value)


@given(JSON, st.sampled_from([None, 2]))
def test_the_place_of_every_value_is_where_its_text_begins(value: Json, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    document = of(text)
    for path, member in every(value):
        rest = text_from(text, document.place(path))
        assert json.dumps(json.JSONDecoder().raw_decode(rest)[0]) == json.dumps(member)


@given(JSON)
def test_the_place_of_every_key_is_where_its_text_begins(value: Json) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    document = of(text)
    for path, _ in every(value):
        if path and isinstance(path[-1], str):
            rest = text_from(text, document.place(path, of_key=True))
            assert rest.startswith(json.dumps(path[-1], ensure_ascii=False) + ":")


@given(st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["one", "two", "three"]), min_size=1))
def test_the_places_in_a_block_mapping_are_those_an_editor_shows(value: dict[str, str]) -> None:
    text = yaml.safe_dump({"page": [value]}, sort_keys=False)
    document = of(text)
    for key, word in value.items():
        assert text_from(text, document.place(("page", 0, key))).startswith(f"{word}\n")
        assert text_from(text, document.place(("page", 0, key), of_key=True)).startswith(f"{key}: {word}\n")


def test_what_has_no_place_stands_where_its_parent_does() -> None:
    document = of("a:\n  b: 1\n")
    assert document.place(("a", "missing", "deeper")) == document.place(("a",)) == Place(2, 3)


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf")
@example(b"a: \xed\xa0\x80")
@example(b"!<\x00")
def test_any_bytes_are_a_document(data: bytes) -> None:
    document = of(data)
    assert all(problem.line >= 1 and problem.column >= 1 and problem.rule for problem in document.problems)


@given(st.text(st.one_of(st.sampled_from("{}[]:,-?&*!|>'\"%@`#<\n \tab1~."), st.characters()), max_size=60))
@example("*a")
@example("&a [*a]")
@example("? [a]\n: b")
@example("a: !!binary x")
@example("%YAML 1.2\n---\na: 1")
@example("%TAG ! tag:x,1:\n---\na: !b c")
@example("\ufeff\ufeffa: 1")
def test_any_text_is_a_document_with_places_inside_it(text: str) -> None:
    document = of(text.encode("utf-8", "replace"))
    for problem in document.problems:
        assert problem.line <= text.count("\n") + 2
        document.problem(("a", 0), "asked for", rule="place")


@pytest.mark.parametrize("text", ["", "\n", "# only a note\n", "---\n", "~", "---\n...\n", "\ufeff"])
def test_a_file_without_a_value_is_null_and_no_problem(text: str) -> None:
    assert (of(text).value, of(text).problems) == (None, ())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", "no"),
        ("a: on", "on"),
        ("a: 12:30", "12:30"),
        ("a: 2026-01-02", "2026-01-02"),
        ("a: 'true'", "true"),
        ('a: "1"', "1"),
        ("a: |\n  one\n  two\n", "one\ntwo\n"),
        ("a: >-\n  one\n  two\n", "one two"),
        ("a: null", None),
        ("a:", None),
        ("a: [1, 2.5, true]", [1, 2.5, True]),
        ("a: &x [1]\nb: *x", [1]),
        ('a: "\\u00e9\\n\\t"', "é\n\t"),
        ('a: "\\u2028"', "\u2028"),
        ("a: 'a\u200db'", "a\u200db"),
        ("---\na: 1\n...\n", 1),
        ("%YAML 1.2\n---\na: 1\n", 1),
        ("{a: 1}", 1),
    ],
)
def test_a_value_is_what_its_author_means(text: str, value: Json) -> None:
    document = of(text)
    assert document.problems == ()
    assert isinstance(document.value, dict)
    assert document.value["a"] == value


@pytest.mark.parametrize(("line_end", "name"), [("\n", "unix"), ("\r\n", "windows")])
def test_both_line_ends_are_read_alike(line_end: str, name: str) -> None:
    document = of(line_end.join(["a: |", "  one", "  two", f"b: {name}", ""]))
    assert document.value == {"a": "one\ntwo\n", "b": name}


def test_places_in_a_file_with_windows_line_ends_count_its_lines() -> None:
    assert told("a: 1\r\nb: 2\r\na: 3\r\n") == [(3, 1, "the key 'a' stands here a second time; the first is on line 1")]


def test_a_byte_order_mark_is_dropped_and_counts_for_nothing() -> None:
    assert of("\ufeffa: 1").value == {"a": 1}
    assert told("\ufeffa: 1\na: 2")[0][:2] == (2, 1)
    assert told("\ufeff1: 2")[0][:2] == (1, 1)
    assert told("\ufeff\x00")[0][:2] == (1, 1)


def test_a_key_that_stands_twice_is_told_at_the_second_with_the_line_of_the_first() -> None:
    assert told("title: A\nid: b\ntitle: C\n") == [
        (3, 1, "the key 'title' stands here a second time; the first is on line 1")
    ]


def test_a_key_that_stands_twice_deep_inside_is_told_with_its_pointer() -> None:
    (problem,) = of("page_data:\n  links:\n    - label: A\n      url: b\n      label: C\n").problems
    assert (problem.line, problem.column, problem.pointer) == (5, 7, "/page_data/links/0/label")
    assert problem.message == "the key 'label' stands here a second time; the first is on line 3"
    assert problem.hint == "keep one of the two"


def test_the_first_of_two_values_is_kept_with_its_place() -> None:
    document = of("a: {b: 1}\na: {b: 2}\n")
    assert document.value == {"a": {"b": 1}}
    assert document.place(("a", "b")) == Place(1, 8)


def test_a_key_that_stands_three_times_is_told_twice() -> None:
    assert [line for line, _, _ in told("a: 1\na: 2\na: 3\n")] == [2, 3]


@pytest.mark.parametrize(
    "text", ["{a: 1, 'a': 2}", '{a: 1, "\\x61": 2}', "{&k a: 1, *k : 2}", "a: 1\n? a\n: 2\n", "x: &x {}\nx: *x\n"]
)
def test_no_spelling_hides_that_a_key_stands_twice(text: str) -> None:
    assert rules(text) == ["duplicate-key"]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("1", 'put it in quotes: "1"'),
        ("1.5", 'put it in quotes: "1.5"'),
        ("true", 'put it in quotes: "true"'),
        ("~", 'put it in quotes: "~"'),
        ("null", 'put it in quotes: "null"'),
    ],
)
def test_a_key_that_is_no_text_can_be_quoted(key: str, hint: str) -> None:
    (problem,) = of(f"a:\n  {key}: b\n").problems
    assert (problem.line, problem.column, problem.pointer) == (2, 3, "/a")
    assert (problem.message, problem.hint, problem.rule) == ("a key has to be text", hint, "key-not-text")


@pytest.mark.parametrize("text", ["[a]: b", "{a: b}: c", "? - a\n: b", "? {a: b}\n: c", "? [[\n"])
def test_a_collection_is_no_key(text: str) -> None:
    assert rules(text) == ["key-not-text"]


@pytest.mark.parametrize("key", ["no", "on", "y", "12:30", "2026-01-02"])
def test_a_key_that_yaml_1_1_would_change_is_text(key: str) -> None:
    assert of(f"{key}: 1").value == {key: 1}


@pytest.mark.parametrize(
    ("text", "place", "tag"),
    [
        ("a: !!str 1", (1, 4), "!!str"),
        ("a: !!python/object/apply:os.system [ls]", (1, 4), "!!python/object/apply:os.system"),
        ("a: !!binary aGk=", (1, 4), "!!binary"),
        ("- !include x", (1, 3), "!include"),
        ("a: ! b", (1, 4), "!"),
        ("a: !<tag:x,1:y> b", (1, 4), "tag:x,1:y"),
        ("!!map {a: b}", (1, 1), "!!map"),
        ("!!str a: b", (1, 1), "!!str"),
        ("a: !!set {b}", (1, 4), "!!set"),
    ],
)
def test_a_tag_is_refused_at_its_place(text: str, place: tuple[int, int], tag: str) -> None:
    assert told(text) == [(*place, f"the tag '{tag}' is not allowed")]


def test_a_merge_key_is_refused() -> None:
    text = "x-base: &base {a: 1}\nb:\n  <<: *base\n"
    assert told(text) == [(3, 3, "the merge key '<<' is not allowed")]
    assert of(text).problems[0].hint == "write the keys out in each place"


@pytest.mark.parametrize("text", ["'<<': a", '"<<": a', "a: <<", "- <<"])
def test_two_signs_that_merge_nothing_are_text(text: str) -> None:
    assert of(text).problems == ()


def test_a_second_document_is_refused_at_its_place() -> None:
    assert told("id: a\n---\nid: b\n") == [(2, 1, "a second document begins here")]
    assert rules("id: a\n...\n---\nid: b\n---\nid: c\n") == ["second-document"]


@pytest.mark.parametrize("text", ["a: .nan", "a: .inf", "a: -.INF", "a: 1e999", "a: 9007199254740993", "- .nan"])
def test_a_number_that_no_page_can_hold_is_refused(text: str) -> None:
    assert rules(text) == ["not-a-value"]


def test_a_quoted_number_is_text() -> None:
    assert of("a: '.nan'").value == {"a": ".nan"}


def test_bytes_that_are_not_utf8_are_told_at_their_place() -> None:
    assert told("title: é\nb: ".encode() + b"\xe9\n") == [(2, 4, "the text is not UTF-8")]


@pytest.mark.parametrize(
    "data", ["a: é".encode("latin-1"), "a: é".encode("utf-16"), b"\xff\xfea", b"a: \xed\xa0\x80", b"a: \xc0\xaf"]
)
def test_another_encoding_is_refused_with_the_way_out(data: bytes) -> None:
    (problem,) = of(data).problems
    assert (problem.rule, problem.hint) == ("not-utf-8", "save the file with the encoding UTF-8")


CONTROL = [*map(chr, [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)])]
BIDI = [*map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])]


@pytest.mark.parametrize("character", CONTROL, ids=ascii)
def test_a_raw_control_character_is_refused_at_its_place(character: str) -> None:
    shown = f"\\x{ord(character):02x}"
    assert told(f"a: b\nc: d{character}\n") == [(2, 5, f"the control character {shown} is not allowed")]


@pytest.mark.parametrize("character", BIDI, ids=ascii)
def test_a_raw_bidi_character_is_refused_at_its_place(character: str) -> None:
    shown = f"\\u{ord(character):04x}"
    assert told(f"a: b\n# {character}\n") == [(2, 3, f"the invisible character {shown} is not allowed")]


@pytest.mark.parametrize("character", ["\u2028", "\u2029"], ids=ascii)
def test_a_raw_line_separator_cannot_hide_a_key_in_a_comment(character: str) -> None:
    assert rules(f"a: 1 # note{character}b: 2\n") == ["forbidden-character"]


@pytest.mark.parametrize("character", ["\ufffe", "\uffff"], ids=ascii)
def test_a_raw_character_that_libyaml_gives_up_at_has_its_place(character: str) -> None:
    assert told(f"a: b\nc: {character}\n")[0][:2] == (2, 4)


def test_every_forbidden_character_of_a_text_is_told() -> None:
    assert [place[:2] for place in told("a: \x1b\nb: \x00 \u202e\n")] == [(1, 4), (2, 4), (2, 6)]


@pytest.mark.parametrize("text", ["a: 1\rb: 2\n", "a: 1\r", "a: 1\r\r\n"])
def test_a_lone_carriage_return_is_refused(text: str) -> None:
    assert told(text) == [(1, 5, r"the control character \r is not allowed")]


@pytest.mark.parametrize("character", [*CONTROL, "\r", *BIDI], ids=ascii)
def test_an_escape_is_no_way_around(character: str) -> None:
    (problem,) = of(f'id: b\na:\n  - "x\\u{ord(character):04x}y"\n').problems
    assert (problem.line, problem.column, problem.pointer) == (3, 5, "/a/0")
    assert problem.rule == "forbidden-character"


@pytest.mark.parametrize(
    "escape", [r"\0", r"\a", r"\b", r"\e", r"\f", r"\v", r"\r", r"\N", r"\x1b", r"\x85", r"\U0000202e"]
)
def test_a_short_escape_is_no_way_around(escape: str) -> None:
    assert rules(f'a: "{escape}"') == ["forbidden-character"]


@pytest.mark.parametrize("key", [r"\x1b", r"\0", r"\u202e"])
def test_an_escape_in_a_key_is_no_way_around(key: str) -> None:
    assert rules(f'"{key}": 1') == ["forbidden-character"]


@pytest.mark.parametrize("escape", [r"\ud800", r"\udfff", r"\U0000d800", r"\ud83d\ude00"])
def test_an_escaped_surrogate_is_refused(escape: str) -> None:
    assert rules(f'a: "{escape}"') == ["yaml-syntax"]


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("a:\n\tb: 1\n", (2, 1), "indent with spaces, not with tabs"),
        (
            "a: b: c\n",
            (1, 5),
            "text that holds a colon and a space needs quotes, and every key of a group the same indent",
        ),
        ("a: @b\n", (1, 4), "text that begins with @, `, % or a tab needs quotes"),
        ("a: `b\n", (1, 4), "text that begins with @, `, % or a tab needs quotes"),
        ("a: 'b\nc: d\n", (1, 4), "the quote that opens here is never closed"),
        ('a: 1\nb: "c\n', (2, 4), "the quote that opens here is never closed"),
        ("a: [1\nb: 2\n", (2, 2), "look at the indent and the quotes of this line and of the one before"),
        (
            "a: 1\n  b: 2\n",
            (2, 4),
            "text that holds a colon and a space needs quotes, and every key of a group the same indent",
        ),
    ],
)
def test_a_slip_of_the_pen_is_told_with_the_way_out(text: str, place: tuple[int, int], hint: str) -> None:
    (problem,) = of(text).problems
    assert (problem.line, problem.column) == place
    assert problem.message.startswith("this is not valid YAML: ")
    assert problem.hint == hint


def test_an_alias_without_its_anchor_is_told_at_its_place() -> None:
    assert told("a: 1\nb: *c\n") == [(2, 4, "there is no anchor &c")]


@pytest.mark.parametrize("text", ["a: &a [*a]", "&a {b: *a}", "&a [[{c: *a}]]", "&a - - *a"])
def test_an_alias_inside_itself_is_refused(text: str) -> None:
    assert rules(text)[-1:] == ["yaml-syntax"]
    assert of(text).value is None


def test_all_problems_of_a_text_are_told_in_reading_order() -> None:
    text = "1: a\nb: .nan\nb: !!str c\n<<: d\n---\n"
    assert rules(text) == ["key-not-text", "not-a-value", "duplicate-key", "tag", "merge-key", "second-document"]


def test_a_file_of_the_largest_size_is_read() -> None:
    assert of(b"a: " + b"b" * (MOST_BYTES - 3)).problems == ()


def test_a_byte_more_is_refused() -> None:
    assert told(b"a: " + b"b" * (MOST_BYTES - 2)) == [(1, 1, "the file is larger than 256 KiB")]


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}")])
def test_the_deepest_value_is_read_and_one_level_more_refused(opening: str, closing: str) -> None:
    assert of(opening * MOST_LEVELS + closing * MOST_LEVELS).problems == ()
    deeper = opening * (MOST_LEVELS + 1) + closing * (MOST_LEVELS + 1)
    assert told(deeper) == [(1, MOST_LEVELS * len(opening) + 1, "the values are nested more than 64 levels deep")]


def test_levels_behind_an_alias_count() -> None:
    half = MOST_LEVELS // 2
    fits = f"a: &a {'[' * half}{']' * half}\nb: {'[' * (half - 1)}*a{']' * (half - 1)}\n"
    over = f"a: &a {'[' * half}{']' * half}\nb: {'[' * half}*a{']' * half}\n"
    assert (rules(fits), rules(over)) == ([], ["too-deep"])


def test_as_many_values_as_allowed_are_read_and_one_more_refused() -> None:
    assert of("[" + "1," * (MOST_NODES - 1) + "]").problems == ()
    assert rules("[" + "1," * MOST_NODES + "]") == ["too-many-values"]


def test_values_behind_an_alias_count() -> None:
    hundred = "- &a [" + "1," * 99 + "]\n"
    times = (MOST_NODES - 1) // 100
    assert of(hundred + "- *a\n" * (times - 1)).problems == ()
    assert rules(hundred + "- *a\n" * times) == ["too-many-values"]


def test_long_text_behind_an_alias_counts_by_its_length() -> None:
    text = f"a: &a {'b' * 200_000}\nc: [{'*a, ' * 10_000}]\n"
    assert rules(text) == ["too-many-values"]


def laughs(levels: int) -> str:
    return "a0: &a0 [lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, levels))


@pytest.mark.parametrize(
    "data",
    [
        laughs(12).encode(),
        b"[" * MOST_BYTES,
        b"[1," * 80_000,
        b"- 1\n" * 60_000,
        b"\x01" * MOST_BYTES,
        b"\x01\n" * (MOST_BYTES // 2),
        b"x" * (64 * MOST_BYTES),
        b"&a [" + b"*a," * 60_000,
        b"a: &a " + b"b" * 200_000 + b"\nc: [" + b"*a, " * 10_000 + b"]",
    ],
    ids=["laughs", "brackets", "open lists", "items", "control", "control lines", "large", "itself", "long text"],
)
def test_what_is_over_a_limit_is_refused_quickly_and_with_flat_memory(data: bytes) -> None:
    tracemalloc.start()
    begun = time.process_time()
    document = of(data)
    spent = time.process_time() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert document.problems
    # Seconds of the processor, and not of the wall: some 0.3 with tracing.
    assert spent < 5
    assert peak < 24 * 1024 * 1024


@pytest.mark.parametrize("size", [25_000, 250_000])
@pytest.mark.parametrize("piece", ["[", "{a: ", "- ", "? ", "[{", "{? ", "&a [", "!!a [", "a: - ", "\n "])
def test_no_depth_kills_the_process(piece: str, size: int) -> None:
    program = textwrap.dedent("""
        import sys
        from bio_sync import yamltext
        document = yamltext.read(sys.stdin.buffer.read(), file="page.yaml")
        print(len(document.problems))
    """)
    text = piece * (size // len(piece)) + ("*" if piece == "\n " else "")
    ended = subprocess.run(
        [sys.executable, "-c", program], input=text.encode(), capture_output=True, timeout=60, check=False
    )
    assert ended.returncode != -signal.SIGSEGV
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert int(ended.stdout) >= 1
