/* The struct in the System V segment of `shmlens demo`, as a C or C++ program
 * declares it. A test compiles this file and compares the offsets. Natural
 * alignment, little-endian on x86-64. */
#ifndef SHMLENS_DEMO_WORLD_H
#define SHMLENS_DEMO_WORLD_H

#include <stdint.h>

enum demo_phase { DEMO_IDLE = 0, DEMO_RUNNING = 1, DEMO_PAUSED = 2 };

struct demo_sample {
    uint64_t tick;  /* time of the sample */
    double value;   /* the sine at that tick */
};

struct demo_state {
    char made_by[64];             /*   0  text: the creator */
    uint64_t tick;                /*  64  incremented 20 times a second */
    double sine;                  /*  72  sin(tick / 20) */
    int32_t state;                /*  80  enum demo_phase, changes every 5 s */
    char name[28];                /*  84  text: name of the state */
    uint32_t next;                /* 112  index of the next sample to write */
    uint32_t filled;              /* 116  number of samples written, at most 16 */
    struct demo_sample ring[16];  /* 120  one sample every fourth tick */
};                                /* 376 bytes */

#endif
