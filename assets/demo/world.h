/* What `shmlens demo` keeps in its System V segment, as a C or C++ program
 * would declare it. The program writes these offsets; a test compiles this file
 * and compares. Natural alignment, little-endian on x86-64. */
#ifndef SHMLENS_DEMO_WORLD_H
#define SHMLENS_DEMO_WORLD_H

#include <stdint.h>

enum demo_phase { DEMO_IDLE = 0, DEMO_RUNNING = 1, DEMO_PAUSED = 2 };

struct demo_sample {
    uint64_t tick;  /* when it was taken */
    double value;   /* the sine then */
};

struct demo_state {
    char made_by[64];             /*   0  text: who made this */
    uint64_t tick;                /*  64  one more, 20 times a second */
    double sine;                  /*  72  of tick / 20 */
    int32_t state;                /*  80  enum demo_phase, another every 5 s */
    char name[28];                /*  84  text: what the state is called */
    uint32_t next;                /* 112  the ring's sample that is written next */
    uint32_t filled;              /* 116  how many of them have been written, at most 16 */
    struct demo_sample ring[16];  /* 120  a sample every fourth tick */
};                                /* 376 bytes */

#endif
