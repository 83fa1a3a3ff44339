"""House rules: a JSON Schema of the repository's own, tried in a process of its own that a clock ends.

A pattern can backtrack for ever, a `$ref` can lead back to itself, an `anyOf` can grow without bounds: none of it can
be told beforehand, and nothing else ends it.

    process     asks for a trial, and waits so long and no longer
    rulesfile   the file of the rules, as far as it can be judged without trying it
    __main__    the process itself: documents in, problems out
    words       what somebody who writes pages is told
"""

from bio_sync.houserules.process import house_problems

__all__ = ["house_problems"]
