"""The runner that plays our workflows is as strict as GitHub's, and stricter where it does not know."""

import pytest

from tests.runner import Log, NotKnown, evaluate
from tests.runner.expressions import filled, holds

CONTEXTS = {
    "github": {"event_name": "push", "event": {"repository": {"default_branch": "main"}}, "ref_name": "Main"},
    "inputs": {"force": True, "plan": ""},
    "steps": {"run": {"outputs": {"artifact": ""}}},
}
FINE = {"success": True, "failure": False, "always": True, "cancelled": False}
BROKEN = {"success": False, "failure": True, "always": True, "cancelled": False}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("github.event_name == 'push' && 'approved' || ''", "approved"),
        ("github.event_name != 'push' && 'approved' || ''", ""),
        ("github.ref_name == github.event.repository.default_branch", True),
        ("github.event.pull_request.head.repo.full_name == 'acme/pages'", False),
        ("inputs.force || 'false'", True),
        ("inputs.nothing || 'false'", "false"),
        ("!(inputs.plan == '')", False),
        ("null == ''", True),
        ("contains('one two', 'TWO')", True),
        ("format('{0}-{1}', 'it''s', 1)", "it's-1"),
    ],
)
def test_an_expression_has_the_value_that_github_gives_it(text: str, value: object) -> None:
    assert evaluate(text, CONTEXTS) == value


@pytest.mark.parametrize("text", ["github.actor", "nothing.x", "steps.other.outputs.x", "hash('a')", "1 +", "(true"])
def test_what_is_not_known_fails_loudly(text: str) -> None:
    with pytest.raises(NotKnown):
        evaluate(text, CONTEXTS)


def test_a_step_runs_after_a_failure_only_if_it_asks_for_that() -> None:
    for condition, fine, broken in (
        (None, True, False),
        ("github.event_name == 'push'", True, False),
        ("always() && steps.run.outputs.artifact != ''", False, False),
        ("success() || failure()", True, True),
        ("${{ !cancelled() }}", True, True),
    ):
        assert (holds(condition, CONTEXTS, FINE), holds(condition, CONTEXTS, BROKEN)) == (fine, broken), condition


def test_an_expression_alone_keeps_its_kind_and_is_text_among_text() -> None:
    assert filled({"a": "${{ inputs.force }}", "b": "x-${{ inputs.force }}-y"}, CONTEXTS) == {
        "a": True,
        "b": "x-true-y",
    }


def test_a_log_obeys_until_it_is_stopped_and_again_after_its_token() -> None:
    log = Log()
    log.read(
        "::add-mask::secret\nsecret\n::stop-commands::T0\n::error::a\nx ##[error]b\n::t0::\n y ##[warning]c\n"
        "::what::d ##[notice]e\n"
    )
    assert [(each.name, each.data) for each in log.obeyed] == [
        *(("add-mask", "secret"), ("stop-commands", "T0"), ("warning", "c"), ("notice", "e"))
    ]
    assert "***" in log.text
    assert "secret" not in log.text
