// Wakes at a fixed rate and does nothing else: nanosleep HZ SECONDS
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

int main(int count, char** arguments) {
    if (count < 3) return 2;
    long period = (long)(1e9 / atof(arguments[1])), left = (long)(atof(arguments[1]) * atof(arguments[2]));
    struct timespec time;
    prctl(PR_SET_TIMERSLACK, 1);
    clock_gettime(CLOCK_MONOTONIC, &time);
    while (left-- > 0) {
        time.tv_nsec += period;
        time.tv_sec += time.tv_nsec / 1000000000;
        time.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
    }
    return 0;
}
