"""How much of a page's change was written, in words: what visitors see of it must not go untold."""

from collections.abc import Sequence

from bio_sync.planning import PUBLISH, UNPUBLISH, UPDATE

_DONE = {UPDATE: "updated", PUBLISH: "published", UNPUBLISH: "unpublished"}


class Parts:
    """The actions of a page on their way: `own` were written by this run, `left` are still to do, in their order.

    What somebody else has done meanwhile is in neither.
    """

    def __init__(self, actions: Sequence[str]) -> None:
        self.own: list[str] = []
        self.left = list(actions)

    def finish(self, action: str, *, own: bool) -> None:
        """Take an action off what is left; `own` tells that this run has written it."""
        if own:
            self.own.append(action)
        self.left.remove(action)

    def told(self, why: str, *, unclear: bool = False) -> str:
        """Begin a sentence about a page that went no further with what was done of it, and what was not.

        `unclear` tells that nobody knows of the next action whether it was carried out. The sentence stays alone when
        nothing was done, and when what is unclear is all that there was to do.
        """
        done = " and ".join(_DONE[action] for action in self.own)
        names = [_DONE[action] for action in self.left]
        if unclear and names:
            perhaps, *rest = names
            if done:
                return f"{done}, but perhaps not {perhaps}: {why}"
            return f"perhaps {perhaps}, and not {' and '.join(rest)}: {why}" if rest else why
        if not done:
            return why
        return f"{done}, but not {' and '.join(names)}: {why}" if names else f"{done}, but {why}"
