"""`python -m bio_sync` is the command `bio-sync`."""

from bio_sync.cli import main

if __name__ == "__main__":
    main()
