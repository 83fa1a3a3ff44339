from datetime import UTC, datetime
from pathlib import Path

import pytest

from bio_sync.files import find_pages
from bio_sync.pages import PageFiles, read_pages
from tests.conftest import Run


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def read(folder: Path, *texts: str) -> PageFiles:
    for number, text in enumerate(texts):
        write(folder / "pages" / f"{number}.yaml", text)
    return read_pages(find_pages([Path("pages")]), at=datetime.now(UTC))


def test_a_page_is_read_as_its_author_wrote_it(folder: Path) -> None:
    text = "id: bio_1\ntitle: A\ndescription: ''\npublished: false\npage_data: {theme: dark}\nignore: [/page_data/a]\n"
    (page,) = read(folder, text).desired
    assert (page.page_id, page.file, page.title, page.description) == ("bio_1", "pages/0.yaml", "A", "")
    assert (page.published, page.page_data, page.ignore) == (False, {"theme": "dark"}, ("/page_data/a",))


def test_what_the_file_leaves_out_is_not_managed(folder: Path) -> None:
    (page,) = read(folder, "id: bio_1\n").desired
    assert (page.title, page.description, page.page_data, page.published, page.ignore) == (None, None, None, None, ())


def test_page_data_that_is_present_and_empty_is_managed(folder: Path) -> None:
    (page,) = read(folder, "id: bio_1\npage_data: {}\n").desired
    assert page.page_data == {}


def test_nulls_and_keys_of_the_author_are_not_sent(folder: Path) -> None:
    text = (
        "id: bio_1\npage_data: {theme: null, x-a: 1, links: [{label: A, url: 'tel:1', x-b: 2, icon: null}], n: 1.0}\n"
    )
    (page,) = read(folder, text).desired
    assert page.page_data == {"links": [{"label": "A", "url": "tel:1"}], "n": 1}


def test_two_files_for_one_id_are_an_error_that_names_both(folder: Path) -> None:
    found = read(folder, "id: bio_1\n", "id: bio_2\n", "# the other\ntitle: A\nid: bio_1\n")
    (problem,) = found.problems
    assert (problem.file, problem.line, problem.column, problem.pointer) == ("pages/2.yaml", 3, 5, "/id")
    assert problem.message == "the id 'bio_1' is that of pages/0.yaml:1 too"
    assert problem.hint == "one page, one file: remove one of the two"
    assert problem.rule == "duplicate-id"


def test_a_third_file_for_one_id_names_the_first_too(folder: Path) -> None:
    messages = [problem.message for problem in read(folder, "id: a\n", "id: a\n", "id: a\n").problems]
    assert messages == ["the id 'a' is that of pages/0.yaml:1 too"] * 2


def test_a_link_to_another_page_file_is_a_second_file_for_its_id(folder: Path) -> None:
    write(folder / "pages" / "a.yaml", "id: bio_1\n")
    (folder / "pages" / "b.yaml").symlink_to("a.yaml")
    assert [problem.rule for problem in read(folder).problems] == ["duplicate-id"]


def test_an_id_is_claimed_by_a_file_with_problems_too(folder: Path) -> None:
    rules = [problem.rule for problem in read(folder, "id: a\ntitel: b\n", "id: a\n").problems]
    assert rules == ["unknown-key", "duplicate-id"]


def test_problems_of_every_file_come_at_once_in_the_order_of_files(folder: Path) -> None:
    found = read(folder, "id: a\nfoo: 1\nfoo: 2\n", "id: ok\n", "a: [\n", "", "title: x\n")
    assert [(problem.file, problem.rule) for problem in found.problems] == [
        ("pages/0.yaml", "unknown-key"),
        ("pages/0.yaml", "duplicate-key"),
        ("pages/2.yaml", "yaml-syntax"),
        ("pages/3.yaml", "wrong-type"),
        ("pages/4.yaml", "missing-key"),
    ]
    assert found.files == 5


def test_yaml_and_schema_speak_together_and_in_reading_order(folder: Path) -> None:
    found = read(folder, "titel: A\ntitel: B\npublished: .nan\n1: 2\n")
    assert [problem.line for problem in found.problems] == sorted(problem.line for problem in found.problems)
    assert {problem.rule for problem in found.problems} >= {
        "unknown-key",
        "duplicate-key",
        "not-a-value",
        "missing-key",
    }


def test_good_files_are_read_beside_bad_ones(folder: Path) -> None:
    assert [page.page_id for page in read(folder, "id: a\n", "id: [\n", "id: c\n").desired] == ["a", "c"]


@pytest.mark.parametrize(
    ("page_data", "place", "pointer"),
    [
        ("  links:\n    - label: A\n      url: http://acme.com\n", (5, 12), "/page_data/links/0/url"),
        ("  links:\n    - label: A\n      url: HTTP://acme.com\n", (5, 12), "/page_data/links/0/url"),
        ("  avatar_url: http://acme.com/a.png\n", (3, 15), "/page_data/avatar_url"),
    ],
)
def test_an_unencrypted_address_is_a_warning_and_no_problem(
    folder: Path, page_data: str, place: tuple[int, int], pointer: str
) -> None:
    found = read(folder, f"id: bio_1\npage_data:\n{page_data}")
    (warning,) = found.warnings
    assert (found.problems, len(found.desired)) == ((), 1)
    assert ((warning.line, warning.column), warning.pointer, warning.rule) == (place, pointer, "not-encrypted")
    assert warning.message.endswith("' is not encrypted")
    assert warning.hint == "use https:// where the site has it"


@pytest.mark.parametrize(
    "text",
    [
        "# see http://acme.com\nid: bio_1\n",
        "id: bio_1\ntitle: http://acme.com\n",
        "id: bio_1\npage_data: {note: 'http://acme.com', links: [{label: 'http://a', url: 'https://acme.com/?u=http://b'}]}\n",
    ],
)
def test_unencrypted_addresses_elsewhere_are_nobodys_business(folder: Path, text: str) -> None:
    assert read(folder, text).warnings == ()


def test_the_command_line_warns_on_standard_error_and_succeeds(folder: Path, run: Run) -> None:
    write(folder / "pages" / "a.yaml", "id: a\npage_data: {links: [{label: A, url: 'http://acme.com'}]}\n")
    result = run("validate")
    assert (result.code, result.out) == (0, "1 page file, no problems\n")
    assert result.err.startswith(
        "warning: pages/a.yaml:2:37: /page_data/links/0/url: 'http://acme.com' is not encrypted"
    )


def test_the_larger_part_of_a_huge_file_is_not_even_read(folder: Path) -> None:
    (folder / "pages").mkdir()
    with (folder / "pages" / "0.yaml").open("wb") as stream:
        stream.truncate(4 * 1024**3)
    (problem,) = read(folder).problems
    assert (problem.rule, problem.line, problem.column) == ("file-too-large", 1, 1)
