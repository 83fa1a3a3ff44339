"""`bio-sync validate`: check page files."""

import os

from bio_sync.commands.group import command, format_option, paths_argument
from bio_sync.commands.service import configuration, read_page_files
from bio_sync.options import REPORTS, Session
from bio_sync.visible import plural


@command("validate", example="bio-sync validate pages/")
@paths_argument
@format_option("text", "json", *REPORTS)
def validate(session: Session, paths: tuple[str, ...]) -> int:
    """Check page files: no network, no key.

    PATHs are files or folders; without them, those of bio-sync.yaml, or pages/.

    The forms are for people (text), scripts (json), annotations in GitHub Actions (github), GitLab's Code Quality
    report (gitlab), code scanning (sarif) and test reports (junit).
    """
    from bio_sync import report, workflow  # noqa: PLC0415

    form = session.output_format
    files = read_page_files(session, paths, configuration(session), at=session.now(), calls=False)
    if form == "json":
        session.terminal.result(report.problems_json(files))
        return 1 if files.problems else 0
    if form in REPORTS:
        from bio_sync.reporters import REPORTERS, findings_of  # noqa: PLC0415

        session.terminal.result(REPORTERS[form](findings_of(files, os.environ)))
        session.reported = True
    if form == "github":
        # Its log is the same as standard error, and holds all of it already.
        return 1 if files.problems else 0
    for warning in files.warnings:
        session.terminal.say(f"warning: {report.problem_text(warning)}".rstrip())
    workflow.checked(files)
    if form == "text":
        session.terminal.result(f"{plural(files.files, 'page file')}, no problems\n")
    return 0
