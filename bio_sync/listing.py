"""Reading every page of a workspace once, although the list comes in parts and may shift between them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bio_sync.errors import NotAnAnswer
from bio_sync.model import PAGES_A_CALL, LivePage
from bio_sync.progress import ASKING, UNWATCHED, Watch
from bio_sync.visible import plural

# A service that pages by less than it was asked for would do so by one of these.
SMALLER_LIMITS = frozenset((50, 100))
MOST_BATCHES = 500
MOST_PASSES = 3
# Pages behind an answer that is always the same, to be asked for in every run: as a rule they are gone.
MOST_BEHIND = 20

Batch = dict[str, LivePage]


@dataclass(slots=True)
class Listing:
    """The pages of a workspace, by id, read in parts of up to 200 pages.

    `read_batch(offset)` makes one call, or gives None when the list comes in one part. `wanted` are ids that
    should be there. With `everything`, pages beyond them are wanted too; but a full answer that completes
    exactly the wanted ones is taken for the last. `batches` counts the answers read; `doubtful` are wanted ids that
    are to be asked for one by one, since the list may have missed them. `watch` hears how many pages have come.
    """

    read_batch: Callable[[int], Batch | None]
    wanted: frozenset[str]
    everything: bool = True
    watch: Watch = UNWATCHED
    pages: Batch = field(default_factory=dict)
    batches: int = 0
    doubtful: list[str] = field(default_factory=list)
    # The service gives its first answer whatever it is asked for: to read again would show nothing else.
    _repeats: bool = field(default=False, init=False)

    def read(self) -> None:
        """Read the list, and read it again (three times at most) when it shows signs of having shifted.

        The signs are a page that is met twice, and more wanted pages missing than there were answers: these
        would cost more calls one by one. Raises NotAnAnswer for a list without an end.
        """
        restless = False
        for reading in range(MOST_PASSES):
            before = self.batches
            pages, shifted = self._pass()
            parts = self.batches - before
            self.pages = self.pages | pages if shifted else pages
            restless = restless or shifted
            missed = self.wanted - self.pages.keys() if parts > 1 else ()
            # What a second reading does not find either is gone, unless no reading is like the one before.
            self.doubtful = sorted(missed) if not reading or restless else []
            if not shifted and (len(self.doubtful) <= parts or self._repeats):
                break
        most = MOST_BEHIND if self._repeats else max(self.batches, len(self.wanted & self.pages.keys()))
        if len(self.doubtful) > most:
            # More would be asked for than were found: by the wrong workspace's key, hundreds.
            self.doubtful = []

    def _pass(self) -> tuple[Batch, bool]:
        """Read the list once from its beginning, and tell whether pages moved meanwhile."""
        seen: Batch = {}
        shifted = False
        for _ in range(MOST_BATCHES):
            batch = self.read_batch(len(seen))
            if batch is None:
                return seen, shifted
            self.batches += 1
            again = seen.keys() & batch.keys()
            if seen and len(again) == len(batch):
                # The end, or the first answer once more; but a part of it says that pages moved.
                self._repeats = len(batch) == len(seen)
                return seen | batch, shifted or 0 < len(batch) < len(seen)
            shifted = shifted or bool(again)
            seen |= batch
            self.watch.reach(ASKING, len(seen))
            if self._was_last(len(batch), seen):
                return seen, shifted
        raise NotAnAnswer(
            f"the list of pages did not end after {MOST_BATCHES} answers and {plural(len(seen), 'page')}",
            hint="check the API address; of a workspace of more pages, plan a single file: bio-sync plan FILE",
        )

    def _was_last(self, size: int, seen: Batch) -> bool:
        left = self.wanted - seen.keys()
        if size > PAGES_A_CALL or (not left and (not self.everything or len(seen) == len(self.wanted))):
            return True
        return size < PAGES_A_CALL and not (size in SMALLER_LIMITS and left)
