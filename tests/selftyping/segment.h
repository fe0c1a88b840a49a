// Maps the segment of a test program, says so, and waits.

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

// The name of a POSIX object, or the key of a System V segment.
static const char *segment_name;

static void *map_segment(size_t size) {
    if (segment_name[0] != '/') {
        void *address = shmat(shmget((key_t)atoi(segment_name), size, IPC_CREAT | 0600), NULL, 0);
        if (address == (void *)-1) exit(1);
        return address;
    }
    int file = shm_open(segment_name, O_CREAT | O_RDWR, 0600);
    if (file < 0 || ftruncate(file, (off_t)size) != 0) exit(1);
    void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (address == MAP_FAILED) exit(1);
    close(file);
    return address;
}

static void say_ready(void) {
    if (write(1, "ready\n", 6) != 6) exit(1);
}

// Sleeps until the test closes the standard input.
static void wait_for_end(void) {
    char byte;
    say_ready();
    while (read(0, &byte, 1) > 0) {
    }
}
