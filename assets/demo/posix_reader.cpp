// Attaches to the object created by posix_writer.cpp or posix_writer.py and
// prints its values.
//
//     g++ -std=c++17 -Wall -Wextra -o posix_reader posix_reader.cpp
//     ./posix_reader [NAME [COUNT [INTERVAL_MS]]]         ./posix_reader /1234 10
#include "layout.hpp"
#include "running.hpp"

#include <cinttypes>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char** argv) {
    const char* name = argc > 1 ? argv[1] : "/1234";
    Running running(argc, argv, 2);

    const int file = shm_open(name, O_RDONLY, 0);
    if (file == -1) return failed("shm_open");

    // The creator may not have set its size yet, and touching a mapping past the
    // end raises SIGBUS.
    struct stat object {};
    if (fstat(file, &object) == -1) return failed("fstat");
    if (object.st_size < static_cast<off_t>(sizeof(Shared))) {
        std::fprintf(stderr, "posix:%s: unexpected contents\n", name);
        return EXIT_FAILURE;
    }
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) return failed("mmap");
    close(file);

    const Shared& shared = *static_cast<const Shared*>(memory);
    if (!is_ready(shared)) {
        std::fprintf(stderr, "posix:%s: unexpected contents\n", name);
        return EXIT_FAILURE;
    }

    while (running.next()) {
        std::printf("tick %" PRIu64 "  sine %+.3f  state %" PRIu32 "  %.28s\n", shared.tick.load(),
                    shared.sine.load(), shared.state.load(), shared.name);
        std::fflush(stdout);
    }

    // The writer unlinks it.
    if (munmap(memory, sizeof(Shared)) == -1) return failed("munmap");
    return EXIT_SUCCESS;
}
