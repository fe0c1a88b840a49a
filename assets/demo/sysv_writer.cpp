// Creates a System V segment, updates its values, and removes it on exit.
//
//     g++ -std=c++17 -Wall -Wextra -o sysv_writer sysv_writer.cpp
//     ./sysv_writer [KEY|PATH [COUNT [INTERVAL_MS]]]      ./sysv_writer 0x4d2
#include "layout.hpp"
#include "running.hpp"
#include "sysv_key.hpp"

#include <new>
#include <sys/shm.h>

int main(int argc, char** argv) {
    const key_t key = key_from(argc > 1 ? argv[1] : "0x4d2");
    if (key == -1) return failed("ftok");
    Running running(argc, argv, 2);

    // IPC_EXCL: fail if the key exists, rather than open a segment of another
    // program.
    const int id = shmget(key, sizeof(Shared), IPC_CREAT | IPC_EXCL | 0600);
    if (id == -1) return failed("shmget");

    void* memory = shmat(id, nullptr, 0);
    if (memory == reinterpret_cast<void*>(-1)) {
        const int status = failed("shmat");
        shmctl(id, IPC_RMID, nullptr);
        return status;
    }

    Shared& shared = *new (memory) Shared{};
    fill(shared, "written by C++");
    std::printf("sysv:%d, key 0x%08x, %zu bytes\n", id, static_cast<unsigned>(key), sizeof(Shared));
    std::fflush(stdout);

    while (running.next()) step(shared);

    // Removes the key now, so no process finds it anymore; the memory is freed
    // when the last process detaches.
    if (shmdt(memory) == -1) return failed("shmdt");
    if (shmctl(id, IPC_RMID, nullptr) == -1) return failed("shmctl");
    std::puts("removed");
    return EXIT_SUCCESS;
}
