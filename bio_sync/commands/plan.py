"""`bio-sync plan` and `show`: what an apply would change, and a saved plan again."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bio_sync.commands.group import PLAN_FORMATS, Out, command, format_option, out_option, paths_argument
from bio_sync.commands.output import check_folders, rendered, save, show
from bio_sync.commands.service import (
    base_files,
    configuration,
    connect,
    planned,
    planned_offline,
    read_page_files,
)
from bio_sync.options import Session
from bio_sync.visible import plural, shortened, visible

if TYPE_CHECKING:
    from bio_sync.planning import Plan

PENDING = 2


def _moment(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from bio_sync.timetable import NotAMoment, moment  # noqa: PLC0415 - heavier than `--help` needs

    if value == "":
        raise click.BadParameter("it is empty: is a variable unset?")
    try:
        if value is not None:
            moment(value)
    except NotAMoment as error:
        raise click.BadParameter(f"'{shortened(value or '')}' {error.reason}; {error.hint}.") from None
    return value


@command("plan", example="bio-sync plan --base origin/main --out plan.json --out plan.md")
@paths_argument
@format_option(*PLAN_FORMATS)
@out_option(*PLAN_FORMATS)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@click.option("--base", metavar="REV", help="Tell whose each change is: the files' since this commit, or drift.")
@click.option("--fail-on-drift", is_flag=True, help="With --base: exit with 1 when somebody changed a page live.")
@click.option("--offline", is_flag=True, help="With --base: compare with that commit only; no call, no key.")
@click.option(
    "--at",
    metavar="TIME",
    callback=_moment,
    help="Plan for a moment, such as 2026-12-24T09:00+01:00: links show by it. [default: now]",
)
def plan(
    session: Session,
    *,
    paths: tuple[str, ...],
    outs: tuple[Out, ...],
    detailed_exitcode: bool,
    base: str | None,
    fail_on_drift: bool,
    offline: bool,
    at: str | None,
) -> int:
    """Show what an apply would change, and for whom. It only reads."""
    _check(base, fail_on_drift=fail_on_drift, offline=offline)
    check_folders(outs)
    from bio_sync import timetable, workflow  # noqa: PLC0415

    config, now = configuration(session), session.now()
    files = read_page_files(session, paths, config, at=timetable.moment(at) if at else now, calls=not offline)
    workflow.checked(files)
    before = base_files(files, config, base) if base else None
    commit = workflow.commit_of(files) if base or outs or session.output_format != "text" else None
    if before and offline:
        made = planned_offline(session, files, before, now=now, at=at, commit=commit)
    else:
        from bio_sync.api import Api  # noqa: PLC0415

        with connect(session, Api) as api:
            made = planned(session, files, api, now=now, at=at, commit=commit, base=before, held_to=config)
    saved = save(session, outs, rendered(made))
    show(session, made)
    code = _exit_code(session, made, detailed=detailed_exitcode, fail_on_drift=fail_on_drift)
    return code if saved else 1


@command("show", example="bio-sync show plan.json --format html > plan.html")
@click.argument("saved", metavar="PLAN.json", type=click.Path())
@format_option(*PLAN_FORMATS)
@out_option(*PLAN_FORMATS)
def show_saved(session: Session, saved: str, outs: tuple[Out, ...]) -> int:
    """Show a saved plan again, in any form: no network, no key."""
    from bio_sync import consent  # noqa: PLC0415

    if any(Path(out.path).resolve() == Path(saved).resolve() for out in outs):
        raise click.UsageError(f"--out {visible(saved)} is the saved plan itself.")
    check_folders(outs)
    made = consent.read_plan(saved)
    whole = save(session, outs, rendered(made))
    show(session, made)
    return 0 if whole else 1


def _check(base: str | None, *, fail_on_drift: bool, offline: bool) -> None:
    """Refuse options that mean nothing together; raises click.UsageError."""
    if base == "":
        raise click.UsageError("--base is empty: is a variable unset?")
    if offline and not base:
        raise click.UsageError("--offline needs --base REV: without the service, git is what is left to compare with.")
    if fail_on_drift and not base:
        raise click.UsageError(
            "--fail-on-drift needs --base REV, such as --base HEAD: drift is what git does not have."
        )
    if fail_on_drift and offline:
        raise click.UsageError("--fail-on-drift can't be had --offline: drift shows on the live pages only.")


def _exit_code(session: Session, plan: "Plan", *, detailed: bool, fail_on_drift: bool) -> int:
    """Say what is wrong with the plan, if anything is, and give the exit code."""
    complain = session.terminal.complain
    drift = plan.origins["drift"] + plan.origins["conflict"] if fail_on_drift else 0
    if plan.gone:
        complain(f"error: {plural(len(plan.gone), 'page file')} without a page in this workspace")
        complain("hint: the page was deleted, or the key is another workspace's")
    if drift:
        complain(f"error: {plural(drift, 'value')} changed on live pages, and not in git")
        it = "it" if drift == 1 else "them"
        complain(f"hint: take {it} over into the files, or apply to overwrite {it}")
    if plan.gone or drift:
        return 1
    return PENDING if detailed and plan.changes else 0
