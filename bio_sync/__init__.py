"""Pages-as-code for link-in-bio pages: plan, review and apply YAML page files to an xQR workspace.

    import bio_sync

    pages = bio_sync.load("pages")
    plan = bio_sync.plan(pages)
    print(bio_sync.format_plan(plan))
    report = bio_sync.apply(pages, plan)

What stands in `__all__` is the interface; all else may change with any version.
"""

import importlib
import sys
from typing import TYPE_CHECKING

from bio_sync.version import __version__

if TYPE_CHECKING:
    from bio_sync.applying.outcomes import Outcome, Report
    from bio_sync.consent import read_plan
    from bio_sync.diff import Operation
    from bio_sync.errors import (
        BioSyncError,
        InvalidAddress,
        InvalidFiles,
        InvalidKey,
        InvalidPlanFile,
        NoConsent,
        NoFolder,
        NoPages,
        NoRevision,
        NotWritten,
        QuotaTooSmall,
        ServiceError,
        StalePlan,
        Unsafe,
    )
    from bio_sync.library import Pages, RunInterrupted, Service, apply, format_plan, load, plan
    from bio_sync.model import DesiredPage, PageContent
    from bio_sync.planning import Change, Circumstances, PageFile, Plan, Revision, Transition, UnmanagedPage
    from bio_sync.problems import Problem

__all__ = [
    "BioSyncError",
    "Change",
    "Circumstances",
    "DesiredPage",
    "InvalidAddress",
    "InvalidFiles",
    "InvalidKey",
    "InvalidPlanFile",
    "NoConsent",
    "NoFolder",
    "NoPages",
    "NoRevision",
    "NotWritten",
    "Operation",
    "Outcome",
    "PageContent",
    "PageFile",
    "Pages",
    "Plan",
    "Problem",
    "QuotaTooSmall",
    "Report",
    "Revision",
    "RunInterrupted",
    "Service",
    "ServiceError",
    "StalePlan",
    "Transition",
    "UnmanagedPage",
    "Unsafe",
    "__version__",
    "apply",
    "format_plan",
    "load",
    "plan",
    "read_plan",
]

# Where the names are found, in this order; loaded when one is asked for, since `bio-sync --version` needs none.
_HOMES = ("library", "consent", "planning", "diff", "model", "errors")


# A type checker would take it for a yes to every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in __all__:
            for home in _HOMES:
                module = importlib.import_module(f"{__name__}.{home}")
                if hasattr(module, name):
                    globals()[name] = getattr(module, name)
                    return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])


def __dir__() -> list[str]:
    return sorted(__all__)
