import os
import socket
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bio_sync import workflow
from bio_sync.config import read_config
from bio_sync.errors import NoPages
from bio_sync.files import FoundFile, LeavesRepository, Reader, find_pages, names_page, read_bytes, repository_root
from tests.conftest import Run

PAGE = "id: bio_1\n"


def write(path: Path, text: str = PAGE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def names(*paths: str, root: Path | None = None) -> list[str]:
    return [file.name for file in find_pages([Path(path) for path in paths], root=root)]


def refused(path: Path, root: Path) -> str:
    with pytest.raises(LeavesRepository) as caught:
        read_bytes(FoundFile(path, str(path), root), most=100)
    return str(caught.value)


def test_a_folder_is_searched_through_in_the_order_of_names(folder: Path) -> None:
    for name in ("b.yaml", "a.yml", "sub/c.yaml", "sub/deep/d.yaml", "z.yaml", "B.yaml"):
        write(folder / "pages" / name)
    assert names("pages") == [
        "pages/B.yaml",
        "pages/a.yml",
        "pages/b.yaml",
        "pages/sub/c.yaml",
        "pages/sub/deep/d.yaml",
        "pages/z.yaml",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "_draft.yaml",
        ".hidden.yaml",
        "_drafts/a.yaml",
        ".github/a.yaml",
        "a.json",
        "a.yaml.bak",
        "yaml",
        "a.YAML",
        "sub/bio-sync.yaml",
    ],
)
def test_what_is_no_page_file_is_skipped_in_a_search(folder: Path, name: str) -> None:
    write(folder / "pages" / name)
    assert names("pages") == []


@pytest.mark.parametrize("name", ["_draft.yaml", ".hidden.yaml", "page.txt"])
def test_a_file_that_is_named_is_taken_whatever_its_name(folder: Path, name: str) -> None:
    write(folder / name)
    assert names(name) == [name]


def test_a_folder_that_is_named_is_searched_whatever_its_name(folder: Path) -> None:
    write(folder / "_drafts" / "a.yaml")
    assert names("_drafts") == ["_drafts/a.yaml"]


def test_a_file_that_is_named_twice_is_found_once(folder: Path) -> None:
    write(folder / "pages" / "a.yaml")
    assert names("pages", "pages/a.yaml", "./pages/../pages/a.yaml", str(folder / "pages")) == ["pages/a.yaml"]


def test_a_folder_whose_name_ends_like_a_page_is_searched(folder: Path) -> None:
    write(folder / "pages" / "x.yaml" / "a.yaml")
    assert names("pages") == ["pages/x.yaml/a.yaml"]


def test_names_are_those_from_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "pages" / "a.yaml")
    monkeypatch.chdir(folder / "pages")
    assert names(".") == ["a.yaml"]
    assert names(str(folder / "pages")) == ["a.yaml"]


def test_what_lies_elsewhere_keeps_the_name_it_was_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "pages" / "a.yaml")
    (folder / "other").mkdir()
    monkeypatch.chdir(folder / "other")
    assert names("../pages") == ["../pages/a.yaml"]


def test_a_path_that_is_not_there_is_named(folder: Path) -> None:
    write(folder / "a.yaml")
    with pytest.raises(NoPages) as caught:
        find_pages([folder / "a.yaml", Path("nowhere")])
    assert caught.value.message == "nowhere: there is no such file or folder"


def test_an_empty_folder_has_no_pages(folder: Path) -> None:
    (folder / "pages").mkdir()
    assert names("pages") == []


def test_a_link_to_a_file_inside_the_repository_is_followed(folder: Path) -> None:
    write(folder / "shared" / "real.yaml")
    (folder / "pages").mkdir()
    (folder / "pages" / "link.yaml").symlink_to("../shared/real.yaml")
    (file,) = find_pages([Path("pages")])
    assert file.name == "pages/link.yaml"
    assert read_bytes(file, most=100) == PAGE.encode()


def test_a_folder_that_becomes_a_link_while_its_files_are_read_leads_nowhere_else(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    for place, text in ((folder / "pages", "mine"), (outside, "a secret")):
        place.mkdir()
        for name in ("a.yaml", "b.yaml"):
            (place / name).write_text(text)
    files = find_pages([Path("pages")])
    descriptor = os.dup(0)
    os.close(descriptor)
    with Reader() as reader:
        assert reader.read(files[0], most=100) == b"mine"
        (folder / "pages").rename(folder / "moved")
        (folder / "pages").symlink_to(outside)
        assert reader.read(files[1], most=100) == b"mine"
    # The lowest that is free is the one that was free before.
    again = os.dup(0)
    assert again == descriptor
    os.close(again)
    with pytest.raises(LeavesRepository):
        read_bytes(files[1], most=100)


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(folder / "a.yaml", "x" * 50)
    status = os.fstat

    def before_it_grew(descriptor: int) -> os.stat_result:
        fields = list(status(descriptor))
        fields[stat.ST_SIZE] = 20
        return os.stat_result(fields)

    monkeypatch.setattr(os, "fstat", before_it_grew)
    assert read_bytes(FoundFile(path, "a.yaml", folder), most=100) == b"x" * 50
    assert read_bytes(FoundFile(path, "a.yaml", folder), most=30) == b"x" * 31


def test_all_page_files_by_the_name_of_a_link_to_their_folder_are_all_page_files(folder: Path) -> None:
    write(folder / "pages" / "a.yaml")
    (folder / "link").symlink_to("pages")
    assert workflow.read_files(["link"], read_config(None), at=datetime.now(UTC)).whole


def test_behind_a_link_two_dots_lead_where_the_system_says(folder: Path) -> None:
    for place in ("pages", "other/inner"):
        (folder / place).mkdir(parents=True)
    for name in ("pages/a.yaml", "other/a.yaml"):
        (folder / name).write_text(PAGE)
    (folder / "pages" / "_link").symlink_to("../other/inner")
    files = workflow.read_files(["pages/_link/../a.yaml"], read_config(None), at=datetime.now(UTC))
    assert not files.whole
    assert workflow.read_files(["pages/a.yaml"], read_config(None), at=datetime.now(UTC)).whole


def test_a_link_to_a_folder_inside_the_repository_is_followed(folder: Path) -> None:
    write(folder / "shared" / "a.yaml")
    (folder / "pages").mkdir()
    (folder / "pages" / "link").symlink_to("../shared")
    assert names("pages") == ["pages/link/a.yaml"]


def test_a_folder_is_searched_under_its_own_name_and_not_under_a_links(folder: Path) -> None:
    write(folder / "pages" / "real" / "a.yaml")
    (folder / "pages" / "alias").symlink_to("real")
    assert names("pages") == ["pages/real/a.yaml"]


@pytest.mark.parametrize("target", [".", "..", "../..", "sub", "/"])
def test_a_link_to_a_folder_above_ends(folder: Path, target: str) -> None:
    write(folder / "pages" / "sub" / "a.yaml")
    (folder / "pages" / "sub" / "up").symlink_to(target if target != "sub" else "../sub")
    assert names("pages") == ["pages/sub/a.yaml"]


def test_links_in_a_circle_end(folder: Path) -> None:
    rooms = [f"room{n}" for n in range(12)]
    for room in rooms:
        write(folder / "pages" / room / "a.yaml")
        for other in rooms:
            (folder / "pages" / room / f"to-{other}").symlink_to(f"../{other}")
    assert names("pages") == sorted(f"pages/{room}/a.yaml" for room in rooms)


@pytest.fixture
def thousand_folders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for _ in range(1_200):
        Path("d").mkdir()
        os.chdir("d")
    write(Path("a.yaml"))
    monkeypatch.chdir(folder)
    deepest = "/".join("d" * 1_200)
    yield deepest
    (folder / deepest / "a.yaml").unlink()
    os.removedirs(deepest)  # pytest's own clearing up is recursive, and fails at such depth


def test_a_thousand_folders_inside_each_other_are_searched(thousand_folders: str) -> None:
    assert names("d") == [f"{thousand_folders}/a.yaml"]


def test_a_link_to_a_file_outside_is_found_and_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = write(tmp_path_factory.mktemp("outside") / "secret.yaml")
    (folder / "pages").mkdir()
    (folder / "pages" / "a.yaml").symlink_to(outside)
    (file,) = find_pages([Path("pages")])
    assert refused(file.path, file.root) == "this leads out of the repository"


def test_a_link_to_a_folder_outside_is_not_searched_and_refused(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    write(outside / "secret.yaml")
    (folder / "pages").mkdir()
    (folder / "pages" / "out").symlink_to(outside)
    (file,) = find_pages([Path("pages")])
    assert file.name == "pages/out"
    assert refused(file.path, file.root) == "this leads out of the repository"


def test_a_named_folder_that_leads_outside_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (folder / "pages").symlink_to(tmp_path_factory.mktemp("outside"))
    (file,) = find_pages([Path("pages")])
    assert refused(file.path, file.root) == "this leads out of the repository"


def test_a_chain_of_links_is_judged_by_its_end(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = write(tmp_path_factory.mktemp("outside") / "secret.yaml")
    (folder / "one.yaml").symlink_to("two.yaml")
    (folder / "two.yaml").symlink_to(outside)
    assert refused(folder / "one.yaml", folder) == "this leads out of the repository"


def test_a_folder_whose_name_begins_alike_is_outside(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.mktemp("twins")
    (base / "repo").mkdir()
    write(base / "repo-of-others" / "a.yaml")
    (base / "repo" / "a.yaml").symlink_to("../repo-of-others/a.yaml")
    assert folder != base
    assert refused(base / "repo" / "a.yaml", base / "repo") == "this leads out of the repository"


def test_a_pipe_is_refused_without_waiting_for_a_writer(folder: Path) -> None:
    os.mkfifo(folder / "a.yaml")
    assert refused(folder / "a.yaml", folder) == "this is not an ordinary file"


def test_a_device_is_refused() -> None:
    assert refused(Path("/dev/zero"), Path("/dev")) == "this is not an ordinary file"


def test_a_folder_is_no_ordinary_file(folder: Path) -> None:
    (folder / "pages").mkdir()
    (folder / "a.yaml").symlink_to("pages")
    assert refused(folder / "a.yaml", folder) == "this is not an ordinary file"


def test_a_socket_cannot_be_read(folder: Path, run: Run) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a.yaml")
        result = run("validate", "a.yaml")
    assert (folder / "a.yaml").is_socket()
    assert (result.code, result.out) == (1, "a.yaml:1:1: the file can't be read: No such device or address\n")


def test_no_more_than_asked_for_is_read(folder: Path) -> None:
    write(folder / "a.yaml", "x" * 5_000)
    assert read_bytes(FoundFile(folder / "a.yaml", "a.yaml", folder), most=10) == b"x" * 11


@pytest.mark.parametrize(
    ("target", "words"),
    [("a.yaml", "Too many levels of symbolic links"), ("nowhere.yaml", "No such file or directory")],
)
def test_a_link_that_leads_nowhere_is_a_problem_of_that_file(folder: Path, run: Run, target: str, words: str) -> None:
    write(folder / "pages" / "b.yaml")
    (folder / "pages" / "a.yaml").symlink_to(target)
    result = run("validate", "pages")
    assert (result.code, result.out) == (1, f"pages/a.yaml:1:1: the file can't be read: {words}\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_a_problem_of_that_file(folder: Path, run: Run) -> None:
    write(folder / "a.yaml").chmod(0)
    assert run("validate", "a.yaml").out == "a.yaml:1:1: the file can't be read: Permission denied\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_may_not_be_read_is_told(folder: Path) -> None:
    write(folder / "pages" / "sub" / "a.yaml")
    (folder / "pages" / "sub").chmod(0)
    with pytest.raises(NoPages, match="Permission denied"):
        find_pages([Path("pages")])
    (folder / "pages" / "sub").chmod(0o700)


@pytest.mark.parametrize(("words", "shown"), [("\x1b[31m", r"\x1b[31m"), ("", "unknown")])
def test_whatever_a_file_system_says_of_a_folder_acts_on_nothing(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, words: str, shown: str
) -> None:
    (folder / "pages").mkdir()

    def broken(_: object) -> Iterator[os.DirEntry[str]]:
        raise OSError(5, words)

    monkeypatch.setattr(os, "scandir", broken)
    assert run("validate", "pages").err == f"error: pages: {shown}\nhint: check who may read the folder\n"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("::error::x.yaml", "./::error::x.yaml"),
        ("##[error]x.yaml", r"./\x23#[error]x.yaml"),
        ("a\n::error::x.yaml", r"a\n::error::x.yaml"),
        ("\n::error::x.yaml", r"./\n::error::x.yaml"),
        ("a\x1b[31mb.yaml", r"a\x1b[31mb.yaml"),
        ("a\u202eb.yaml", r"a\u202eb.yaml"),
        ("a\udcffb.yaml", r"a\udcffb.yaml"),
        (" a.yaml", "./ a.yaml"),
        ("-a.yaml", "-a.yaml"),
        ("é👋.yaml", "é👋.yaml"),
    ],
)
def test_a_hostile_file_name_acts_on_nothing(folder: Path, run: Run, name: str, shown: str) -> None:
    write(folder / "pages" / name, "title: A\n")
    (folder / "pages" / name).rename(folder / name)
    result = run("validate", ".")
    assert (result.code, result.out.splitlines()[0]) == (1, f"{shown}:1:1: the page has no 'id'")


@pytest.mark.parametrize("name", ["nowhere\n::error::x", "nowhere\x1b[31m"])
def test_a_hostile_name_that_is_not_there_acts_on_nothing(folder: Path, run: Run, name: str) -> None:
    assert list(folder.iterdir()) == [folder / ".git"]
    result = run("validate", name)
    assert result.code == 1
    assert result.err.startswith("error: nowhere\\")
    assert len(result.err.splitlines()) == 2


def test_the_root_of_a_repository_is_the_nearest_folder_with_git(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "inner" / ".git").mkdir(parents=True)
    (tmp_path / "inner" / "deep").mkdir()
    assert repository_root(tmp_path / "inner" / "deep") == tmp_path / "inner"
    assert repository_root(tmp_path / "other" / "deep") == tmp_path


def test_a_worktree_whose_git_is_a_file_is_a_repository(tmp_path: Path) -> None:
    write(tmp_path / ".git", "gitdir: elsewhere\n")
    assert repository_root(tmp_path) == tmp_path


def test_outside_of_a_repository_there_is_no_root() -> None:
    assert repository_root(Path("/")) is None


@pytest.mark.parametrize(
    ("entry", "path", "named"),
    [
        *(("pages", "pages/a.yaml", True), ("pages", "pages/team/b.yml", True), (".", "a.yaml", True)),
        *(("pages/a.yaml", "pages/a.yaml", True), ("notes.txt", "notes.txt", True), ("pages", "a.yaml", False)),
        *(("pages", "pages-old/a.yaml", False), ("pages/a.yaml", "pages/a.yaml.yaml", False)),
        *(("pages", "pages/_drafts/a.yaml", False), (".", ".github/a.yaml", False), ("pages", "pages/a.txt", False)),
        *(("pages", "pages/bio-sync.yaml", False), ("../pages", "pages/a.yaml", False)),
    ],
)
def test_of_a_path_alone_it_is_known_whether_an_entry_names_it(entry: str, path: str, named: bool) -> None:
    assert names_page(entry, path) == named
