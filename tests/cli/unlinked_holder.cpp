// Holds POSIX objects that it unlinks: `NAME TEXT open|mapped` for each. "open" keeps
// the descriptor, "mapped" only the mapping. Prints "ready", then waits for its input
// to end.
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char** argv) {
    for (int at = 1; at + 2 < argc; at += 3) {
        int fd = shm_open(argv[at], O_CREAT | O_EXCL | O_RDWR, 0640);
        if (fd < 0 || ftruncate(fd, 8192) != 0) return 1;
        void* memory = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED) return 2;
        std::strcpy(static_cast<char*>(memory), argv[at + 1]);
        if (std::strcmp(argv[at + 2], "mapped") == 0) close(fd);
        if (shm_unlink(argv[at]) != 0) return 3;
    }
    std::puts("ready");
    std::fflush(stdout);
    while (std::getchar() != EOF) {}
}
