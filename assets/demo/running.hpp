// Runs a number of steps, or until SIGINT (Ctrl-C), SIGTERM or SIGHUP. The
// handler only sets a flag, so main returns normally and removes its segment.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <initializer_list>

inline volatile std::sig_atomic_t interrupted = 0;

class Running {
public:
    // Takes COUNT steps (0: no limit) every INTERVAL milliseconds. Both are
    // optional arguments, starting at index `first`.
    Running(int argc, char** argv, int first)
        : count(argc > first ? std::strtoul(argv[first], nullptr, 0) : 0),
          interval(argc > first + 1 ? std::strtol(argv[first + 1], nullptr, 0) : 100) {
        struct sigaction action {};
        action.sa_handler = [](int) { interrupted = 1; };
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
            sigaction(signal, &action, nullptr);  // no SA_RESTART: interrupts the sleep
        }
    }

    // Waits for the next step, except before the first. Returns false at the end.
    bool next() {
        if (done > 0 && (count == 0 || done < count) && !interrupted) {
            const timespec time{interval / 1000, interval % 1000 * 1'000'000};
            nanosleep(&time, nullptr);
        }
        return !interrupted && (count == 0 || done < count) && ++done;
    }

private:
    const unsigned long count;
    const long interval;
    unsigned long done = 0;
};

// Prints the failed call and its error, and returns the exit status.
inline int failed(const char* call) {
    std::fprintf(stderr, "%s: %s\n", call, std::strerror(errno));
    return EXIT_FAILURE;
}
