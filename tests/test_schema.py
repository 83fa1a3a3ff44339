import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_sync.complaints import _compiled
from bio_sync.jsonvalues import Json
from bio_sync.links import LINK_HINT
from bio_sync.problems import Problem
from bio_sync.schema import as_object, page_problems, plan_complaint
from bio_sync.yamltext import read

KNOWN = "known here: description, id, ignore, page_data, published, title; a note of your own begins with x-"
DASH = "begin each item on a line of its own with a dash and a space: `- …`"
COPY = "copy the address from the browser while it shows the site that you mean"
MAPPING = "a mapping (lines of `key: value`)"


def problems(text: str) -> list[Problem]:
    document = read(text.encode(), file="page.yaml")
    assert document.problems == ()
    return page_problems(document)


def under_page_data(text: str) -> str:
    return f"id: bio_1\npage_data: {{{text}}}\n"


@pytest.mark.parametrize(
    ("text", "place", "pointer", "message", "hint", "rule"),
    [
        ("", (1, 1), "", "the file is empty", "a page has at least an `id`", "wrong-type"),
        ("- id: a", (1, 1), "", f"the file has to be {MAPPING}", "write lines such as `id: bio_abc123`", "wrong-type"),
        (
            "just text",
            (1, 1),
            "",
            f"the file has to be {MAPPING}",
            "write lines such as `id: bio_abc123`",
            "wrong-type",
        ),
        (
            "# note\n\ntitle: A\n",
            (3, 1),
            "",
            "the page has no 'id'",
            "add `id: …` with the live page's id; or, for a new page: bio-sync create page.yaml",
            "missing-key",
        ),
        (
            "titel: A\nid: bio_1",
            (1, 1),
            "/titel",
            "the key 'titel' is not known here",
            "did you mean 'title'?",
            "unknown-key",
        ),
        (
            "Title: A\nid: bio_1",
            (1, 1),
            "/Title",
            "the key 'Title' is not known here",
            "did you mean 'title'?",
            "unknown-key",
        ),
        ("id: bio_1\nzzz: A", (2, 1), "/zzz", "the key 'zzz' is not known here", KNOWN, "unknown-key"),
        (
            "id: bio_1\nlinks: []",
            (2, 1),
            "/links",
            "the key 'links' is not known here",
            "it belongs under 'page_data', indented",
            "unknown-key",
        ),
        (
            "id: a/b",
            (1, 5),
            "/id",
            "'a/b' is not the id of a page",
            "copy the id from the service; it looks like bio_abc123",
            "wrong-form",
        ),
        ("id: 12", (1, 5), "/id", "'id' has to be text, and is a number", 'put it in quotes: id: "12"', "wrong-type"),
        (
            "id: ~",
            (1, 5),
            "/id",
            "'id' has no value",
            "write text, or leave the line out",
            "wrong-type",
        ),
        ("id: a\ntitle: ''", (2, 8), "/title", "'title' is empty", "write something, or leave the line out", "empty"),
        (
            "id: a\ntitle: true",
            (2, 8),
            "/title",
            "'title' has to be text, and is true or false",
            'put it in quotes: title: "true"',
            "wrong-type",
        ),
        ("id: a\ntitle: [b]", (2, 8), "/title", "'title' has to be text, and is a list", "", "wrong-type"),
        (
            "id: a\npublished: yes",
            (2, 12),
            "/published",
            "'published' has to be true or false, and is text: 'yes'",
            "write true or false, without quotes",
            "wrong-type",
        ),
        (
            "id: a\npublished: 1",
            (2, 12),
            "/published",
            "'published' has to be true or false, and is a number",
            "write true or false, without quotes",
            "wrong-type",
        ),
        (
            "id: a\npage_data: b",
            (2, 12),
            "/page_data",
            f"'page_data' has to be {MAPPING}, and is text: 'b'",
            "write lines of `key: value` under it, indented",
            "wrong-type",
        ),
        (
            "id: a\nignore: /page_data",
            (2, 9),
            "/ignore",
            "'ignore' has to be a list, and is text: '/page_data'",
            DASH,
            "wrong-type",
        ),
        (
            "id: a\nignore: [title]",
            (2, 10),
            "/ignore/0",
            "'title' is not a JSON Pointer into a page",
            "a pointer begins with a field of the page, such as /page_data/experiments or /title",
            "wrong-form",
        ),
        (
            under_page_data("theme: Dark"),
            (2, 20),
            "/page_data/theme",
            "'Dark' is not a theme that the service knows",
            "did you mean 'dark'?",
            "unknown-value",
        ),
        (
            under_page_data("theme: blue"),
            (2, 20),
            "/page_data/theme",
            "'blue' is not a theme that the service knows",
            "one of: light, dark",
            "unknown-value",
        ),
        (
            under_page_data("avatar_url: a.png"),
            (2, 25),
            "/page_data/avatar_url",
            "'a.png' is not the web address of a picture",
            "a picture's address begins with https://",
            "not-a-link",
        ),
        (
            under_page_data("avatar_url: 'https://a@b.example'"),
            (2, 25),
            "/page_data/avatar_url",
            "'https://a@b.example' holds a user name, which hides where it leads",
            COPY,
            "not-a-link",
        ),
        (
            under_page_data("links: {a: b}"),
            (2, 20),
            "/page_data/links",
            f"'links' has to be a list, and is {MAPPING}",
            DASH,
            "wrong-type",
        ),
        (
            under_page_data("links: [a]"),
            (2, 21),
            "/page_data/links/0",
            f"item 1 of 'links' has to be {MAPPING}, and is text: 'a'",
            "write lines of `key: value` under it, indented",
            "wrong-type",
        ),
        (
            under_page_data("links: [{label: A}]"),
            (2, 21),
            "/page_data/links/0",
            "the link has no 'url'",
            "add a line `url: …`",
            "missing-key",
        ),
        (
            under_page_data("links: [{url: 'tel:1'}]"),
            (2, 21),
            "/page_data/links/0",
            "the link has no 'label'",
            "add a line `label: …`",
            "missing-key",
        ),
        (
            under_page_data("links: [{label: '', url: 'tel:1'}]"),
            (2, 29),
            "/page_data/links/0/label",
            "'label' is empty",
            "write something, or leave the line out",
            "empty",
        ),
        (
            under_page_data("links: [{label: A, url: 'ftp://x'}]"),
            (2, 37),
            "/page_data/links/0/url",
            "'ftp://x' is not a web address",
            LINK_HINT,
            "not-a-link",
        ),
        (
            under_page_data("links: [{label: A, url: 5}]"),
            (2, 37),
            "/page_data/links/0/url",
            "'url' has to be text, and is a number",
            'put it in quotes: url: "5"',
            "wrong-type",
        ),
        (
            under_page_data("links: [{label: A, url: 'tel:'}]"),
            (2, 37),
            "/page_data/links/0/url",
            "'tel:' has no telephone number such as tel:+15550100",
            LINK_HINT,
            "not-a-link",
        ),
        (
            under_page_data("any: {deep: ['javascript:a()']}"),
            (2, 26),
            "/page_data/any/deep/0",
            "'javascript:a()' is what a browser would take for code",
            "if it is meant as text, put a word before it",
            "not-a-link",
        ),
    ],
)
def test_each_rule_has_its_words_its_way_out_and_its_place(
    text: str, place: tuple[int, int], pointer: str, message: str, hint: str, rule: str
) -> None:
    (problem,) = problems(text)
    assert (problem.message, problem.hint) == (message, hint)
    assert ((problem.line, problem.column), problem.pointer, problem.rule) == (place, pointer, rule)


@pytest.mark.parametrize("page_id", ["bio_abc123", "a", "A-_9", "x" * 64])
def test_an_id_that_fits_into_an_address_is_taken(page_id: str) -> None:
    assert problems(f'id: "{page_id}"') == []


@pytest.mark.parametrize(
    "page_id",
    ["", "a b", "a/b", "..", "a?b", "a#b", "a%2e", "é", "x" * 65, r"a\n", r"\na", "bio/../admin", "a.b", "a:b", "٣"],
)
def test_an_id_that_would_change_the_address_of_a_request_is_refused(page_id: str) -> None:
    assert [problem.rule for problem in problems(f'id: "{page_id}"')] == ["wrong-form"]


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("titel", "title"),
        ("tilte", "title"),
        ("TITLE", "title"),
        ("discription", "description"),
        ("publish", "published"),
        ("pagedata", "page_data"),
        ("page-data", "page_data"),
        ("ID", "id"),
        ("ignored", "ignore"),
    ],
)
def test_a_slip_in_a_key_is_guessed(key: str, meant: str) -> None:
    assert f"did you mean '{meant}'?" in [problem.hint for problem in problems(f"id: bio_1\n{key}: a\n")]


@pytest.mark.parametrize("key", ["font", "linkz", "Theme", "x-note", "_hidden", "é"])
def test_other_keys_of_page_data_pass(key: str) -> None:
    assert problems(under_page_data(f"{key}: anything")) == []


@pytest.mark.parametrize("text", ["x-owner: me", "x-: 1", "x-a: {b: [c]}", "x-code: 'javascript:alert(1)'"])
def test_keys_of_the_author_pass_at_the_top(text: str) -> None:
    assert problems(f"id: bio_1\n{text}\n") == []


def test_keys_of_the_author_pass_inside_page_data_whatever_they_hold() -> None:
    assert problems(under_page_data("x-code: 'javascript:alert(1)'")) == []


@pytest.mark.parametrize("text", ["X-owner: me", "x_owner: me", "xowner: me"])
def test_keys_that_only_look_like_the_authors_do_not(text: str) -> None:
    assert [problem.rule for problem in problems(f"id: bio_1\n{text}\n")] == ["unknown-key"]


@pytest.mark.parametrize("key", ["theme", "avatar_url", "links", "anything"])
def test_null_in_page_data_means_left_out(key: str) -> None:
    assert problems(under_page_data(f"{key}: null")) == []


def test_null_in_a_link_means_left_out_too() -> None:
    (problem,) = problems(under_page_data("links: [{label: A, url: null, icon: null}]"))
    assert problem.message == "the link has no 'url'"


@pytest.mark.parametrize("key", ["title", "description", "published", "page_data", "ignore"])
def test_null_at_the_top_is_no_value(key: str) -> None:
    assert [problem.message for problem in problems(f"id: bio_1\n{key}:\n")] == [f"'{key}' has no value"]


def test_several_problems_come_at_once_in_reading_order() -> None:
    text = "title: ''\nid: a/b\nfoo: 1\npage_data:\n  theme: red\n  links:\n    - url: x\npublished: no\n"
    found = problems(text)
    assert [(problem.line, problem.rule) for problem in found] == [
        (1, "empty"),
        (2, "wrong-form"),
        (3, "unknown-key"),
        (5, "unknown-value"),
        (7, "missing-key"),
        (7, "not-a-link"),
        (8, "wrong-type"),
    ]


def test_a_script_in_a_link_is_told_once_as_what_it_is() -> None:
    (problem,) = problems(under_page_data("links: [{label: A, url: 'javascript:a()'}]"))
    assert problem.message == "'javascript:a()' is what a browser would take for code"


def test_what_is_shown_of_a_long_value_is_short_and_inert() -> None:
    (problem,) = problems('id: "' + "\\u200b::" * 500 + '"')
    assert len(problem.message) < 500
    assert problem.message.isprintable()


def test_thousands_of_problems_take_no_time() -> None:
    text = "id: bio_1\n" + "".join(f"key{n}: {n}\n" for n in range(9_000))
    begun = time.process_time()
    assert len(problems(text)) == 9_000
    assert time.process_time() - begun < 5


def test_a_pointer_as_long_as_a_file_is_judged_at_once() -> None:
    begun = time.process_time()
    assert len(problems("id: a\nignore: ['" + "/a" * 100_000 + "~']\n")) == 1
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [("^a$", "a", True), ("^a$", "a\n", False), (r"^\$$", "$", True), (r"^\$$", "$\n", False), ("[$]", "$\n", True),
     ("^(a$|b)", "a\n", False), (r"[\]$]", "$", True)],
)  # fmt: skip
def test_a_pattern_ends_where_json_schema_says(pattern: str, text: str, matches: bool) -> None:
    assert bool(_compiled(pattern).search(text)) is matches


JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["https://a.b"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(["id", "title", "page_data", "links", "url", "theme"]),
                st.text(max_size=3),
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_value_has_problems_with_words_and_without_control_characters(value: Json) -> None:
    from bio_sync.yamltext import Document  # noqa: PLC0415

    found = page_problems(Document("page.yaml", "", value, ()))
    assert found == sorted(found)
    assert all(problem.message and problem.rule for problem in found)
    assert all((problem.message + problem.hint).isprintable() for problem in found)
    assert found or isinstance(value, dict)


@pytest.mark.parametrize("value", [None, [], {}, 1, {"format_version": "2.0"}])
def test_what_is_no_plan_is_said_in_a_few_words(value: Json) -> None:
    complaint = plan_complaint(value)
    assert complaint
    assert len(complaint) < 250


def test_only_a_mapping_is_given_on_as_one() -> None:
    with pytest.raises(TypeError):
        as_object([])


def test_a_misspelt_label_is_asked_about() -> None:
    (problem,) = problems(under_page_data("links: [{lable: A, url: 'https://a.example'}]"))
    assert problem.message == "the link has no 'label'"
    assert problem.hint == "did you mean 'label' where it says 'lable'?"


@pytest.mark.parametrize("address", ["www.acme.com", "acme.com/shop?x=1"])
def test_a_host_without_its_scheme_is_given_one(address: str) -> None:
    (problem,) = problems(under_page_data(f"links: [{{label: A, url: '{address}'}}]"))
    assert problem.hint == f"write https://{address}"
