"""struct Shared of layout.hpp, for Python."""

import struct

# "@" uses C types and alignment and copies an 8-byte value at once. With "=" or
# "<" it copies byte by byte, and a value that changes at that moment is torn.
SHARED = struct.Struct("@IIQdI28s")
MAGIC = 0x53484D31

READY, SIZE, TICK, SINE, STATE, NAME = 0, 4, 8, 16, 24, 28
