from datetime import UTC, datetime
from pathlib import Path

import pytest

from bio_sync.applying.guards import Limit
from bio_sync.config import read_config
from bio_sync.errors import InvalidFiles, NoPages
from bio_sync.problems import Problem
from tests.conftest import Run

PAGE = "id: bio_1\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def problems(explicit: str | None = None) -> tuple[Problem, ...]:
    with pytest.raises(InvalidFiles) as caught:
        read_config(explicit)
    return caught.value.problems


def test_without_a_file_the_pages_lie_in_pages(folder: Path) -> None:
    config = read_config(None)
    assert (config.folder, config.root, config.pages, config.ignore) == (folder, folder, ("pages",), ())


def test_the_file_here_is_read(folder: Path) -> None:
    write(folder / "bio-sync.yaml", "pages: [a, b.yaml]\nignore: [/page_data/x]\n")
    config = read_config(None)
    assert (config.pages, config.ignore) == (("a", "b.yaml"), ("/page_data/x",))


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n"])
def test_an_empty_file_says_what_goes_without_saying(folder: Path, text: str) -> None:
    write(folder / "bio-sync.yaml", text)
    assert read_config(None).pages == ("pages",)


def test_the_file_is_found_upwards_and_its_paths_begin_where_it_lies(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "bio-sync.yaml", "pages: [content]\n")
    write(folder / "content" / "a.yaml", PAGE)
    (folder / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(folder / "deep" / "er")
    config = read_config(None)
    assert config.folder == folder
    (found,) = config.page_files()
    assert (found.path.resolve(), found.name) == (folder / "content" / "a.yaml", "../../content/a.yaml")


def test_the_nearest_file_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "bio-sync.yaml", "pages: [far]\n")
    write(folder / "deep" / "bio-sync.yaml", "pages: [near]\n")
    monkeypatch.chdir(folder / "deep")
    assert read_config(None).pages == ("near",)


def test_a_file_above_the_git_root_is_not_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "bio-sync.yaml", "pages: [of-others]\n")
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "repo" / "deep")
    assert read_config(None).pages == ("pages",)


def test_outside_of_a_repository_only_the_folder_itself_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "bio-sync.yaml", "pages: [of-others]\n")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert read_config(None).pages == ("pages",)


def test_a_file_that_is_named_is_read_instead(folder: Path) -> None:
    write(folder / "bio-sync.yaml", "pages: [a]\n")
    write(folder / "other" / "settings.yaml", "pages: [b]\n")
    config = read_config("other/settings.yaml")
    assert (config.pages, config.folder, config.root) == (("b",), folder / "other", folder)


def test_a_named_file_that_is_not_there_is_an_error(folder: Path) -> None:
    write(folder / "bio-sync.yaml", "pages: [a]\n")
    with pytest.raises(NoPages) as caught:
        read_config("nowhere.yaml")
    assert caught.value.message == "nowhere.yaml: there is no such file"
    assert caught.value.hint == "check the path after --config"


def test_the_flag_names_the_file(folder: Path, run: Run) -> None:
    write(folder / "settings.yaml", "pages: [content]\n")
    write(folder / "content" / "a.yaml", PAGE)
    assert run("validate", "--config", "settings.yaml").out == "1 page file, no problems\n"


@pytest.mark.parametrize(
    "key",
    ["api_url", "key", "api_key", "API_KEY", "XQR_API_KEY", "url", "token", "base_url", "host", "secret", "endpoint"],
)
def test_an_address_or_a_key_is_refused_and_told_where_it_comes_from(folder: Path, key: str) -> None:
    write(folder / "bio-sync.yaml", f"pages: [pages]\n{key}: https://evil.example\n")
    (problem,) = problems()
    assert (problem.line, problem.column, problem.pointer, problem.rule) == (2, 1, f"/{key}", "unknown-key")
    assert problem.message == f"the key '{key}' is not known here"
    assert problem.hint == "the service's address and key come from the environment only: XQR_API_URL and XQR_API_KEY"


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("page: [a]", (1, 1), "the key 'page' is not known here", "did you mean 'pages'?"),
        ("colour: red", (1, 1), "the key 'colour' is not known here", "known here: ignore, pages, safety, schema"),
        ("max_changes: 3", (1, 1), "the key 'max_changes' is not known here", "it belongs under 'safety', indented"),
        ("x-note: a", (1, 1), "the key 'x-note' is not known here", "known here: ignore, pages, safety, schema"),
        ("safety: {max: 3}", (1, 10), "the key 'max' is not known here", "known here: max_changes, reserve"),
        ("safety: {reserves: 3}", (1, 10), "the key 'reserves' is not known here", "did you mean 'reserve'?"),
        ("pages: []", (1, 8), "'pages' is empty", "write something, or leave the line out"),
        (
            "pages: a",
            (1, 8),
            "'pages' has to be a list, and is text: 'a'",
            "begin each item on a line of its own with a dash and a space: `- …`",
        ),
        ("pages: [1]", (1, 9), "item 1 of 'pages' has to be text, and is a number", 'put it in quotes: "1"'),
        (
            "ignore: [a]",
            (1, 10),
            "'a' is not a JSON Pointer into a page",
            "a pointer begins with a field of the page, such as /page_data/experiments or /title",
        ),
        (
            "safety: {max_changes: many}",
            (1, 23),
            "'many' is no number of pages",
            "write a number such as 10, or a share such as 30%",
        ),
        (
            "safety: {max_changes: 101%}",
            (1, 23),
            "'101%' is no number of pages",
            "write a number such as 10, or a share such as 30%",
        ),
        (
            "safety: {max_changes: -1}",
            (1, 23),
            "'max_changes' is no number of pages",
            "write a number such as 10, or a share such as 30%",
        ),
        (
            'safety: {max_changes: "30%\\n"}',
            (1, 23),
            r"'30%\n' is no number of pages",
            "write a number such as 10, or a share such as 30%",
        ),
        ("safety: {reserve: -1}", (1, 19), "'reserve' is less than 0", "write 0 or more"),
        (
            "- pages",
            (1, 1),
            "the file has to be a mapping (lines of `key: value`)",
            "write lines such as `pages: [pages]`",
        ),
        (
            "pages",
            (1, 1),
            "the file has to be a mapping (lines of `key: value`)",
            "write lines such as `pages: [pages]`",
        ),
    ],
)
def test_each_slip_is_told_at_its_place_with_the_way_out(
    folder: Path, text: str, place: tuple[int, int], message: str, hint: str
) -> None:
    write(folder / "bio-sync.yaml", text)
    (problem,) = problems()
    assert (problem.file, problem.line, problem.column) == ("bio-sync.yaml", *place)
    assert (problem.message, problem.hint) == (message, hint)


@pytest.mark.parametrize(
    ("share", "read"),
    [
        ("10", "10"),
        ("0", "0"),
        ("10.0", "10"),
        ("-0.0", "0"),
        ("0x10", "16"),
        ("1e3", "1000"),
        ("1000000000000", "1000000000000"),
        ("30%", "30%"),
        ("30 %", "30 %"),
        ("0%", "0%"),
        ("00 %", "00 %"),
        ("100%", "100%"),
        ('"5%"', "5%"),
    ],
)
def test_a_guard_is_a_number_or_a_share(folder: Path, share: str, read: str) -> None:
    write(folder / "bio-sync.yaml", f"safety: {{max_changes: {share}, reserve: 100}}\n")
    config = read_config(None)
    assert (config.max_changes, config.reserve, config.house_rules) == (read, 100, None)
    assert Limit.read(read).percent == ("%" in share)


def test_without_a_guard_the_usual_one_holds_and_nothing_is_kept(folder: Path) -> None:
    for text in ("safety: {}\n", "pages: [a]\n"):
        write(folder / "bio-sync.yaml", text)
        assert (read_config(None).max_changes, read_config(None).reserve) == (None, 0)


@pytest.mark.parametrize("value", ["0", "7", "7.0", "1e2", "1e300", "9007199254740992"])
def test_a_reserve_is_a_whole_number_however_it_is_written(folder: Path, value: str) -> None:
    write(folder / "bio-sync.yaml", f"safety: {{reserve: {value}}}\n")
    reserve = read_config(None).reserve
    assert type(reserve) is int
    assert reserve == int(float(value))


@pytest.mark.parametrize("key", ["max_changes", "reserve"])
@pytest.mark.parametrize(
    "value", ["true", "~", "[1]", "{a: 1}", "10.5", "-1", "1e999", ".inf", ".nan", "1_0", '"10"', "30  %"]
)
def test_what_is_no_number_of_pages_or_calls_is_told_at_its_place(folder: Path, key: str, value: str) -> None:
    write(folder / "bio-sync.yaml", f"safety:\n  {key}: {value}\n")
    found = problems()
    assert {(problem.line, problem.pointer) for problem in found} == {(2, f"/safety/{key}")}


def test_several_problems_come_at_once_in_reading_order(folder: Path) -> None:
    write(folder / "bio-sync.yaml", "api_url: a\npages: b\nsafety: {reserve: -1}\nkey: c\n")
    assert [problem.line for problem in problems()] == [1, 2, 3, 4]


def test_yaml_that_cannot_be_read_is_told(folder: Path) -> None:
    write(folder / "bio-sync.yaml", "pages: [a\n")
    assert [problem.rule for problem in problems()] == ["yaml-syntax"]


def test_the_command_line_prints_the_problems_of_the_file(folder: Path, run: Run) -> None:
    write(folder / "bio-sync.yaml", "page: [a]\n")
    result = run("validate")
    assert result.code == 1
    assert result.out == "bio-sync.yaml:1:1: /page: the key 'page' is not known here\n  hint: did you mean 'pages'?\n"


def test_a_configuration_that_is_a_link_to_elsewhere_is_refused(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (folder / "bio-sync.yaml").symlink_to(write(tmp_path_factory.mktemp("outside") / "a.yaml", "pages: [a]\n"))
    assert [problem.message for problem in problems()] == ["this leads out of the repository"]


@pytest.mark.parametrize("entry", ["..", "../outside", "../outside/a.yaml", "{outside}"])
def test_pages_that_leave_the_repository_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, entry: str
) -> None:
    write(tmp_path / "outside" / "a.yaml", "id: bio_secret\n")
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    write(tmp_path / "repo" / "bio-sync.yaml", f"pages: ['{entry.format(outside=tmp_path / 'outside')}']\n")
    monkeypatch.chdir(tmp_path / "repo")
    result = run("validate")
    assert result.code == 1
    assert "this leads out of the repository\n  hint: put the file itself into the repository\n" in result.out
    assert "bio_secret" not in result.out + result.err


def test_pages_that_are_not_there_are_named(folder: Path, run: Run) -> None:
    write(folder / "bio-sync.yaml", "pages: [nowhere]\n")
    result = run("validate")
    assert (result.code, result.out) == (1, "")
    assert "there is no 'nowhere' here, which bio-sync.yaml names" in result.err


def test_pointers_of_the_configuration_count_for_every_page(folder: Path) -> None:
    from bio_sync.workflow import read_files  # noqa: PLC0415

    write(folder / "bio-sync.yaml", "ignore: [/page_data/a]\n")
    write(folder / "pages" / "a.yaml", "id: bio_1\nignore: [/page_data/b]\n")
    write(folder / "pages" / "b.yaml", "id: bio_2\n")
    pages = read_files((), read_config(None), at=datetime.now(UTC)).desired
    assert [page.ignore for page in pages] == [("/page_data/b", "/page_data/a"), ("/page_data/a",)]
