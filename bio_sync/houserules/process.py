"""Asks a process of its own to try the house rules, and waits so long and no longer."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bio_sync.config import HouseRules
from bio_sync.houserules.rulesfile import about_rules, read_rules
from bio_sync.jsonvalues import Json, JsonObject
from bio_sync.key import SECRETS
from bio_sync.problems import Problem
from bio_sync.visible import cause_of
from bio_sync.yamltext import Document

SECONDS, SECONDS_A_PAGE = 10.0, 0.02
MOST_MEMORY = 2**30
OUT_OF_MEMORY = 3
_SIMPLER = "say it more simply: no repetition inside another, such as (a+)+, and no anyOf inside anyOf"


def house_problems(documents: Sequence[Document], rules: HouseRules, *, seconds: float = SECONDS) -> list[Problem]:
    """Give every problem of page documents that the house rules find, or those of the house rules themselves.

    `seconds` bound the whole check, with 20 ms on top for each page.
    """
    read = read_rules(rules)
    if read.problems:
        return list(read.problems)
    seconds += SECONDS_A_PAGE * len(documents)
    pages: list[Json] = [_as_json(document) for document in documents]
    task: JsonObject = {"seconds": seconds, "memory": MOST_MEMORY, "rules": _as_json(read), "pages": pages}
    # -P: a file of the working directory is never taken for a module of Python's or ours.
    command = [sys.executable, "-P", "-m", "bio_sync.houserules"]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            input=json.dumps(task).encode("ascii"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [about_rules(read, f"took longer than {seconds:.3g} seconds", hint=_SIMPLER)]
    except OSError as error:
        return [about_rules(read, f"can't be tried: {cause_of(error)}", hint="")]
    if done.returncode:
        memory = f"need more than {MOST_MEMORY / 2**30:.3g} GiB of memory"
        why = memory if done.returncode == OUT_OF_MEMORY else "ended the process that tried them"
        return [about_rules(read, why, hint=_SIMPLER)]
    return [Problem(**problem) for problem in json.loads(done.stdout)]


def _as_json(document: Document) -> JsonObject:
    return {"file": document.file, "text": document.text, "value": document.value}


def _environment() -> dict[str, str]:
    """Give the environment of this process, without secrets, in which Python finds this package."""
    environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
    package = str(Path(__file__).parents[2])
    return environment | {"PYTHONPATH": os.pathsep.join(filter(None, (package, environment.get("PYTHONPATH", ""))))}
