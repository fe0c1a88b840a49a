// A bare scan for changes: reads a file piece by piece and compares each piece
// with a copy in memory. For each line on standard input it scans once and
// prints the nanoseconds that took and the number of pieces that differ.
//
//   scan FILE
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, PIECE = 128 << 10 };

int main(int arguments, char** argument) {
    int file = open(arguments > 1 ? argument[1] : "", O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (file < 0 || fstat(file, &stat) != 0) return 1;
    size_t size = stat.st_size - stat.st_size % PIECE;
    // Page-aligned: pread to other addresses is slow on some processors.
    char* buffer = aligned_alloc(PAGE, PIECE);
    char* copy = aligned_alloc(PAGE, size);
    if (!buffer || !copy) return 1;
    for (size_t at = 0; at < size; at += PIECE)
        if (pread(file, copy + at, PIECE, at) != PIECE) return 1;
    char line[16];
    while (fgets(line, sizeof line, stdin)) {
        struct timespec began, ended;
        clock_gettime(CLOCK_MONOTONIC, &began);
        long differ = 0;
        for (size_t at = 0; at < size; at += PIECE) {
            if (pread(file, buffer, PIECE, at) != PIECE) return 1;
            differ += memcmp(buffer, copy + at, PIECE) != 0;
        }
        clock_gettime(CLOCK_MONOTONIC, &ended);
        printf("%lld %ld\n", (ended.tv_sec - began.tv_sec) * 1000000000LL + ended.tv_nsec - began.tv_nsec, differ);
        fflush(stdout);
    }
    return 0;
}
