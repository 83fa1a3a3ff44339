"""`bio-sync validate`: check page files."""

from bio_sync.commands.group import command, format_option, paths_argument
from bio_sync.commands.service import configuration
from bio_sync.options import Session
from bio_sync.visible import plural


@command("validate", example="bio-sync validate pages/")
@paths_argument
@format_option("text", "json")
def validate(session: Session, paths: tuple[str, ...], output_format: str) -> int:
    """Check page files: no network, no key.

    PATHs are files or folders; without them, those of bio-sync.yaml, or pages/.
    """
    from bio_sync import report, workflow  # noqa: PLC0415

    files = workflow.read_files(paths, configuration(session), at=session.now())
    if output_format == "json":
        session.terminal.result(report.problems_json(files))
        return 1 if files.problems else 0
    for warning in files.warnings:
        session.terminal.say(f"warning: {report.problem_text(warning)}".rstrip())
    workflow.checked(files)
    session.terminal.result(f"{plural(files.files, 'page file')}, no problems\n")
    return 0
