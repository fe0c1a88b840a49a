// Holds unlinked POSIX objects in three ways that are hard to see: /by_thread is mapped by a process
// whose main thread has ended, /own_table is open in a thread with its own descriptor table, and /privately is
// only mapped privately. Prints "ready", then waits for its input to end.
#include <cstdio>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int create(const char* name) {
    int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0640);
    if (fd < 0 || ftruncate(fd, 8192) != 0 || write(fd, name, std::strlen(name)) < 0) _exit(1);
    shm_unlink(name);
    return fd;
}

static void ready() {
    char byte = 'r';
    if (write(3, &byte, 1) != 1) _exit(2);
}

// The test may kill the parent.
static void end_with_parent() {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void* wait_mapped(void*) {
    end_with_parent();
    ready();
    for (;;) pause();
}

static void* wait_open(void*) {
    if (unshare(CLONE_FILES) != 0) _exit(3);
    create("/own_table");
    ready();
    for (;;) pause();
}

int main() {
    int ends[2];
    if (pipe(ends) != 0) return 4;
    pid_t children[3];
    for (int way = 0; way < 3; way++) {
        children[way] = fork();
        if (children[way] != 0) continue;
        end_with_parent();
        dup2(ends[1], 3);
        pthread_t thread;
        if (way == 0) {
            int fd = create("/by_thread");
            if (mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED) _exit(5);
            close(fd);
            pthread_create(&thread, nullptr, wait_mapped, nullptr);
            pthread_exit(nullptr);
        } else if (way == 1) {
            pthread_create(&thread, nullptr, wait_open, nullptr);
            for (;;) pause();
        } else {
            int fd = create("/privately");
            if (mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED) _exit(6);
            close(fd);
            ready();
            for (;;) pause();
        }
    }
    for (int way = 0; way < 3; way++) {
        char byte;
        if (read(ends[0], &byte, 1) != 1) return 7;
    }
    std::puts("ready");
    std::fflush(stdout);
    while (std::getchar() != EOF) {}
    for (pid_t child : children) {
        kill(child, 9);
        waitpid(child, nullptr, 0);
    }
}
