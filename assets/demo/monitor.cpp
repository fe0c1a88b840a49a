// Attaches to the System V segment of `shmlens demo` and reads its struct under its lock. The demo
// compiles it with -g where g++ is installed, so that shmlens finds the type of the segment: the
// debug information tells that `state` is a pointer to a demo_state.
//
//     g++ -std=c++17 -g -Wall -Wextra -o monitor monitor.cpp -pthread
//     ./monitor SHMID
#include "world.h"

#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <unistd.h>

static demo_state* state;

// The mean of the samples in the ring buffer.
static double mean() {
    double sum = 0;
    for (uint32_t index = 0; index < state->filled && index < 16; ++index) sum += state->ring[index].value;
    return state->filled > 0 ? sum / state->filled : 0;
}

int main(int argc, char** argv) {
    prctl(PR_SET_NAME, "monitor");
    if (argc != 2) return EXIT_FAILURE;
    void* memory = shmat(std::atoi(argv[1]), nullptr, 0);
    if (memory == reinterpret_cast<void*>(-1)) {
        std::perror("shmat");
        return EXIT_FAILURE;
    }
    state = static_cast<demo_state*>(memory);
    std::puts("ready");
    std::fflush(stdout);

    while (true) {
        if (pthread_mutex_lock(&state->lock) != 0) return EXIT_FAILURE;
        const double now = mean();
        pthread_mutex_unlock(&state->lock);
        if (now > 1) std::puts("the sine is above 1");
        // The demo never writes to the standard input, but ends it.
        pollfd input{STDIN_FILENO, POLLIN, 0};
        if (poll(&input, 1, 500) != 0) return EXIT_SUCCESS;
    }
}
