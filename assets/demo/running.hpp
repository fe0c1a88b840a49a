// Runs a number of steps, or until SIGINT (Ctrl-C), SIGTERM or SIGHUP. The
// handler only sets a flag, so the program leaves by its own way out of main
// and takes its segment with it.
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
    // COUNT steps, 0 for no end, with INTERVAL milliseconds in between: the
    // arguments at `first` and behind it, both optional.
    Running(int argc, char** argv, int first)
        : count(argc > first ? std::strtoul(argv[first], nullptr, 0) : 0),
          interval(argc > first + 1 ? std::strtol(argv[first + 1], nullptr, 0) : 100) {
        struct sigaction action {};
        action.sa_handler = [](int) { interrupted = 1; };
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
            sigaction(signal, &action, nullptr);  // no SA_RESTART: it ends the sleep
        }
    }

    // Waits for the next step, but not before the first. False at the end.
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

// Says which call failed and why, and gives the status to leave main with.
inline int failed(const char* call) {
    std::fprintf(stderr, "%s: %s\n", call, std::strerror(errno));
    return EXIT_FAILURE;
}
