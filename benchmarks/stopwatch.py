"""Runs one command and says what it took; a small process of its own, started for each measurement.

The kernel counts the memory of a process from what its parent had when it was started: below the size of the parent no
peak can be seen. So this file imports next to nothing, and the peak of anything that is larger than a bare Python is
its own. Usage: `python -I -S stopwatch.py REPORT SECONDS EVERY COMMAND…`; REPORT becomes five numbers: seconds of wall,
seconds of CPU (user and system, of the command and all it started), the largest single process in KiB, all its
processes together in KiB, and the exit code, 124 when the time was up.

The kernel keeps the largest process (ru_maxrss) by itself, but no sum: that is looked at each EVERY seconds, which
slows the command down. With an EVERY of 0 nobody looks, and the sum is 0.
"""

import os
import signal
import sys
import time


def main() -> None:
    """Start the command in a group of its own, wait, write the report."""
    report, seconds, every, command = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]
    late = False
    begun = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ, setpgroup=0)

    def end(*_: object) -> None:
        nonlocal late
        late = True
        os.killpg(process, signal.SIGKILL)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    most = ended = 0
    while not ended:
        ended, status, used = os.wait4(process, os.WNOHANG if every else 0)
        if not ended:
            most = max(most, together(family(process)))
            time.sleep(every)
    wall = time.perf_counter() - begun
    code = 124 if late else os.waitstatus_to_exitcode(status)
    with open(report, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is what this process does without
        file.write(f"{wall} {used.ru_utime + used.ru_stime} {used.ru_maxrss} {most} {code}")


def family(process: int) -> set[int]:
    """Give a process with those in its group and all that descend from them (man 5 proc, /proc/PID/stat)."""
    found, others = {process}, []
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - likewise
        # The name of a program is in brackets, and can be anything: what follows is its state, parent and group.
        after = _text(f"/proc/{name}/stat").rpartition(b")")[2].split()
        if len(after) > 2 and int(after[2]) == process:
            found.add(int(name))
        elif len(after) > 2:
            others.append((int(name), int(after[1])))
    # A child has mostly, but not always, a higher number than its parent.
    while more := {child for child, parent in others if parent in found} - found:
        found |= more
    return found


def together(processes: set[int]) -> int:
    """Give the memory of processes in KiB: what they share is divided among those who have it (PSS).

    Code and other files are shared with the rest of the machine too, such as with another Python. They would be told
    too low, so those of the process that has the most of them count in full: of one process alone, that is its RSS.
    """
    found = [_memory(process) for process in processes]
    return sum(each.get(b"Pss:", 0) for each in found) + max(map(_files_of_others, found), default=0)


def _memory(process: int) -> dict[bytes, int]:
    """Read the sums of all mappings (man 5 proc, /proc/PID/smaps_rollup); nothing of a process that has ended."""
    lines = [line.split() for line in _text(f"/proc/{process}/smaps_rollup").splitlines()[1:]]
    return {line[0]: int(line[1]) for line in lines}


def _files_of_others(memory: dict[bytes, int]) -> int:
    return memory.get(b"Rss:", 0) - memory.get(b"Anonymous:", 0) - memory.get(b"Pss_File:", 0)


def _text(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - likewise
            return file.read()
    except OSError:
        # It has ended meanwhile, or is somebody else's.
        return b""


if __name__ == "__main__":
    main()
