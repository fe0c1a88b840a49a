"""Creates a POSIX object for posix_reader.cpp or posix_reader.py, updates its
values, and removes it on exit.

    python3 posix_writer.py [NAME [COUNT [INTERVAL_MS]]]    python3 posix_writer.py 1234

Python's name has no leading slash: "1234" is shm_open's "/1234".
"""

import signal
import sys
import time
from itertools import count
from math import sin
from multiprocessing.shared_memory import SharedMemory

from layout import MAGIC, NAME, READY, SHARED, SINE, STATE, TICK


def write(memory, steps, interval):
    """Updates the values through one memoryview each: assigning to one stores all
    of its bytes at once, while struct.pack_into may zero them first. The views
    must be released before the memory can be closed."""
    with (
        memory.buf[READY : READY + 8].cast("I") as header,
        memory.buf[TICK : TICK + 8].cast("Q") as tick,
        memory.buf[SINE : SINE + 8].cast("d") as sine,
        memory.buf[STATE : STATE + 4].cast("I") as state,
    ):
        text = b"written by Python"
        memory.buf[NAME : NAME + len(text)] = text
        header[1] = SHARED.size
        header[0] = MAGIC  # last: a reader that sees it sees the rest
        print(f"posix:/{memory.name}, {memory.size} bytes", flush=True)
        for step in range(steps) if steps else count():
            if step > 0:
                time.sleep(interval)
            state[0] = 1
            sine[0] = sin((step + 1) / 10)
            tick[0] = step + 1


def main(name="1234", steps="0", interval="100"):
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # same as Ctrl-C
    try:
        memory = SharedMemory(name=name.removeprefix("/"), create=True, size=SHARED.size)
    except FileExistsError:
        sys.exit(f"{name} already exists")
    try:
        write(memory, int(steps), int(interval) / 1000)
    except KeyboardInterrupt:
        pass
    finally:
        memory.close()
        memory.unlink()  # also unregisters it from the resource tracker
    print("removed")


if __name__ == "__main__":
    main(*sys.argv[1:])
