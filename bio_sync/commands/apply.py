"""`bio-sync apply`: show the plan, ask, write it."""

import click

from bio_sync.commands.group import command, format_option, paths_argument
from bio_sync.commands.output import show_before_apply, tell_outcome
from bio_sync.commands.service import configuration, connect, planned
from bio_sync.errors import NoConsent
from bio_sync.options import Session


@command("apply", example="bio-sync apply --plan plan.json --format json")
@paths_argument
@format_option("text", "json")
@click.option(
    "--plan", "saved", metavar="PLAN.json", help="Write only if the plan is still this one: a saved plan is the yes."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def apply(session: Session, paths: tuple[str, ...], output_format: str, saved: str | None, yes: bool) -> int:
    """Show the plan, ask, and write it: PATCH requests that hold only the fields that differ."""
    from bio_sync import report, workflow  # noqa: PLC0415
    from bio_sync.api import WritingApi  # noqa: PLC0415
    from bio_sync.apply import apply_plan  # noqa: PLC0415

    if not (yes or saved or session.terminal.can_ask()):
        raise NoConsent("nobody can be asked: this is no terminal", hint="give --yes, or a saved plan with --plan")
    consent = workflow.read_consent(saved) if saved else None
    files = workflow.read_files(paths, configuration(session))
    workflow.checked(files)
    with connect(session, WritingApi) as api:
        made = planned(session, files, api)
        if consent:
            workflow.check_consent(consent, made)
        machine = output_format == "json"
        asking = bool(made.changes) and not (yes or consent)
        show_before_apply(session, made, to_stderr=machine, asking=asking)
        if asking:
            session.terminal.ask("Apply this plan?")
        if (made.changes or made.gone) and not machine:
            session.terminal.result("\n")
        done = apply_plan(made, files.desired, api, tell=lambda outcome: tell_outcome(session, outcome))
        meter = api.meter
    if machine:
        numbers = report.report_json(done, calls=meter.calls, quota_remaining=meter.quota_remaining)
        session.terminal.result(report.as_text(numbers))
    elif made.changes or made.gone:
        session.terminal.result(report.summary_text(done, calls=meter.calls, quota_remaining=meter.quota_remaining))
    return done.exit_code
