// Wakes at a fixed rate and does nothing else, but skips ticks that have passed: nanosleep HZ SECONDS
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int count, char** arguments) {
    if (count < 3) return 2;
    long long period = (long long)(1e9 / atof(arguments[1])), start = now();
    long long end = start + (long long)(1e9 * atof(arguments[2]));
    prctl(PR_SET_TIMERSLACK, 1);
    for (long long due = start; due < end; due += ((now() - due) / period + 1) * period) {
        struct timespec time = {due / 1000000000, due % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
    }
    return 0;
}
