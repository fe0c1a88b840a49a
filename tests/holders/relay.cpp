// An object that is always held, but by no process for long: each holder passes
// it to a child and exits. Meanwhile other processes start, attach a segment,
// and exit. Runs for MILLISECONDS from "ready" on.
//
//   relay MILLISECONDS
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

static long now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void check(bool good, const char* what) {
    if (good) return;
    std::perror(what);
    std::exit(1);
}

int main(int, char** argument) {
    const long until = now() + std::atol(argument[1]);
    int fd = open("/dev/shm/relay", O_CREAT | O_EXCL | O_RDWR, 0600);
    check(fd >= 0 && ftruncate(fd, 4096) == 0, "open");
    void* at = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
    check(at != MAP_FAILED, "mmap");
    close(fd);
    int shmid = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    check(shmid >= 0, "shmget");
    std::puts("ready");
    std::fflush(stdout);

    pid_t storm = fork();
    if (storm == 0) {
        check(munmap(at, 4096) == 0, "munmap");
        while (now() < until) {
            pid_t child = fork();
            if (child == 0) {
                _exit(shmat(shmid, nullptr, SHM_RDONLY) == reinterpret_cast<void*>(-1));
            }
            waitpid(child, nullptr, 0);
        }
        shmctl(shmid, IPC_RMID, nullptr);
        _exit(0);
    }
    // Some hold it for less time than a scan takes, some for longer.
    for (unsigned turn = 0; now() < until; ++turn) {
        if (fork() > 0) _exit(0);
        usleep(turn % 8 == 0 ? 20000 : 200);
    }
    unlink("/dev/shm/relay");
    return 0;
}
