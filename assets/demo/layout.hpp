// What the programs in this directory share: one struct, the same bytes in C++
// and in Python. Only types of a fixed size, no pointers (an address means
// nothing in another process), and atomics wherever two processes meet.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>

struct Shared {
    std::atomic<std::uint32_t> ready;  //  0  MAGIC, once all the rest is filled
    std::uint32_t size;                //  4  sizeof(Shared) of the program that made it
    std::atomic<std::uint64_t> tick;   //  8  one more each time
    std::atomic<double> sine;          // 16  of tick / 10
    std::atomic<std::uint32_t> state;  // 24  0 idle, 1 running
    char name[28];                     // 28  text, ends in a NUL; does not change
};

constexpr std::uint32_t MAGIC = 0x53484d31;  // "1MHS" in memory

static_assert(sizeof(Shared) == 56, "Python's \"@IIQdI28s\" has 56 bytes");
// An atomic with a hidden lock would lock inside of one process only.
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "64-bit atomics are without a lock");
static_assert(std::atomic<double>::is_always_lock_free, "atomics of double are without a lock");

// Fills a new segment, whose bytes are all zero. `ready` comes last: who sees it sees the rest.
inline void fill(Shared& shared, const char* name) {
    shared.size = sizeof(Shared);
    std::strncpy(shared.name, name, sizeof shared.name - 1);
    shared.ready.store(MAGIC, std::memory_order_release);
}

// Each value is whole whenever it is read; tick and sine together may be of
// two steps. Who needs them together uses a lock, or a counter around them.
inline void step(Shared& shared) {
    const std::uint64_t tick = shared.tick.load() + 1;
    shared.state = 1;
    shared.sine = std::sin(static_cast<double>(tick) / 10);
    shared.tick = tick;
}

// Whether these bytes are what we think they are.
inline bool is_ready(const Shared& shared) {
    return shared.ready.load(std::memory_order_acquire) == MAGIC && shared.size == sizeof(Shared);
}
