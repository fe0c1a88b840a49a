"""Programs whose bytes in shared memory are known, like corpus.cpp."""

import ctypes
import hashlib
import math
import os
import random
import struct
import sys
import time
import zlib
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import ShareableList, SharedMemory

program, name = sys.argv[1:]


def create(size):
    memory = SharedMemory(name, create=True, size=size)
    resource_tracker.unregister(memory._name, "shared_memory")
    return memory


def field(offset, width, kind, hz, label):
    print(offset, width, kind, hz, label)


def run(hz, step):
    print("ready", flush=True)
    tick = 0
    while True:
        tick += 1
        step(tick)
        time.sleep(1 / hz)


def plc():
    memory = create(4096)
    layout = "<IdfHBxq16s"
    kinds = [("counter", 10), ("float", 10), ("float", 10), ("index", 10), ("flag", 5), ("counter", 10), ("text", 3)]
    names = ["cycle", "pressure", "flow", "slot", "valve", "energy", "message"]
    offset = 64
    for code, (kind, hz), label in zip(["I", "d", "f", "H", "Bx", "q", "16s"], kinds, names):
        width = struct.calcsize("<" + code.removesuffix("x"))
        field(offset, width, kind, hz, label)
        offset += struct.calcsize("<" + code)
    message = b"ok"

    def step(tick):
        nonlocal message
        if tick % 3 == 0:
            message = random.choice([b"ok", b"valve open", b"low pressure", b"pump started"])
        pressure = 4.2 + 0.3 * math.sin(tick / 15)
        values = tick, pressure, random.uniform(10, 20), tick % 12, tick // 2 % 2, 100000 + tick * 37, message
        struct.pack_into(layout, memory.buf, 64, *values)

    run(10, step)


def sharedlist():
    values = ShareableList([0, 0.5, False, "idle....", 7, b"12345678"], name=name)
    resource_tracker.unregister(values.shm._name, "shared_memory")
    base = 8 + 8 * 7
    field(base, 8, "counter", 4, "count")
    field(base + 8, 8, "float", 4, "level")
    # A bool is the last byte of its slot.
    field(base + 23, 1, "flag", 4, "on")
    field(base + 24, 16, "text", 4, "state")

    def step(tick):
        values[0] = tick
        values[1] = math.sin(tick / 10)
        values[2] = random.random() < 0.5
        values[3] = random.choice(["idle", "running", "paused", "stopping"])

    run(4, step)


def robot():
    class State(ctypes.Structure):
        _fields_ = [
            ("tick", ctypes.c_uint64),
            ("joints", ctypes.c_double * 6),
            ("stamp", ctypes.c_double),
            ("mode", ctypes.c_int32),
            ("estop", ctypes.c_bool),
            ("loops", ctypes.c_uint32),
            ("step", ctypes.c_int64),
        ]

    memory = create(ctypes.sizeof(State))
    state = State.from_buffer(memory.buf)
    field(State.tick.offset, 8, "counter", 500, "tick")
    for joint in range(6):
        field(State.joints.offset + 8 * joint, 8, "float", 500, f"joint{joint}")
    field(State.stamp.offset, 8, "clock", 500, "stamp")
    field(State.mode.offset, 4, "flag", 5, "mode")
    field(State.estop.offset, 1, "flag", 4, "estop")
    field(State.loops.offset, 4, "counter", 500, "loops")
    field(State.step.offset, 8, "index", 500, "step")

    def step(tick):
        for joint in range(6):
            state.joints[joint] = math.sin(tick / 300 + joint) * (joint + 1) / 2
        state.stamp = time.time()
        if tick % 100 == 0:
            state.mode = random.randrange(4)
        if tick % 120 == 0:
            state.estop = not state.estop
        state.loops += 2
        state.step = tick % 360
        state.tick = tick

    run(500, step)


def ledger():
    memory = create(256)
    values = {"count": (0, 50), "balance": (8, 50), "degrees": (16, 10), "half": (24, 5), "on": (40, 2)}
    for name, (at, rate) in values.items():
        field(at, 8, "float", rate, name)
    field(32, 8, "counter", 50, "serial")
    balance = 2500.0

    def step(tick):
        nonlocal balance
        balance += random.choice([-20, -5, 5, 20, 0.5])
        now = {"count": tick, "balance": balance}
        if tick % 5 == 0:
            now["degrees"] = random.randrange(-20, 40)
        if tick % 10 == 0:
            now["half"] = tick / 20
        if tick % 25 == 0:
            now["on"] = tick // 25 % 2
        for name, value in now.items():
            struct.pack_into("<d", memory.buf, values[name][0], value)
        struct.pack_into("<q", memory.buf, 32, tick)

    run(50, step)


def compressed():
    memory = create(8192)
    field(0, 8, "counter", 20, "block")

    def step(tick):
        block = zlib.compress(os.urandom(1500) + b"x" * 500)
        struct.pack_into("<Q", memory.buf, 0, tick)
        memory.buf[64 : 64 + len(block)] = block
        memory.buf[4096 : 4096 + 64] = hashlib.sha512(block).digest()

    run(20, step)


def log():
    memory = create(4096)
    field(0, 4, "counter", 30, "lines")
    end = 0

    def step(tick):
        nonlocal end
        line = f"{time.time():.3f} worker {random.randrange(8)}: request {tick} took {random.random():.3f} s\n".encode()
        for byte in line:
            memory.buf[64 + end] = byte
            end = (end + 1) % 4000
        struct.pack_into("<I", memory.buf, 0, tick)

    run(30, step)


{"plc": plc, "list": sharedlist, "robot": robot, "ledger": ledger, "compressed": compressed, "log": log}[program]()
