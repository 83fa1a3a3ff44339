"""GitHub's runner obeys the commands that are meant, with exactly the text that is meant, and no others."""

import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bio_sync.visible import visible
from bio_sync.workflowcommands import Annotation, Kind, annotations, command, divided, output_lines
from tests.readers import commands
from tests.runner.logs import obeyed, outputs
from tests.test_nothing_acts import NAUGHTY

TOKEN = "f00dcafe" * 4
signs = st.sampled_from(["%", "%0A", "%25", ":", "::", ",", "=", "\r", "\n", "]", "##[", "\0", "\u0085", "\u2028", " "])
texts = st.one_of(
    st.sampled_from(NAUGHTY), st.text(max_size=20), st.lists(signs | st.text(max_size=3), max_size=8).map("".join)
)
# What can be told whole: letters, all signs that the runner knows escapes for, and line ends.
plain = st.lists(st.sampled_from(["a", "é", "☃", "%", "%0A", ":", ",", "=", "/", "::error::", "'", "\n", "\r"])).map(
    lambda parts: "a" + "".join(parts)
)


def shown(text: str, *, kept: str) -> str:
    """Give a text as it is shown: escapes for what does not show, but for the line ends that are `kept`."""
    return "".join(part if part in kept else visible(part) for part in re.split(f"([{kept}])", text) if part)


@given(message=texts, file=texts, title=texts, line=st.integers(1, 10**6))
@example(message="a ", file="=a ", title="==b  ", line=1)
def test_the_runner_sees_one_command_with_the_text_that_was_meant(
    message: str, file: str, title: str, line: int
) -> None:
    written = command("error", message, file=file, line=line, title=title)
    (seen,) = obeyed(written)
    assert (seen.name, seen.data) == ("error", shown(message, kept="\n"))
    assert seen.properties.get("line") == str(line)
    for key, value in (("file", file), ("title", title)):
        meant = shown(value, kept="\r\n")
        meant = re.sub("^=", r"\\x3d", meant)
        meant = re.sub(r" +\Z", lambda found: r"\x20" * len(found.group()), meant)
        assert seen.properties.get(key, "") == meant


@given(message=texts, file=texts, title=texts)
def test_a_command_is_one_line_that_no_other_service_obeys(message: str, file: str, title: str) -> None:
    written = command("warning", message, file=file, title=title)
    assert written.endswith("\n")
    assert written[:-1].isprintable() or "\u200d" in written or "\u200c" in written or "\ufe0f" in written
    assert [(each.dialect, each.name) for each in commands(written)] == [("runner v2", "warning")]


@given(path=plain)
def test_a_path_of_letters_signs_and_line_ends_arrives_as_it_is(path: str) -> None:
    (seen,) = obeyed(command("error", file=path, title="x"))
    assert seen.properties["file"] == path


def test_what_is_empty_is_left_out_and_what_is_nought_is_not() -> None:
    assert command("notice", "hello") == "::notice::hello\n"
    assert command("notice", "hello", file="", line=None, col=0) == "::notice col=0::hello\n"
    assert command("endgroup") == "::endgroup::\n"


@pytest.mark.parametrize("name", ["", "a b", "error::x", "error\n", "ø"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        command(name)
    with pytest.raises(ValueError, match="no name"):
        command("error", **{name: "x"})
    with pytest.raises(ValueError, match="no name"):
        output_lines(name, "x", TOKEN)


@given(
    st.tuples(*[st.integers(7, 13)] * 3).flatmap(
        lambda counts: st.permutations(["error"] * counts[0] + ["warning"] * counts[1] + ["notice"] * counts[2])
    )
)
def test_of_each_kind_at_most_ten_are_written_and_every_one_is_shown_or_counted(kinds: list[Kind]) -> None:
    wanted = [Annotation(kind, f"number {number}") for number, kind in enumerate(kinds)]
    seen = obeyed(annotations(wanted, more="see below"))
    kept, left = divided(wanted)
    assert sorted((*kept, *left), key=wanted.index) == wanted
    for kind, count in Counter(kinds).items():
        messages = [each.data for each in seen if each.name == kind]
        assert messages[:9] == [each.message for each in wanted if each.kind == kind][:9]
        more = count - 9
        assert messages[9:] == ([f"and {more} more {kind}{'s' * (more > 1)}: see below"] if more > 0 else [])


def test_an_annotation_has_the_names_of_github() -> None:
    wanted = [Annotation("error", "wrong", title="a rule", file="pages/a,b.yaml", line=3, column=7)]
    assert annotations(wanted, more="") == "::error file=pages/a%2Cb.yaml,line=3,col=7,title=a rule::wrong\n"


@pytest.mark.parametrize("token", ["pause", "", TOKEN[:-1], TOKEN.upper(), f"{TOKEN} x"])
def test_what_could_be_guessed_or_stands_in_the_value_ends_no_output(token: str) -> None:
    text = f"page says {TOKEN}\n"
    with pytest.raises(ValueError, match="random"):
        output_lines("name", text, token)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True), texts, max_size=4))
def test_outputs_are_read_back_as_they_were_whatever_they_hold(values: dict[str, str]) -> None:
    assert outputs("".join(output_lines(name, value, TOKEN) for name, value in values.items())) == values
