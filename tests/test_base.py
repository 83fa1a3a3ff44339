"""`plan --base`: real git repositories, a real service on loopback, and the command line."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bio_sync.sandbox import Sandbox
from tests.conftest import Run
from tests.test_git import GIT, Repository, no_settings_of_the_developer, put_first

__all__ = ["no_settings_of_the_developer"]

Start = Callable[..., Sandbox]
JSON = ("plan", "--format", "json")
LINKS = [{"label": name, "url": f"https://{name}.example", "badge": 1} for name in ("a", "b", "c", "d", "e")]
DATA: dict[str, Any] = {"theme": "light", "links": LINKS}


def page(page_id: str = "bio_1", **more: Any) -> str:
    """Write a page file; JSON is YAML too."""
    return json.dumps({"id": page_id, "title": "Was", **more}) + "\n"


def live(page_id: str = "bio_1", **more: Any) -> dict[str, Any]:
    return {"id": page_id, "title": "Was", "description": "", "page_data": {}, **more}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An empty repository, which is also the working directory."""
    made = Repository(tmp_path / "repo")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def plan(run: Run) -> Callable[..., dict[str, Any]]:
    """Run `plan --format json --base …` and give what it prints."""

    def call(*arguments: str) -> dict[str, Any]:
        base = () if arguments[0].startswith("--base") else ("--base",)
        result = run(*JSON, *base, *arguments)
        assert result.code == 0, result.err
        made: dict[str, Any] = json.loads(result.out)
        return made

    return call


Planned = Callable[..., dict[str, Any]]


def origins(plan: dict[str, Any]) -> dict[str, str]:
    """Give the origins by page and path."""
    return {
        f"{change['page_id']}{operation['path']}": operation["origin"]
        for change in plan["changes"]
        for operation in change["operations"]
    }


def all_change(pages: int) -> str:
    """Give the warning of a plan that changes all of so many pages."""
    return f"apply needs --force for this: {pages} of {pages} pages would change, and the limit is 30 %"


def offline(plan: Planned, *arguments: str) -> list[str]:
    """Give the warnings of an offline plan, which are those of any plan with this base."""
    warnings: list[str] = plan(*arguments, "--offline")["warnings"]
    return warnings


def test_each_operation_has_the_origin_that_the_files_and_the_live_page_show(
    repo: Repository, start_sandbox: Start, plan: Planned
) -> None:
    base: dict[str, Any] = {
        "description": "D",
        "published": False,
        "page_data": {**DATA, "a": {"b": 1, "c": 1, "d": 1}},
    }
    repo.commit({"pages/p.yaml": page(**base)})
    now = {"theme": "dark", "links": [*LINKS[:4], {**LINKS[4], "label": "E"}], "a": {"b": 2, "c": 1, "d": 2}}
    repo.commit({"pages/p.yaml": page(title="Mine", description="D", published=True, page_data=now)})
    seen = {"theme": "dark", "links": LINKS[1:], "a": {"b": 3, "c": 3, "d": 2}, "lab": True}
    start_sandbox([live(title="Theirs", description="Theirs", is_published=False, page_data=seen)])
    made = plan("HEAD~1")
    assert origins(made) == {
        "bio_1/title": "conflict",
        "bio_1/description": "drift",
        "bio_1/page_data/links/0": "drift",
        "bio_1/page_data/links/4/label": "yours",
        "bio_1/page_data/a/b": "conflict",
        "bio_1/page_data/a/c": "drift",
        "bio_1/page_data/lab": "drift",
        "bio_1/published": "yours",
    }
    assert made["git"] == {
        "commit": repo.git("rev-parse", "HEAD"),
        "base": {"revision": "HEAD~1", "commit": repo.git("rev-parse", "HEAD~1")},
    }


DRIFTED = "error: 1 value changed on live pages, and not in git\nhint: "


@pytest.mark.parametrize(
    ("was", "shown", "code", "words"),
    [
        ("Was", "Was", 2, ""),
        ("Now", "Now", 0, ""),
        ("Was", "Now", 0, ""),
        ("Now", "Was", 1, DRIFTED),
        ("Was", "Theirs", 1, DRIFTED),
    ],
    ids=["yours", "nothing", "applied", "drift", "conflict"],
)
def test_fail_on_drift_fails_for_drift_and_conflicts_only(
    repo: Repository, start_sandbox: Start, run: Run, was: str, shown: str, code: int, words: str
) -> None:
    repo.commit({"pages/p.yaml": page(title=was)})
    repo.commit({"pages/p.yaml": page(title="Now", description="")})
    start_sandbox([live(title=shown)])
    result = run(*JSON, "--base", "HEAD~1", "--fail-on-drift", "--detailed-exitcode")
    assert result.code == code
    assert result.err.startswith(words) if words else not result.err
    assert json.loads(result.out)["summary"]["pages"] == 1
    assert run(*JSON, "--base", "HEAD~1").code == 0


def test_fail_on_drift_counts_every_value_and_names_pages_that_are_gone_too(
    repo: Repository, start_sandbox: Start, run: Run
) -> None:
    repo.commit({"pages/p.yaml": page(page_data=DATA), "pages/q.yaml": page("bio_2")})
    start_sandbox([live(title="Theirs", page_data={**DATA, "theme": "dark"})])
    result = run("plan", "--base", "HEAD", "--fail-on-drift")
    assert result.code == 1
    assert "1 page file without a page in this workspace" in result.err
    assert "error: 2 values changed on live pages" in result.err


@pytest.mark.parametrize(
    ("before", "after", "expected", "words"),
    [
        ({"z": page("bio_9")}, {"p": page(title="Now")}, "yours", ["pages/p.yaml was not there at HEAD~1: all its"]),
        ({"o": page()}, {"o": None, "p": page()}, "drift", ["pages/p.yaml was pages/o.yaml at HEAD~1"]),
        ({"p": page("bio_9")}, {"p": page()}, "yours", ["pages/p.yaml was the file of page bio_9 at HEAD~1"]),
        ({"p": page(), "q": page("bio_9")}, {"q": None}, "drift", ["page bio_9 has no file any more, and had pages/q"]),
        ({"_p": page()}, {"_p": None, "p": page()}, "yours", ["pages/p.yaml was not there"]),
    ],
    ids=["new", "renamed", "re-pointed", "removed", "draft"],
)
def test_a_file_that_was_not_what_it_is_gets_a_sentence(
    repo: Repository,
    start_sandbox: Start,
    plan: Planned,
    before: dict[str, str],
    after: dict[str, str | None],
    expected: str,
    words: list[str],
) -> None:
    repo.commit({"pages/z.yaml": page("bio_9"), **{f"pages/{name}.yaml": text for name, text in before.items()}})
    repo.git("rm", "--quiet", "--cached", "-f", "pages/z.yaml")
    if "z" not in before:
        (repo.root / "pages/z.yaml").unlink()
        repo.git("commit", "--quiet", "--amend", "-m", "base")
    repo.commit({f"pages/{name}.yaml": text for name, text in after.items()})
    start_sandbox([live(title="Theirs"), live("bio_9")])
    made = plan("HEAD~1")
    assert origins(made) == {"bio_1/title": expected}
    assert [found for found in words if any(warning.startswith(found) for warning in made["warnings"])] == words
    assert len(made["warnings"]) == len(words)
    assert offline(plan, "HEAD~1") == made["warnings"]


def test_a_page_whose_file_is_gone_is_told_only_when_all_files_are_planned(
    repo: Repository, start_sandbox: Start, plan: Planned
) -> None:
    repo.commit({"pages/p.yaml": page(), "pages/q.yaml": page("bio_9"), "pages/r.yaml": page("bio_3")})
    repo.commit({"pages/q.yaml": None, "pages/r.yaml": None, "pages/s.yaml": page("bio_3")})
    start_sandbox([live(title="Theirs"), live("bio_9"), live("bio_3", title="Theirs")])
    sentence = "page bio_9 has no file any more, and had pages/q.yaml at HEAD~1: it stays as it is live"
    renamed = "pages/s.yaml was pages/r.yaml at HEAD~1"
    assert plan("HEAD~1")["warnings"] == plan("HEAD~1", "pages")["warnings"] == [renamed, sentence]
    assert not plan("HEAD~1", "pages/p.yaml")["warnings"]
    assert plan("HEAD~1", "pages/s.yaml")["warnings"] == [renamed]
    assert offline(plan, "HEAD~1") == [renamed, sentence]
    assert not offline(plan, "HEAD~1", "pages/p.yaml")


@pytest.mark.parametrize("title", ["Live", "Now"], ids=["unchanged", "changed"])
def test_only_a_file_that_is_gone_is_told_to_be_gone(
    repo: Repository, start_sandbox: Start, plan: Planned, title: str
) -> None:
    repo.commit({"pages/p.yaml": page("bio_9"), "pages/q.yaml": page("bio_2")})
    repo.commit({"pages/p.yaml": page("bio_1", title=title)})
    start_sandbox([live("bio_1", title="Live"), live("bio_2"), live("bio_9")])
    made = plan("HEAD~1")
    assert not any("has no file any more" in warning for warning in made["warnings"])
    assert [stranger["page_id"] for stranger in made["unmanaged"]] == ["bio_9"]


@pytest.mark.parametrize("settings", ["", "pages: [pages/a.yaml, pages/b.yaml]\n"])
def test_two_files_that_swapped_their_names_keep_their_pages(
    repo: Repository, start_sandbox: Start, plan: Planned, settings: str
) -> None:
    repo.write("bio-sync.yaml", settings)
    repo.commit({"pages/a.yaml": page("bio_1", title="One"), "pages/b.yaml": page("bio_2", title="Two")})
    repo.commit({"pages/a.yaml": page("bio_2", title="Two"), "pages/b.yaml": page("bio_1", title="Uno")})
    start_sandbox([live("bio_1", title="One"), live("bio_2", title="Theirs")])
    made = plan("HEAD~1")
    assert origins(made) == {"bio_1/title": "yours", "bio_2/title": "drift"}
    assert made["warnings"] == ["pages/a.yaml was pages/b.yaml at HEAD~1", "pages/b.yaml was pages/a.yaml at HEAD~1"]
    assert origins(plan("HEAD~1", "pages/a.yaml")) == {"bio_2/title": "drift"}


def test_a_file_s_own_page_counts_more_than_another_file_s_claim_to_it(
    repo: Repository, start_sandbox: Start, plan: Planned
) -> None:
    copy = page("bio_1", title="A copy")
    repo.commit({"pages/0.yaml": copy, "pages/a.yaml": copy, "pages/b.yaml": page("bio_1"), "pages/z.yaml": copy})
    repo.commit({"pages/0.yaml": None, "pages/z.yaml": None, "pages/a.yaml": page("bio_3")})
    start_sandbox([live("bio_1", title="Theirs"), live("bio_3", title="Theirs")])
    assert origins(plan("HEAD~1", "pages/b.yaml")) == {"bio_1/title": "drift"}
    assert origins(plan("HEAD~1")) == {"bio_1/title": "drift", "bio_3/title": "yours"}


UNREADABLE: list[str | bytes] = [
    "id: bio_0\ntitle: [\n",
    "id: bio_1\n- title\n",
    "",
    "- id: bio_3\n",
    "title: Was\n",
    "id: 5\n",
    b"id: bio_6\ntitle: \xff\n",
    b"\x00\x01\x02",
    page("bio_8") + "#" * 256 * 1024,
    "id: bio_9\ntitle: " + "[" * 30_000,
]


def test_files_that_could_not_be_read_then_count_as_new(repo: Repository, start_sandbox: Start, plan: Planned) -> None:
    repo.commit({f"pages/p{n}.yaml": text for n, text in enumerate(UNREADABLE)})
    repo.commit({f"pages/p{n}.yaml": page(f"bio_{n}", title="Now") for n in range(len(UNREADABLE))})
    start_sandbox([live(f"bio_{n}") for n in range(len(UNREADABLE))])
    made = plan("HEAD~1")
    assert origins(made) == {f"bio_{n}/title": "yours" for n in range(len(UNREADABLE))}
    assert made["warnings"] == [
        *(
            f"pages/p{n}.yaml could not be read as a page file at HEAD~1: all its changes count as yours"
            for n in range(len(UNREADABLE))
        ),
        all_change(len(UNREADABLE)),
    ]


FLAWS: list[dict[str, Any]] = [
    {"title": 7},
    {"title": ""},
    {"titel": "?"},
    {"description": []},
    {"published": "yes"},
    {"ignore": "/title"},
    {"ignore": [1, None, "", "nonsense", "/page_data/~2"]},
    {"page_data": {**DATA, "links": "none"}},
    {"page_data": {**DATA, "links": [{"url": "javascript:alert(1)"}, None, 7]}},
]


def test_files_that_broke_the_rules_then_are_believed_where_they_kept_them(
    repo: Repository, start_sandbox: Start, plan: Planned
) -> None:
    repo.commit({f"pages/p{n}.yaml": page(f"bio_{n}", **{"page_data": DATA, **flaw}) for n, flaw in enumerate(FLAWS)})
    repo.commit({f"pages/p{n}.yaml": page(f"bio_{n}", page_data=DATA) for n in range(len(FLAWS))})
    start_sandbox([live(f"bio_{n}", page_data={**DATA, "theme": "dark"}) for n in range(len(FLAWS))])
    made = plan("HEAD~1")
    assert origins(made) == {f"bio_{n}/page_data/theme": "drift" for n in range(len(FLAWS))}
    assert made["warnings"] == [all_change(len(FLAWS))]


def test_a_page_that_was_a_link_to_a_file_then_counts_as_new(
    repo: Repository, start_sandbox: Start, plan: Planned
) -> None:
    (repo.root / "pages").mkdir()
    (repo.root / "pages/p.yaml").symlink_to("../elsewhere.yaml")
    repo.commit({"elsewhere.yaml": page()})
    (repo.root / "pages/p.yaml").unlink()
    repo.commit({"pages/p.yaml": page(title="Now")})
    start_sandbox([live()])
    assert plan("HEAD~1")["warnings"] == ["pages/p.yaml was not there at HEAD~1: all its changes count as yours"]


NO_COMMITS = (
    "nowhere",
    "-h",
    "--all",
    "HEAD..HEAD",
    "..",
    "HEAD:pages/p.yaml",
    ":pages/p.yaml",
    "HEAD^@",
)


@pytest.mark.parametrize("names", [NO_COMMITS, ("HEAD^{tree}",), ("^HEAD",)], ids=["none", "a tree", "all but one"])
def test_a_revision_that_is_none_is_refused_before_anything_is_asked(
    repo: Repository, start_sandbox: Start, run: Run, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    repo.commit({"pages/p.yaml": page(title="Now")})
    sandbox = start_sandbox([live()])
    monkeypatch.delenv("XQR_API_KEY")
    for name in names:
        for more in ((), ("--offline",)):
            result = run("plan", f"--base={name}", *more)
            assert (result.code, result.out) == (1, "")
            first, second = result.err.splitlines()
            assert first == f"error: there is no '{name}' in this repository"
            assert second.startswith("hint: name a commit, a tag or a branch")
    assert not sandbox.requests


def test_the_failure_is_json_for_those_who_asked_for_json(repo: Repository, run: Run) -> None:
    repo.commit({"pages/p.yaml": page()})
    result = run(*JSON, "--base", "nowhere")
    assert result.code == 1
    assert json.loads(result.out)["error"]["reason"] == "invalid"


def test_any_name_of_a_commit_will_do(repo: Repository, start_sandbox: Start, plan: Planned) -> None:
    repo.commit({"pages/p.yaml": page()}, "first")
    repo.git("tag", "-a", "v1", "-m", "one")
    repo.git("branch", "topic/x")
    repo.git("update-ref", "refs/heads/-odd", "HEAD")
    repo.commit({"pages/p.yaml": page(title="Now")}, "second")
    start_sandbox([live()])
    commit = repo.git("rev-parse", "HEAD~1")
    for name in ("v1", "topic/x", "refs/tags/v1", "HEAD~1", "HEAD^{/first}", "v1^{}", "-odd", commit, commit[:7]):
        made = plan(f"--base={name}")
        assert origins(made) == {"bio_1/title": "yours"}
        assert made["git"]["base"] == {"revision": name, "commit": commit}


def test_a_shallow_clone_says_how_to_get_the_history(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    repo.commit({"pages/p.yaml": page()})
    repo.commit({"pages/p.yaml": page(title="Now")})
    repo.git("clone", "--quiet", "--depth", "1", repo.root.as_uri(), str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    result = run("plan", "--base", "HEAD~1")
    assert result.code == 1
    assert result.err.startswith(
        "error: 'HEAD~1' is not in this clone, which is a shallow one\nhint: fetch its history"
    )
    assert run("plan", "--base", "HEAD", "--offline").code == 0


def test_without_git_plan_works_and_base_says_what_is_missing(
    repo: Repository, start_sandbox: Start, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit({"pages/p.yaml": page(title="Now")})
    start_sandbox([live()])
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("plan", "--base", "HEAD")
    assert (result.code, result.err.splitlines()) == (
        1,
        [
            "error: git is not installed, and what was committed is asked of it",
            "hint: install git, or do without what needs it, such as --base",
        ],
    )
    assert json.loads(run(*JSON).out)["git"] == {"commit": None, "base": None}


@pytest.mark.parametrize(
    ("paths", "where"),
    [
        (["../alone/p.yaml"], "in no git checkout"),
        (["../alone"], "in no git checkout"),
        (["pages", "../other/pages"], "in different git checkouts"),
        (["pages/p.yaml", "../alone/p.yaml"], "in different git checkouts"),
    ],
)
def test_files_that_no_one_checkout_holds_are_refused(
    repo: Repository, tmp_path: Path, run: Run, paths: list[str], where: str
) -> None:
    repo.commit({"pages/p.yaml": page()})
    Repository(tmp_path / "other").commit({"pages/p.yaml": page("bio_2")})
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone/p.yaml").write_text(page("bio_3"))
    result = run("plan", *paths, "--base", "HEAD")
    assert result.code == 1
    assert result.err.startswith(f"error: the page files lie {where}, and --base reads them")


def test_files_of_another_checkout_are_compared_with_its_commits(
    repo: Repository, tmp_path: Path, start_sandbox: Start, plan: Planned
) -> None:
    repo.commit({"pages/p.yaml": page("bio_9")})
    other = Repository(tmp_path / "other")
    other.commit({"pages/p.yaml": page()})
    other.commit({"pages/p.yaml": page(title="Now")})
    start_sandbox([live()])
    assert origins(plan("HEAD~1", "../other/pages")) == {"bio_1/title": "yours"}


@pytest.mark.parametrize(
    ("settings", "here", "paths"),
    [
        (None, "site", []),
        ({"site/bio-sync.yaml": "pages: [pages]\n"}, "site/pages", []),
        ({"bio-sync.yaml": "pages: [nothing, site/pages]\n"}, "site", []),
        ({"bio-sync.yaml": "pages: [site/pages/p.yaml, nothing]\n"}, "nothing", []),
        ({"bio-sync.yaml": "pages: [.]\n"}, ".", []),
        ({"bio-sync.yaml": "pages: [./site/../site/]\n"}, "site/pages", []),
        ({"ci/bio-sync.yaml": "pages: [../site]\n"}, "ci", []),
    ],
)
def test_wherever_the_folder_and_the_working_directory_are(
    repo: Repository,
    start_sandbox: Start,
    plan: Planned,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str] | None,
    here: str,
    paths: list[str],
) -> None:
    repo.commit({"nothing/.keep": "", "site/pages/old.yaml": page(), **(settings or {})})
    repo.commit({"site/pages/old.yaml": None, "site/pages/p.yaml": page(description="Mine")})
    start_sandbox([live(title="Theirs")])
    monkeypatch.chdir(repo.root / here)
    expected = {"bio_1/title": "drift", "bio_1/description": "yours"}
    if settings and "site/pages/p.yaml" in settings.get("bio-sync.yaml", ""):
        expected = dict.fromkeys(expected, "yours")
    assert origins(plan("HEAD~1", *paths)) == expected


def test_a_rename_together_with_the_folder_that_the_settings_name_is_followed(
    repo: Repository, start_sandbox: Start, plan: Planned
) -> None:
    repo.commit({"sites/p.yaml": page(), "bio-sync.yaml": "pages: [sites]\n"})
    repo.git("mv", "sites", "pages")
    repo.commit({"bio-sync.yaml": "pages: [pages]\n"})
    start_sandbox([live(title="Theirs")])
    made = plan("HEAD~1")
    assert origins(made) == {"bio_1/title": "drift"}
    assert made["warnings"] == ["pages/p.yaml was sites/p.yaml at HEAD~1"]


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ("[]", "[]", {"title": "drift", "page_data/links/0": "conflict"}),
        (
            "['/page_data/links/*/badge']",
            "['/page_data/links/*/badge']",
            {"title": "drift", "page_data/links/0": "yours"},
        ),
        ("['/page_data/links/*/badge']", "[]", {"title": "drift", "page_data/links/0": "yours"}),
        ("[]", "[/title]", {"page_data/links/0": "conflict"}),
        ("[/title]", "[]", {"title": "yours", "page_data/links/0": "conflict"}),
        ("[7, {", "[]", {"title": "drift", "page_data/links/0": "conflict"}),
    ],
)
def test_what_was_ignored_then_was_live_as_it_is_now(
    repo: Repository, start_sandbox: Start, plan: Planned, then: str, now: str, expected: dict[str, str]
) -> None:
    repo.commit({"pages/p.yaml": page(page_data=DATA), "bio-sync.yaml": f"ignore: {then}\n"})
    repo.commit({"pages/p.yaml": page(page_data={**DATA, "links": LINKS[1:]}), "bio-sync.yaml": f"ignore: {now}\n"})
    shown = [{**LINKS[0], "badge": 2}, *LINKS[1:]]
    start_sandbox([live(title="Theirs", page_data={**DATA, "links": shown})])
    assert origins(plan("HEAD~1")) == {f"bio_1/{path}": origin for path, origin in expected.items()}


def test_settings_under_another_name_count_as_they_were_then_too(
    repo: Repository, start_sandbox: Start, plan: Planned
) -> None:
    repo.commit({"pages/p.yaml": page(page_data=DATA), "site.yaml": "ignore: ['/page_data/links/*/badge']\n"})
    repo.commit({"pages/p.yaml": page(page_data={**DATA, "links": LINKS[1:]})})
    start_sandbox([live(page_data={**DATA, "links": [{**LINKS[0], "badge": 2}, *LINKS[1:]]})])
    assert origins(plan("HEAD~1", "--config", "site.yaml")) == {"bio_1/page_data/links/0": "yours"}


def test_a_renamed_file_of_a_folder_that_only_the_command_line_names_is_found_by_its_id(
    repo: Repository, start_sandbox: Start, plan: Planned
) -> None:
    repo.commit({"other/old.yaml": page(), "other/gone.yaml": page("bio_9")})
    repo.commit({"other/old.yaml": None, "other/gone.yaml": None, "other/p.yaml": page()})
    start_sandbox([live(title="Theirs"), live("bio_9")])
    made = plan("HEAD~1", "other")
    assert origins(made) == {"bio_1/title": "drift"}
    assert "other/p.yaml was other/old.yaml at HEAD~1" in made["warnings"]


@pytest.mark.parametrize("at_base", ["folder", "link"])
def test_a_page_folder_may_be_a_link_inside_the_repository(
    repo: Repository, start_sandbox: Start, plan: Planned, at_base: str
) -> None:
    (repo.root / "pages").symlink_to("sites/acme", target_is_directory=True)
    if at_base == "link":
        repo.commit({"sites/acme/p.yaml": page()})
    else:
        (repo.root / "pages").unlink()
        repo.commit({"sites/acme/p.yaml": page()})
        (repo.root / "pages").symlink_to("sites/acme", target_is_directory=True)
    repo.commit({"sites/acme/p.yaml": page(description="Mine")})
    start_sandbox([live(title="Theirs")])
    made = plan("HEAD~1")
    assert origins(made) == {"bio_1/title": "drift", "bio_1/description": "yours"}
    assert not made["warnings"]


def test_a_page_file_may_be_a_link_inside_the_repository(repo: Repository, start_sandbox: Start, plan: Planned) -> None:
    (repo.root / "pages").mkdir()
    (repo.root / "pages/p.yaml").symlink_to("../_shared/p.yaml")
    repo.commit({"_shared/p.yaml": page()})
    start_sandbox([live(title="Theirs")])
    assert origins(plan("HEAD")) == {"bio_1/title": "drift"}


NAMES = (
    *(
        "with space",
        "äöü",
        "👩🏽‍💻",
        "two\nlines",
        "-x",
        "--all",
        ":x",
        ":!x",
        ":(glob)*",
        "*",
        "a -> b",
        '"q"',
        "$(id)",
    ),
    *("::add-mask::x", "##[error]x", "\u202eevil", "@someone"),
)


def test_files_may_have_any_name(repo: Repository, start_sandbox: Start, plan: Planned) -> None:
    repo.commit({f"pages/{name}.yaml": page(f"bio_{n}") for n, name in enumerate(NAMES)})
    start_sandbox([live(f"bio_{n}", title="Theirs") for n in range(len(NAMES))])
    expected = {f"bio_{n}/title": "drift" for n in range(len(NAMES))}
    made = plan("HEAD")
    assert origins(made) == expected
    assert made["warnings"] == [all_change(len(NAMES))]
    for n, name in enumerate(NAMES):
        (repo.root / f"pages/{name}.yaml").rename(repo.root / f"pages/p{n:02}.yaml")
    moved = plan("HEAD")
    assert origins(moved) == expected
    *renamed, last = moved["warnings"]
    assert last == all_change(len(NAMES))
    for n, (name, warning) in enumerate(zip(NAMES, renamed, strict=True)):
        assert warning.startswith(f"pages/p{n:02}.yaml was pages/")
        assert warning.replace("\u200d", "").isprintable()
        assert "##[" not in warning
        assert not name.isascii() or not name.isprintable() or "#" in name or f"pages/{name}.yaml at HEAD" in warning


def test_files_at_the_top_with_names_like_options_are_files(
    repo: Repository, start_sandbox: Start, plan: Planned
) -> None:
    repo.commit({"-x.yaml": page(), ":y.yaml": page("bio_2")})
    start_sandbox([live(title="Theirs"), live("bio_2", title="Theirs")])
    assert origins(plan("HEAD", "--", "-x.yaml", ":y.yaml")) == {"bio_1/title": "drift", "bio_2/title": "drift"}


def test_the_file_now_is_the_one_in_the_folder_committed_or_not(
    repo: Repository, start_sandbox: Start, plan: Planned
) -> None:
    repo.commit({"pages/p.yaml": page()})
    start_sandbox([live(), live("bio_2")])
    repo.write("pages/p.yaml", page(title="Not committed"))
    assert origins(plan("HEAD")) == {"bio_1/title": "yours"}
    repo.write("pages/q.yaml", page("bio_2", title="Not even added"))
    made = plan("HEAD")
    assert origins(made) == {"bio_1/title": "yours", "bio_2/title": "yours"}
    assert made["warnings"] == ["pages/q.yaml was not there at HEAD: all its changes count as yours"]


def test_line_ends_that_git_converts_are_no_change(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_sandbox: Start, plan: Planned
) -> None:
    text = "id: bio_1\ntitle: Was\ndescription: |\n  two\n  lines\n"
    repo.commit({"pages/p.yaml": text})
    repo.git("-c", "core.autocrlf=true", "clone", "--quiet", str(repo.root), str(tmp_path / "crlf"))
    monkeypatch.chdir(tmp_path / "crlf")
    assert b"\r\n" in Path("pages/p.yaml").read_bytes()
    start_sandbox([live(title="Theirs", description="theirs")])
    assert origins(plan("HEAD")) == {"bio_1/title": "drift", "bio_1/description": "drift"}


@pytest.mark.parametrize("git_dir", [".git", "{repo}/.git", "{other}/.git"])
def test_the_environment_of_a_hook_does_not_lead_astray(
    repo: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    start_sandbox: Start,
    plan: Planned,
    git_dir: str,
) -> None:
    other = Repository(tmp_path / "other")
    other.commit({"pages/p.yaml": page(title="Of another repository")})
    repo.commit({"site/pages/p.yaml": page()})
    monkeypatch.chdir(repo.root / "site")
    start_sandbox([live(title="Theirs")])
    monkeypatch.setenv("GIT_DIR", git_dir.format(repo=repo.root, other=other.root))
    monkeypatch.setenv("GIT_PREFIX", "site/")
    monkeypatch.setenv("GIT_INDEX_FILE", f"{repo.root}/.git/index")
    made = plan("HEAD")
    assert origins(made) == {"bio_1/title": "drift"}
    monkeypatch.delenv("GIT_DIR")
    assert made["git"]["commit"] == repo.git("rev-parse", "HEAD")


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[int, str]]:
    """Give how often git ran since it was last asked, and all environments and arguments it was given."""
    seen = tmp_path / "seen"
    put_first(tmp_path / "bin", f'{{ echo "RUN $*"; env; }} >> "{seen}"; exec "{GIT}" "$@"', monkeypatch)

    def since() -> tuple[int, str]:
        text = seen.read_text(errors="replace") if seen.exists() else ""
        seen.unlink(missing_ok=True)
        return text.count("RUN "), text

    return since


def test_the_key_is_never_in_the_environment_of_git(
    repo: Repository, start_sandbox: Start, plan: Planned, watched: Callable[[], tuple[int, str]]
) -> None:
    repo.commit({"pages/p.yaml": page()})
    repo.commit({"pages/p.yaml": None, "pages/q.yaml": page(title="Now")})
    sandbox = start_sandbox([live()])
    plan("HEAD~1")
    runs, seen = watched()
    assert runs
    assert sandbox.key not in seen
    assert "XQR_API_KEY" not in seen


def test_two_hundred_files_take_as_few_processes_as_two(
    repo: Repository, start_sandbox: Start, plan: Planned, run: Run, watched: Callable[[], tuple[int, str]]
) -> None:
    def files(title: str, folder: str) -> dict[str, str | bytes | None]:
        return {f"{folder}/p{n:03}.yaml": page(f"bio_{n}", title=title) for n in range(200)}

    repo.commit(files("Was", "pages/old"))
    repo.git("rm", "-r", "--quiet", "pages/old")
    repo.commit(files("Now", "pages/new"))
    sandbox = start_sandbox([live(f"bio_{n}") for n in range(200)])
    made = plan("HEAD~1")
    runs, _ = watched()
    assert runs <= 8
    assert set(origins(made).values()) == {"yours"}
    assert len(made["warnings"]) == 201
    assert made["warnings"][200] == all_change(200)
    assert len(sandbox.calls) == 1
    run(*JSON)
    assert len(sandbox.calls) == 2
    offline(plan, "HEAD~1")
    assert len(sandbox.calls) == 2


@pytest.mark.parametrize("count", [1, 3])
def test_a_base_costs_no_call(repo: Repository, start_sandbox: Start, plan: Planned, run: Run, count: int) -> None:
    repo.commit({f"pages/p{n}.yaml": page(f"bio_{n}") for n in range(count)})
    repo.commit({f"pages/p{n}.yaml": page(f"bio_{n}", title="Now") for n in range(count)})
    sandbox = start_sandbox([live(f"bio_{n}") for n in range(count)])
    without = json.loads(run(*JSON).out)
    asked = len(sandbox.requests)
    made = plan("HEAD~1")
    assert len(sandbox.requests) == 2 * asked == 2
    assert made["api"] == {**without["api"], "quota_remaining": made["api"]["quota_remaining"]}
    assert made["digest"] == without["digest"]
    assert [{k: v for k, v in change.items() if k != "operations"} for change in made["changes"]] == [
        {k: v for k, v in change.items() if k != "operations"} for change in without["changes"]
    ]
    assert all("origin" not in step for change in without["changes"] for step in change["operations"])


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, and an address that nobody answers at."""
    monkeypatch.setenv("XQR_API_URL", "https://127.0.0.1:1/api/v1")


@pytest.mark.parametrize("output_format", ["text", "json", "markdown", "html", "gitlab"])
def test_offline_needs_no_key_and_no_service_in_any_form(
    repo: Repository, run: Run, unreachable: None, output_format: str
) -> None:
    repo.commit({"pages/p.yaml": page(page_data=DATA)})
    repo.commit({"pages/p.yaml": page(page_data={**DATA, "theme": "dark"}, published=True, description="D")})
    result = run("plan", "--base", "HEAD~1", "--offline", "--format", output_format)
    assert result.code == 0, result.err
    assert not result.err
    assert ("dark" in result.out) == (output_format != "gitlab")
    assert "None" not in result.out
    if output_format not in {"json", "gitlab"}:
        assert "offline" in result.out
        assert "views" not in result.out


def test_offline_shows_what_the_branch_changes_and_counts_all_of_it_as_its_own(
    repo: Repository, plan: Planned, unreachable: None
) -> None:
    repo.commit({"pages/p.yaml": page(page_data=DATA, published=True), "pages/q.yaml": page("bio_2")})
    repo.commit({"pages/p.yaml": page(title="Now", page_data={**DATA, "links": LINKS[1:]}, published=False)})
    made = plan("HEAD~1", "--offline")
    assert made["offline"] is True
    assert made["api"] == {"calls": 0, "calls_to_apply": 3, "quota_remaining": None}
    assert origins(made) == dict.fromkeys(("bio_1/title", "bio_1/page_data/links/0", "bio_1/published"), "yours")
    assert made["changes"][0]["before"]["title"] == "Was"
    assert made["unchanged"] == [{"page_id": "bio_2", "file": "pages/q.yaml"}]
    assert not made["gone"]
    assert not made["unmanaged"]


@pytest.mark.parametrize(
    ("then", "now", "lines", "others"),
    [
        ({"id": "bio_1"}, page(published=True), ["(not in the file)", "becomes LIVE"], ["not public", "(empty)"]),
        ({"id": "bio_1"}, page(published=False), ["(not in the file)", "vanishes"], ["LIVE", "None"]),
        ({"id": "bio_1", "title": "A"}, "id: bio_1\n", ["No changes"], ["None"]),
        ({"id": "bio_1", "title": "A", "published": True}, page(), ['"A"', '"Was"'], ["LIVE", "public", "None"]),
        (None, page(description="New here"), ["was not there at HEAD~1", "New here"], ["views", "None"]),
    ],
)
def test_offline_does_not_claim_to_know_what_the_base_left_out(
    repo: Repository,
    run: Run,
    unreachable: None,
    then: dict[str, Any] | None,
    now: str,
    lines: list[str],
    others: list[str],
) -> None:
    repo.commit({"pages/p.yaml": json.dumps(then)} if then else {"pages/q.yaml": page("bio_2")})
    repo.commit({"pages/p.yaml": now})
    for output_format in ("text", "markdown", "html"):
        result = run("plan", "--base", "HEAD~1", "--offline", "--format", output_format)
        assert result.code == 0, result.err
        if output_format == "text":
            assert [found for found in lines if found in result.out] == lines, result.out
            assert not [found for found in others if found in result.out], result.out


def test_an_offline_plan_survives_its_file(
    repo: Repository, run: Run, unreachable: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit({"pages/p.yaml": "id: bio_1\n", "pages/r.yaml": page("bio_3")})
    repo.commit({"pages/p.yaml": page(published=True), "pages/q.yaml": page("bio_2", description="D")})
    for output_format in ("text", "json", "markdown", "html", "gitlab"):
        made = run("plan", "--base", "HEAD~1", "--offline", "--out", "plan.json", "--format", output_format, "--quiet")
        assert made.code == 0, made.err
        shown = run("show", "plan.json", "--format", output_format)
        assert (shown.code, shown.out) == (0, made.out)


def test_an_offline_plan_is_no_consent(repo: Repository, start_sandbox: Start, run: Run) -> None:
    repo.commit({"pages/p.yaml": page(published=False)})
    repo.commit({"pages/p.yaml": page(title="Now", published=False)})
    sandbox = start_sandbox([live()])
    assert run("plan", "--base", "HEAD~1", "--offline", "--out", "plan.json").code == 0
    result = run("apply", "--plan", "plan.json", "--yes")
    assert result.code == 1
    assert result.err.startswith("error: the plan was made offline: nobody has seen what it does to the live pages")
    assert not [request for request in sandbox.requests if request.method != "GET"]


def test_an_offline_plan_is_refused_before_anything_is_asked(repo: Repository, run: Run, unreachable: None) -> None:
    repo.commit({"pages/p.yaml": page(title="Now")})
    assert run("plan", "--base", "HEAD", "--offline", "--out", "plan.json").code == 0
    result = run("apply", "--plan", "plan.json")
    assert result.code == 1
    assert result.err.startswith("error: the plan was made offline")


def test_a_plan_with_a_base_is_consent_to_an_apply_without_one(
    repo: Repository, start_sandbox: Start, run: Run
) -> None:
    repo.commit({"pages/p.yaml": page()})
    repo.commit({"pages/p.yaml": page(description="Mine")})
    sandbox = start_sandbox([live(title="Theirs")])
    assert run("plan", "--base", "HEAD~1", "--out", "plan.json").code == 0
    assert set(origins(json.loads(Path("plan.json").read_text())).values()) == {"yours", "drift"}
    assert run("apply", "--plan", "plan.json").code == 0
    assert (sandbox.pages[0]["title"], sandbox.pages[0]["description"]) == ("Was", "Mine")


def test_a_saved_plan_keeps_its_origins_when_it_is_shown(repo: Repository, start_sandbox: Start, run: Run) -> None:
    repo.commit({"pages/p.yaml": page()})
    repo.commit({"pages/p.yaml": page(description="Mine")})
    start_sandbox([live(title="Theirs")])
    made = run("plan", "--base", "HEAD~1", "--out", "plan.json", "--quiet")
    assert "Drift" in made.out
    assert run("show", "plan.json").out == made.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--offline",),
        ("--fail-on-drift",),
        ("--base", "HEAD", "--offline", "--fail-on-drift"),
        ("--offline", "--fail-on-drift"),
        ("--base", ""),
        ("--base=", "--offline"),
        ("--base",),
    ],
)
def test_options_that_mean_nothing_together_are_wrong_usage(
    repo: Repository, start_sandbox: Start, run: Run, arguments: tuple[str, ...]
) -> None:
    repo.commit({"pages/p.yaml": page()})
    sandbox = start_sandbox([live()])
    result = run("plan", *arguments)
    assert (result.code, result.out) == (64, "")
    assert "--base" in result.err or "--offline" in result.err
    assert not sandbox.requests


def test_offline_loads_no_http_client(repo: Repository, unreachable: None) -> None:
    repo.commit({"pages/p.yaml": page()})
    code = (
        "import sys; from bio_sync import cli; code = cli.run(['plan', '--base', 'HEAD', '--offline']);"
        " sys.exit(code or 7 * ('httpx' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_clone_without_file_contents_is_told_or_read_and_never_a_traceback(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    repo.commit({"pages/p.yaml": page()})
    repo.commit({"pages/p.yaml": page(title="Now")})
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("clone", "--quiet", "--filter=blob:none", repo.root.as_uri(), str(tmp_path / "partial"))
    monkeypatch.chdir(tmp_path / "partial")
    assert run("plan", "--base", "HEAD~1", "--offline").code == 0
    shutil.rmtree(tmp_path / "partial")
    repo.git("clone", "--quiet", "--filter=blob:none", repo.root.as_uri(), str(tmp_path / "partial"))
    monkeypatch.chdir(tmp_path / "partial")
    shutil.rmtree(repo.root)
    result = run("plan", "--base", "HEAD~1", "--offline")
    assert result.code == 1
    assert "Traceback" not in result.err


def test_a_clone_without_file_contents_fetches_them_all_at_once(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    repo.commit({f"pages/p{n}.yaml": page(f"bio_{n}") for n in range(6)})
    repo.commit({f"pages/p{n}.yaml": page(f"bio_{n}", title="Now") for n in range(6)})
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("clone", "--quiet", "--filter=blob:none", repo.root.as_uri(), str(tmp_path / "partial"))
    monkeypatch.chdir(tmp_path / "partial")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    assert run("plan", "--base", "HEAD~1", "--offline").code == 0
    fetches = [line for line in (tmp_path / "trace").read_text().splitlines() if "run_command" in line]
    assert len([line for line in fetches if " fetch origin " in line]) <= 2


def test_a_base_that_is_named_by_its_commit_is_shown_once_and_short(repo: Repository, run: Run) -> None:
    repo.commit({"pages/p.yaml": page(title="Old")})
    repo.commit({"pages/p.yaml": page(title="New")})
    commit = repo.git("rev-parse", "HEAD~1")
    for form in ("text", "markdown"):
        assert commit not in run("plan", "--base", commit, "--offline", "--format", form).out
        assert commit[:12] in run("plan", "--base", commit, "--offline", "--format", form).out
        assert "HEAD~1" in run("plan", "--base", "HEAD~1", "--offline", "--format", form).out
