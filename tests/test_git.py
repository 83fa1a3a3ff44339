"""What git is asked, over real repositories; `Repository` is the helper of the tests of `--base` too."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bio_sync import git
from bio_sync.errors import NoRevision
from bio_sync.git import Blob, Checkout, head_commit

GIT = shutil.which("git") or "git"
SOMEBODY = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "core.quotePath=false")
ELSEWHERE = "0123456789abcdef" * 2 + "01234567"


class Repository:
    """A real git repository; `commit` writes files (None removes one), commits all, and gives the commit's id."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "-b", "main")

    def git(self, *arguments: str) -> str:
        done = subprocess.run([GIT, *SOMEBODY, *arguments], cwd=self.root, capture_output=True, check=True)
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, name: str, content: str | bytes | None) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def commit(self, files: dict[str, str | bytes | None], message: str = "change") -> str:
        for name, content in files.items():
            self.write(name, content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def lose(self, revision: str) -> None:
        """Take an object out of the store, as a broken disk or a clone that was cut short does."""
        name = self.git("rev-parse", revision)
        (self.root / ".git" / "objects" / name[:2] / name[2:]).unlink()


def put_first(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a `git` of ours before all others."""
    folder.mkdir(exist_ok=True)
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("GIT_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two commits and a tag."""
    made = Repository(tmp_path / "repository")
    made.commit({"pages/a.yaml": "one", "pages/deep/b.yaml": b"\x00\n\xff", "other.txt": ""}, "first")
    made.git("tag", "-a", "v1", "-m", "a tag with a message")
    made.git("branch", "topic/one")
    made.commit({"pages/a.yaml": "two, and longer"}, "second")
    return made


def text_at(repository: Repository, revision: str) -> bytes:
    checkout = Checkout(repository.root)
    blobs = checkout.files(checkout.commit(revision), ["pages/a.yaml"])
    return checkout.contents([blobs["pages/a.yaml"]])[0]


@pytest.mark.parametrize(
    "name", ["v1", "topic/one", "refs/heads/topic/one", "HEAD~1", "main^", "HEAD^{/first}", "@~", "v1^0", "v1^{commit}"]
)
def test_a_commit_is_found_by_every_name_that_git_has_for_it(repository: Repository, name: str) -> None:
    first = repository.git("rev-parse", "HEAD~1")
    checkout = Checkout(repository.root)
    assert checkout.commit(name) == checkout.commit(first) == checkout.commit(first[:8]) == first


@pytest.mark.parametrize(
    "name",
    [
        *("nowhere", "HEAD~99", "origin/main", "0" * 40, "-h", "--help", "--all", "--git-dir", "--", "-"),
        *("HEAD..HEAD", "v1...main", "..", "^HEAD", "^v1", "HEAD^@", "HEAD^!", "HEAD^-", "HEAD^", "HEAD HEAD", " HEAD"),
        *(
            "HEAD:pages",
            "HEAD:pages/a.yaml",
            ":pages/a.yaml",
            ":0:pages/a.yaml",
            ":/nothing like it",
            "@{u}",
            "\n",
            "*",
        ),
        *("HEAD^{tree}", "HEAD^{blob}", "main@{99}", "\udcff", "é", "$(id)", "\x1b[31m", "a" * 3_000),
    ],
)
def test_what_is_no_commit_is_refused_in_words(repository: Repository, name: str) -> None:
    repository.git("checkout", "--quiet", "v1")
    with pytest.raises(NoRevision) as caught:
        Checkout(repository.root).commit(name)
    assert caught.value.hint
    assert (caught.value.message + caught.value.hint).isprintable()
    assert len(caught.value.message) < 300


def test_a_clone_without_history_says_how_to_get_it(repository: Repository, tmp_path: Path) -> None:
    repository.git("clone", "--quiet", "--depth", "1", repository.root.as_uri(), str(tmp_path / "shallow"))
    with pytest.raises(NoRevision, match="'HEAD~1' is not in this clone, which is a shallow one") as caught:
        Checkout(tmp_path / "shallow").commit("HEAD~1")
    assert "git fetch --unshallow" in caught.value.hint
    assert "fetch-depth: 0" in caught.value.hint


def test_files_are_listed_with_their_sizes_at_and_under_the_given_paths_only(repository: Repository) -> None:
    checkout = Checkout(repository.root)
    assert {path: blob.size for path, blob in checkout.files("HEAD~1", ["pages"]).items()} == {
        "pages/a.yaml": 3,
        "pages/deep/b.yaml": 3,
    }
    assert set(checkout.files("HEAD", ["pages/deep", "other.txt", "nowhere", "page"])) == {
        "pages/deep/b.yaml",
        "other.txt",
    }
    assert set(checkout.files("HEAD", ["."])) == {"pages/a.yaml", "pages/deep/b.yaml", "other.txt"}


@pytest.mark.parametrize("paths", [[], [".."], ["../elsewhere/pages", "../x.yaml"]])
def test_nothing_is_listed_outside_of_the_checkout(repository: Repository, paths: list[str]) -> None:
    assert Checkout(repository.root).files("HEAD", paths) == {}


def test_links_and_other_repositories_are_no_files(repository: Repository) -> None:
    (repository.root / "pages" / "link.yaml").symlink_to("a.yaml")
    repository.write("pages/run.yaml", "x").chmod(0o755)
    repository.git("add", "--all")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{ELSEWHERE},pages/module.yaml")
    repository.git("commit", "--quiet", "-m", "kinds")
    assert set(Checkout(repository.root).files("HEAD", ["pages"])) == {
        "pages/a.yaml",
        "pages/deep/b.yaml",
        "pages/run.yaml",
    }


@pytest.mark.parametrize(
    "name",
    [
        *(
            "ü ö.yaml",
            "👩🏽‍💻.yaml",
            "two\nlines.yaml",
            "tab\tbed.yaml",
            '"quoted".yaml',
            "-n.yaml",
            "--all",
            ":!x.yaml",
        ),
        *(":(glob)x", "*.yaml", "[a].yaml", "back\\slash.yaml", "\udcff\udcfe.yaml", "..yaml", "a -> b.yaml"),
    ],
)
def test_any_file_name_is_found_and_stands_for_itself_alone(repository: Repository, name: str) -> None:
    repository.commit({f"names/{name}": "this", name: "top", "x.yaml": "other", "names/a.yaml": "other"})
    checkout = Checkout(repository.root)
    for path, text in ((f"names/{name}", b"this"), (name, b"top")):
        found = checkout.files("HEAD", [path])
        assert set(found) == {path}
        assert checkout.contents(list(found.values())) == [text]


def test_contents_come_as_they_were_committed_and_in_the_order_asked_for(repository: Repository) -> None:
    texts = [b"", b"\n", b"\n\n", b"no line end", b"a\r\nb\r\n", bytes(range(256)) * 2_000, b"missing\n", b"a blob 3\n"]
    repository.commit({f"t/{number}": text for number, text in enumerate(texts)})
    checkout = Checkout(repository.root)
    blobs = checkout.files("HEAD", ["t"])
    asked = [blobs[f"t/{number}"] for number in range(len(texts))]
    assert checkout.contents(asked) == texts
    assert checkout.contents([*asked[::-1], asked[0], asked[0]]) == [*texts[::-1], b"", b""]
    assert [blob.size for blob in asked] == list(map(len, texts))


def test_no_filter_of_the_checkout_runs_over_contents(repository: Repository) -> None:
    repository.git("config", "core.autocrlf", "true")
    repository.git("config", "filter.shout.smudge", "tr a-z A-Z")
    repository.git("config", "diff.shout.textconv", "tr a-z A-Z <")
    repository.commit({".gitattributes": "*.yaml filter=shout diff=shout text eol=crlf\n", "pages/a.yaml": "a\nb\n"})
    assert text_at(repository, "HEAD") == b"a\nb\n"


def test_no_contents_need_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert Checkout(tmp_path).contents([]) == []


def test_a_lost_file_is_told_when_it_is_read(repository: Repository) -> None:
    checkout = Checkout(repository.root)
    blobs = list(checkout.files("HEAD", ["pages"]).values())
    repository.lose("HEAD:pages/a.yaml")
    with pytest.raises(NoRevision, match="does not hold all files of that commit"):
        checkout.contents(blobs)


def test_a_lost_file_is_told_when_it_is_listed(repository: Repository) -> None:
    repository.lose("HEAD:pages/a.yaml")
    with pytest.raises(NoRevision):
        Checkout(repository.root).files("HEAD", ["pages"])


def test_a_lost_folder_is_told(repository: Repository) -> None:
    repository.lose("HEAD:pages")
    with pytest.raises(NoRevision, match="git can't read this checkout"):
        Checkout(repository.root).files("HEAD", ["pages"])


def test_a_folder_that_git_knows_nothing_of_is_told_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(NoRevision, match="git can't read this checkout: fatal: not a git repository"):
        Checkout(tmp_path).commit("HEAD")


@pytest.mark.parametrize("ask", [lambda c: c.commit("HEAD"), lambda c: c.contents([Blob("0" * 40, 0)])])
def test_without_git_the_way_out_is_named(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Checkout], object]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoRevision, match="git is not installed"):
        ask(Checkout(repository.root))
    assert head_commit(repository.root, {}) is None


def test_a_git_that_hangs_is_given_up(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_first(tmp_path / "bin", "exec sleep 20", monkeypatch)
    monkeypatch.setattr(git, "SECONDS", 0.2)
    with pytest.raises(NoRevision, match=r"git took longer than 0\.2 seconds"):
        Checkout(repository.root).commit("HEAD")
    assert head_commit(repository.root, {}) is None


def test_a_git_that_can_t_be_run_is_told(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_first(tmp_path / "bin", "", monkeypatch)
    (tmp_path / "bin" / "git").write_text("#!/nowhere/at/all\n")
    with pytest.raises(NoRevision):
        Checkout(repository.root).commit("HEAD")


def test_what_git_says_can_t_act_on_the_terminal(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_first(tmp_path / "bin", r"printf '\033]0;owned\007 ##[error]\377\nmore\n' >&2; exit 128", monkeypatch)
    with pytest.raises(NoRevision) as caught:
        Checkout(repository.root).commit("HEAD")
    assert caught.value.message.isprintable()
    assert "##[" not in caught.value.message


def test_a_trace_that_somebody_asked_for_does_not_stand_in_for_the_reason(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TRACE", "1")
    with pytest.raises(NoRevision, match="there is no 'nowhere' in this repository"):
        Checkout(repository.root).commit("nowhere")


def test_git_never_asks_and_never_sees_the_key(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_first(tmp_path / "bin", f'env > "{tmp_path}/seen"; exec "{GIT}" "$@"', monkeypatch)
    monkeypatch.setenv("XQR_API_KEY", "xqr_pk_01234567.secret")
    monkeypatch.setenv("XQR_API_KEY_FILE", "/the/file/of/the/key")
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    Checkout(repository.root).commit("HEAD")
    seen = (tmp_path / "seen").read_text()
    assert "XQR_API_KEY" not in seen
    assert "GITHUB_TOKEN" not in seen
    assert {"GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C"} <= set(seen.splitlines())


@pytest.mark.parametrize("git_dir", [".git", "{root}/.git", "{elsewhere}/.git"])
def test_the_git_dir_of_a_hook_does_not_lead_astray(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git_dir: str
) -> None:
    other = Repository(tmp_path / "elsewhere")
    other.commit({"pages/a.yaml": "of another repository"})
    monkeypatch.setenv("GIT_DIR", git_dir.format(root=repository.root, elsewhere=other.root))
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert text_at(repository, "HEAD") == b"two, and longer"


def test_a_linked_worktree_is_a_checkout(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"), "v1")
    assert head_commit(tmp_path / "linked", {}) == repository.git("rev-parse", "v1^{commit}")


def event(sha: object) -> str:
    return json.dumps({"number": 7, "pull_request": {"head": {"sha": sha, "ref": "topic"}, "base": {"sha": "1" * 40}}})


def merged(repository: Repository) -> tuple[str, str]:
    """Merge a branch as GitHub does for a pull request; give the commits of the branch and of the merge."""
    repository.git("checkout", "--quiet", "-b", "pushed", "HEAD~1")
    repository.commit({"pages/topic.yaml": "id: bio_topic\n"})
    pushed = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "-m", "Merge", "pushed")
    return pushed, repository.git("rev-parse", "HEAD")


def test_on_a_pull_request_the_commit_is_the_one_that_was_pushed(repository: Repository, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    pushed, merge = merged(repository)
    shallow = tmp_path / "shallow"
    repository.git("clone", "--quiet", "--depth", "1", f"file://{repository.root}", str(shallow))
    for root in (repository.root, shallow):
        for sha, told in ((pushed, pushed), (merge, merge), (ELSEWHERE, merge), ("ab" * 32, merge)):
            path.write_text(event(sha))
            assert head_commit(root, {"GITHUB_EVENT_PATH": str(path)}) == told
    assert head_commit(None, {"GITHUB_EVENT_PATH": str(path)}) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '"pull_request"', "\xff", "[" * 100_000, '{"after": "' + ELSEWHERE + '"}'),
        *('{"pull_request": null}', '{"pull_request": {"head": []}}', '{"pull_request": {"head": {}}}', event(None)),
        *map(event, (7, "", "main", ELSEWHERE[:39], ELSEWHERE.upper(), f"{ELSEWHERE}\n", "g" * 40, f"-{'a' * 39}")),
        event("٣" * 40),
    ],
    ids=range(21),
)
def test_an_event_file_without_a_commit_leaves_what_is_checked_out(
    repository: Repository, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(text.encode("latin-1" if text == "\xff" else "utf-8"))
    assert head_commit(repository.root, {"GITHUB_EVENT_PATH": str(path)}) == repository.git("rev-parse", "HEAD")


def test_an_event_file_that_is_larger_than_githubs_is_not_read_to_its_end(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, (pushed, merge) = tmp_path / "event.json", merged(repository)
    path.write_text(event(pushed))
    for most, told in ((path.stat().st_size, pushed), (path.stat().st_size - 1, merge)):
        monkeypatch.setattr("bio_sync.event.MOST_EVENT_BYTES", most)
        assert head_commit(repository.root, {"GITHUB_EVENT_PATH": str(path)}) == told


@pytest.mark.parametrize("path", ["", "/nowhere/event.json", "/", "\0"])
def test_an_event_file_that_is_not_there_leaves_what_is_checked_out(repository: Repository, path: str) -> None:
    assert head_commit(repository.root, {"GITHUB_EVENT_PATH": path}) == repository.git("rev-parse", "HEAD")


def test_without_a_checkout_or_a_commit_there_is_no_head(tmp_path: Path) -> None:
    assert head_commit(None, {}) is None
    assert head_commit(tmp_path, {}) is None
    assert head_commit(Repository(tmp_path / "empty").root, {}) is None
