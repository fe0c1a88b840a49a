"""Attaches to the object created by posix_writer.cpp or posix_writer.py and
prints its values.

    python3 posix_reader.py [NAME [COUNT [INTERVAL_MS]]]    python3 posix_reader.py 1234 10

Python's name has no leading slash: "1234" is shm_open's "/1234".
"""

import signal
import sys
import time
from itertools import count
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

from layout import MAGIC, SHARED


def attach(name):
    """Attaches to an object of another program without removing it on exit.

    Python's resource tracker removes the objects of a process when it exits.
    Before Python 3.13 this includes objects that were only attached, unless
    they are unregistered.
    """
    if sys.version_info >= (3, 13):
        return SharedMemory(name=name, create=False, track=False)
    memory = SharedMemory(name=name, create=False)
    resource_tracker.unregister(memory._name, "shared_memory")
    return memory


def main(name="1234", steps="0", interval="100"):
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # same as Ctrl-C
    try:
        memory = attach(name.removeprefix("/"))
    except FileNotFoundError:
        sys.exit(f"{name} does not exist: start posix_writer first")
    try:
        for step in range(int(steps)) if int(steps) else count():
            if step > 0:
                time.sleep(int(interval) / 1000)
            if memory.size < SHARED.size:
                sys.exit(f"{name}: unexpected contents")
            ready, size, tick, sine, state, text = SHARED.unpack_from(memory.buf)
            if (ready, size) != (MAGIC, SHARED.size):
                sys.exit(f"{name}: unexpected contents")
            text = text.split(b"\0")[0].decode()
            print(f"tick {tick}  sine {sine:+.3f}  state {state}  {text}", flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        memory.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
