// Creates a POSIX object, updates its values, and removes it on exit. Its
// default name looks like a System V key, but the object /1234 and the key 1234
// are unrelated.
//
//     g++ -std=c++17 -Wall -Wextra -o posix_writer posix_writer.cpp
//     ./posix_writer [NAME [COUNT [INTERVAL_MS]]]         ./posix_writer /1234
#include "layout.hpp"
#include "running.hpp"

#include <fcntl.h>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char** argv) {
    const char* name = argc > 1 ? argv[1] : "/1234";
    Running running(argc, argv, 2);

    // O_EXCL: never open an existing object.
    const int file = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (file == -1) return failed("shm_open");

    // A new object is empty; touching a mapping past its end raises SIGBUS.
    void* memory = MAP_FAILED;
    if (ftruncate(file, sizeof(Shared)) == 0) {
        memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    if (memory == MAP_FAILED) {
        const int status = failed("ftruncate or mmap");
        shm_unlink(name);
        return status;
    }
    close(file);  // the mapping keeps it alive

    Shared& shared = *new (memory) Shared{};
    fill(shared, "written by C++");
    std::printf("posix:%s, %zu bytes\n", name, sizeof(Shared));
    std::fflush(stdout);

    while (running.next()) step(shared);

    // Unlinks the name now; the memory is freed when no process has it mapped or open.
    if (munmap(memory, sizeof(Shared)) == -1) return failed("munmap");
    if (shm_unlink(name) == -1) return failed("shm_unlink");
    std::puts("removed");
    return EXIT_SUCCESS;
}
