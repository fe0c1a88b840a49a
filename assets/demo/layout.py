"""struct Shared of layout.hpp, for Python."""

import struct

# "@" has the types and the alignment of C, and copies a value of 8 bytes at
# once: with "=" or "<" it goes byte by byte, and a value that changes meanwhile
# comes out as half the old and half the new one.
SHARED = struct.Struct("@IIQdI28s")
MAGIC = 0x53484D31

READY, SIZE, TICK, SINE, STATE, NAME = 0, 4, 8, 16, 24, 28
