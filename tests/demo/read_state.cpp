// Reads the demo's struct through the declaration in assets/demo/world.h, fails
// if a field is wrong, and prints the tick.
#include "../../assets/demo/world.h"

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/shm.h>

static_assert(offsetof(demo_state, tick) == 64 && offsetof(demo_state, lock) == 376, "see world.h");
static_assert(sizeof(demo_ring) == 1 << 16 && offsetof(demo_ring, quote) == 128, "see world.h");
static_assert(offsetof(demo_ring, written) == 64 && offsetof(demo_ring, spread) == 92, "see world.h");
static_assert(offsetof(demo_state, sine) == 72 && offsetof(demo_state, state) == 80, "see world.h");
static_assert(offsetof(demo_state, name) == 84 && offsetof(demo_state, next) == 112, "see world.h");
static_assert(offsetof(demo_state, filled) == 116 && offsetof(demo_state, ring) == 120, "see world.h");

static void check(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "%s\n", what);
    std::exit(1);
}

static bool is_sine(double value, uint64_t tick) {
    return std::fabs(value - std::sin(static_cast<double>(tick) / 20)) < 1e-12;
}

int main(int, char** argv) {
    void* memory = shmat(std::atoi(argv[1]), nullptr, 0);
    check(memory != reinterpret_cast<void*>(-1), "shmat");
    auto& live = *static_cast<demo_state*>(memory);
    check(pthread_mutex_lock(&live.lock) == 0, "lock");
    const demo_state seen = live;
    check(pthread_mutex_unlock(&live.lock) == 0, "unlock");
    const uint64_t tick = seen.tick;

    check(std::strncmp(seen.made_by, "shmlens demo 1 state ", 21) == 0, "made_by");
    check(is_sine(seen.sine, seen.tick), "sine");
    const char* names[] = {"idle", "running", "paused"};
    check(seen.state == static_cast<int32_t>(seen.tick / 100 % 3), "state");
    check(std::strcmp(seen.name, names[seen.state]) == 0, "name");
    const uint64_t samples = seen.tick / 4 + 1;
    check(seen.filled == (samples < 16 ? samples : 16), "filled");
    check(seen.next == samples % 16, "next");
    for (uint64_t sample = samples - seen.filled; sample < samples; ++sample) {
        const demo_sample& entry = seen.ring[sample % 16];
        check(entry.tick == sample * 4 && is_sine(entry.value, entry.tick), "ring");
    }
    std::printf("%llu\n", static_cast<unsigned long long>(tick));
    return 0;
}
