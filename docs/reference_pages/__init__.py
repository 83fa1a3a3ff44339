"""The pages of docs/reference that are made of what the code, the schemas and the commands themselves say.

commands     commands.md, from click, and what click does not know, in `facts`
environment  the environment variables at its end
fields       the fields of a JSON Schema, as rows and sections; page-file.md and configuration.md
plan         plan.md, from the plan's schema
forms        json.md: the other JSON forms, each with what a command has really printed
codes        exit-codes.md, from the help and the tree of errors
rules        rules.md, from the registry of rules, with files that break them
stage        a folder, a local xQR and a clock on which commands are typed
writing      Markdown: tables, code, words
"""

from collections.abc import Callable, Mapping

from reference_pages.codes import exit_codes
from reference_pages.commands import commands_page
from reference_pages.fields import configuration, page_file
from reference_pages.forms import json_forms
from reference_pages.plan import plan_page
from reference_pages.rules import rules_page

PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "configuration.md": configuration,
    "exit-codes.md": exit_codes,
    "json.md": json_forms,
    "page-file.md": page_file,
    "plan.md": plan_page,
    "rules.md": rules_page,
}
