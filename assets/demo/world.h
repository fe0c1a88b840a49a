/* The structs in the segments of `shmlens demo`, as a C or C++ program declares
 * them. A test compiles this file and compares the offsets. Natural alignment,
 * little-endian on x86-64. */
#ifndef SHMLENS_DEMO_WORLD_H
#define SHMLENS_DEMO_WORLD_H

#include <pthread.h>
#include <stdint.h>

enum demo_phase { DEMO_IDLE = 0, DEMO_RUNNING = 1, DEMO_PAUSED = 2 };

struct demo_sample {
    uint64_t tick;  /* time of the sample */
    double value;   /* the sine at that tick */
};

/* The System V segment. */
struct demo_state {
    char made_by[64];             /*   0  text: the creator */
    uint64_t tick;                /*  64  incremented 20 times a second */
    double sine;                  /*  72  sin(tick / 20) */
    enum demo_phase state;        /*  80  changes every 5 s */
    char name[28];                /*  84  text: name of the state */
    uint32_t next;                /* 112  index of the next sample to write */
    uint32_t filled;              /* 116  number of samples written, at most 16 */
    struct demo_sample ring[16];  /* 120  one sample every fourth tick */
    pthread_mutex_t lock;         /* 376  process-shared, locked for each change */
};

struct demo_quote {
    uint64_t number;   /* counts the quotes */
    double price;
    uint32_t quantity;
    char symbol[12];   /* text */
};

/* /demo-ring */
struct demo_ring {
    char made_by[64];               /*   0  text: the creator */
    uint64_t written;               /*  64  number of quotes written, 100 a second */
    uint64_t time;                  /*  72  nanoseconds since 1970 */
    double price;                   /*  80  the last price */
    uint32_t slots;                 /*  88  2044 */
    uint32_t filled;                /*  92  number of quotes in the ring */
    char unused[32];                /*  96 */
    struct demo_quote quote[2044];  /* 128  quote n is in slot n % 2044 */
};                                  /* 65536 bytes */

#endif
