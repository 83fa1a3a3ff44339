"""Runs a command of bio-sync and counts what does not depend on the machine: modules, files opened, bytes read.

    python -m benchmarks.counting OUT.json plan --api-url …

Nothing but `sys` and `os` is loaded before the command; what it prints and its exit code are its own.
"""

import os
import sys


def main() -> int:
    """Run the command that follows the name of a JSON file, and write the counts into that."""
    before, opened, sizes = frozenset(sys.modules), dict[str, int](), list[int]()
    read = os.read

    def noticed(event: str, details: tuple[object, ...]) -> None:
        if event == "open" and isinstance(details[0], str | bytes):
            name = os.fsdecode(details[0])
            opened[name] = opened.get(name, 0) + 1

    def counted(descriptor: int, length: int) -> bytes:
        data = read(descriptor, length)
        sizes.append(len(data))
        return data

    sys.addaudithook(noticed)
    os.read = counted
    from bio_sync.cli import run  # noqa: PLC0415 - counted

    code = run(sys.argv[2:])
    told = {"modules": sorted({*sys.modules} - before), "opened": dict(opened), "bytes_read": sum(sizes)}
    import json  # noqa: PLC0415 - not counted

    with open(sys.argv[1], "w", encoding="utf-8") as target:  # noqa: PTH123 - pathlib is what is counted
        json.dump(told, target)
    return code


if __name__ == "__main__":
    sys.exit(main())
