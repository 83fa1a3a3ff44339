"""From page files without an id to new pages: POST, then the id into the file, safe to run again after a crash.

The file without an id is the only memory. A run that ended between the POST and the file has left a live page with
the file's title or its page_data that no file claims: the next run names it, and makes no second one.

    files       what files without an id ask for, and the place in them where the id goes
    modeline    the line by which an editor finds the schema
    creator     makes their pages, one after the other, or takes live ones for them
"""

from bio_sync.creating.creator import Creator, take
from bio_sync.creating.files import Made, NewPage, claimed_ids, read_new

__all__ = ["Creator", "Made", "NewPage", "claimed_ids", "read_new", "take"]
