"""Attaches to the object that posix_writer.cpp or posix_writer.py made, and
prints what is in it.

    python3 posix_reader.py [NAME [COUNT [INTERVAL_MS]]]    python3 posix_reader.py 1234 10

Python's name has no slash in front: "1234" is shm_open's "/1234".
"""

import signal
import sys
import time
from itertools import count
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

from layout import MAGIC, SHARED


def attach(name):
    """Attaches to what another program made, which is not ours to remove.

    Python's resource tracker removes what a process has not removed when it
    ends. Before Python 3.13 it thinks so of what was only attached, too, and
    takes it away from its owner, unless it is told otherwise.
    """
    if sys.version_info >= (3, 13):
        return SharedMemory(name=name, create=False, track=False)
    memory = SharedMemory(name=name, create=False)
    resource_tracker.unregister(memory._name, "shared_memory")
    return memory


def main(name="1234", steps="0", interval="100"):
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    try:
        memory = attach(name.removeprefix("/"))
    except FileNotFoundError:
        sys.exit(f"there is no {name}: start posix_writer first")
    try:
        for step in range(int(steps)) if int(steps) else count():
            if step > 0:
                time.sleep(int(interval) / 1000)
            if memory.size < SHARED.size:
                sys.exit(f"{name} holds something else")
            ready, size, tick, sine, state, text = SHARED.unpack_from(memory.buf)
            if (ready, size) != (MAGIC, SHARED.size):
                sys.exit(f"{name} holds something else")
            text = text.split(b"\0")[0].decode()
            print(f"tick {tick}  sine {sine:+.3f}  state {state}  {text}", flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        memory.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
