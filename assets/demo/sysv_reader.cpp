// Attaches to the segment created by sysv_writer and prints its values.
//
//     g++ -std=c++17 -Wall -Wextra -o sysv_reader sysv_reader.cpp
//     ./sysv_reader [KEY|PATH [COUNT [INTERVAL_MS]]]      ./sysv_reader 0x4d2 10
#include "layout.hpp"
#include "running.hpp"
#include "sysv_key.hpp"

#include <cinttypes>
#include <sys/shm.h>

int main(int argc, char** argv) {
    const key_t key = key_from(argc > 1 ? argv[1] : "0x4d2");
    if (key == -1) return failed("ftok");
    Running running(argc, argv, 2);

    // Size 0 and no IPC_CREAT: only an existing segment.
    const int id = shmget(key, 0, 0);
    if (id == -1) return failed("shmget");

    // Read-only: a write through this mapping raises SIGSEGV.
    void* memory = shmat(id, nullptr, SHM_RDONLY);
    if (memory == reinterpret_cast<void*>(-1)) return failed("shmat");

    // Another program may have created it: check before using it.
    shmid_ds segment{};
    if (shmctl(id, IPC_STAT, &segment) == -1) return failed("shmctl");
    const Shared& shared = *static_cast<const Shared*>(memory);
    if (segment.shm_segsz < sizeof(Shared) || !is_ready(shared)) {
        std::fprintf(stderr, "sysv:%d: unexpected contents\n", id);
        shmdt(memory);
        return EXIT_FAILURE;
    }

    while (running.next()) {
        std::printf("tick %" PRIu64 "  sine %+.3f  state %" PRIu32 "  %.28s\n", shared.tick.load(),
                    shared.sine.load(), shared.state.load(), shared.name);
        std::fflush(stdout);
    }

    // The writer removes it.
    if (shmdt(memory) == -1) return failed("shmdt");
    return EXIT_SUCCESS;
}
