// The struct that the programs in this directory share, with the same bytes in
// C++ and Python. Only fixed-size types, no pointers (an address is meaningless
// in another process), and atomics for everything that processes share.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>

struct Shared {
    std::atomic<std::uint32_t> ready;  //  0  MAGIC, once everything else is set
    std::uint32_t size;                //  4  sizeof(Shared) in the creator
    std::atomic<std::uint64_t> tick;   //  8  incremented each step
    std::atomic<double> sine;          // 16  sin(tick / 10)
    std::atomic<std::uint32_t> state;  // 24  0 idle, 1 running
    char name[28];                     // 28  NUL-terminated text; never changes
};

constexpr std::uint32_t MAGIC = 0x53484d31;  // "1MHS" in memory

static_assert(sizeof(Shared) == 56, "Python's \"@IIQdI28s\" has 56 bytes");
// An atomic with an internal lock would only lock within one process.
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "64-bit atomics must be lock-free");
static_assert(std::atomic<double>::is_always_lock_free, "atomic doubles must be lock-free");

// Initializes a new, zeroed segment. Sets `ready` last: a reader that sees it sees the rest.
inline void fill(Shared& shared, const char* name) {
    shared.size = sizeof(Shared);
    std::strncpy(shared.name, name, sizeof shared.name - 1);
    shared.ready.store(MAGIC, std::memory_order_release);
}

// Each value is always consistent, but tick and sine may be from different
// steps. To read them together, use a lock or a sequence counter.
inline void step(Shared& shared) {
    const std::uint64_t tick = shared.tick.load() + 1;
    shared.state = 1;
    shared.sine = std::sin(static_cast<double>(tick) / 10);
    shared.tick = tick;
}

// Returns whether a creator with the same layout has initialized it.
inline bool is_ready(const Shared& shared) {
    return shared.ready.load(std::memory_order_acquire) == MAGIC && shared.size == sizeof(Shared);
}
