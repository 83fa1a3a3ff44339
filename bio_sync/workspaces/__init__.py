"""The workspaces of a repository, a folder each, and how a CI system spreads them over its runners.

found     which folders are workspaces, their names, and whose each page file is
touched   which of them differ from another commit
spread    what GitHub and GitLab are told: a job a workspace, an environment each
"""

from bio_sync.workspaces.found import Repository, Workspace, find_workspaces
from bio_sync.workspaces.spread import github_outputs, gitlab_pipeline, matrix_line
from bio_sync.workspaces.touched import Comparison, compare

__all__ = [
    "Comparison",
    "Repository",
    "Workspace",
    "compare",
    "find_workspaces",
    "github_outputs",
    "gitlab_pipeline",
    "matrix_line",
]
