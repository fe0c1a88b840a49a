// Writes to a shared object from several threads and functions, and counts its own writes.
//
// The arguments are the object and the functions, one for each thread. Commands come on standard
// input: "go" starts to write, "stop" stops and prints "TID FUNCTION COUNT" for each thread, "add
// FUNCTION" starts another thread, "hot" writes as fast as it can and prints writes per millisecond.

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>

static volatile uint64_t *value;
static std::atomic<bool> writes{false};

struct Motor {
    uint64_t ticks = 0;
    __attribute__((noinline)) void step() {
        *value = ++ticks; // Motor::step
    }
};

namespace sensor {
template <typename T> struct Filter {
    T last{};
    __attribute__((noinline)) void sample() {
        last += 1;
        *value = last; // sensor::Filter<unsigned long>::sample
    }
};
} // namespace sensor

// The size is unknown, so that memcpy is called.
__attribute__((noinline)) static void copy_frame(const char *frame, size_t size) {
    memcpy(const_cast<uint64_t *>(value), frame, size); // copy_frame
    asm volatile("" ::: "memory");
}

__attribute__((noinline)) static void increment(std::atomic<uint64_t> &counter) {
    counter.fetch_add(1); // increment
}

static inline __attribute__((always_inline)) void set_inlined(uint64_t to) {
    *value = to; // set_inlined
}

__attribute__((noinline)) static void caller_of_inlined(uint64_t to) {
    set_inlined(to); // caller_of_inlined
    asm volatile("" ::: "memory");
}

struct Thread {
    std::string function;
    std::atomic<pid_t> tid{0};
    // Held while it writes and counts.
    std::mutex mutex;
    uint64_t count = 0;
};

static std::vector<std::unique_ptr<Thread>> threads;

static void write_once(const Thread &self, Motor &motor, sensor::Filter<unsigned long> &filter) {
    static char frame[64];
    static volatile size_t size = sizeof frame;
    auto *shared = const_cast<uint64_t *>(value);
    if (self.function == "step") motor.step();
    else if (self.function == "sample") filter.sample();
    else if (self.function == "copy") copy_frame(frame, size);
    else if (self.function == "atomic") increment(*reinterpret_cast<std::atomic<uint64_t> *>(shared));
    else caller_of_inlined(self.count);
}

static void run(Thread *self) {
    self->tid = static_cast<pid_t>(syscall(SYS_gettid));
    Motor motor;
    sensor::Filter<unsigned long> filter;
    const timespec pause{0, 4'900'000};
    for (;;) {
        {
            std::lock_guard<std::mutex> lock(self->mutex);
            if (writes) {
                write_once(*self, motor, filter);
                ++self->count;
            }
        }
        nanosleep(&pause, nullptr);
    }
}

static pid_t start(const std::string &function) {
    threads.push_back(std::make_unique<Thread>());
    Thread *thread = threads.back().get();
    thread->function = function;
    std::thread(run, thread).detach();
    while (thread->tid == 0) usleep(100);
    return thread->tid;
}

// Writes for 20 ms and returns the writes per millisecond.
__attribute__((noinline)) static uint64_t burn() {
    timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    uint64_t count = 0;
    do {
        for (int i = 0; i < 100; ++i) *value = ++count; // burn
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < 20);
    return count / 20;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    int fd = shm_open(argv[1], O_RDWR, 0);
    void *address = fd < 0 ? MAP_FAILED : mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) return 1;
    value = static_cast<uint64_t *>(address);
    for (int i = 2; i < argc; ++i) start(argv[i]);
    std::cout << "ready" << std::endl;
    std::string command, function;
    while (std::cin >> command) {
        if (command == "go") {
            writes = true;
        } else if (command == "add") {
            std::cin >> function;
            std::cout << start(function) << std::endl;
        } else if (command == "hot") {
            std::cout << burn() << std::endl;
        } else if (command == "stop") {
            writes = false;
            for (auto &thread : threads) {
                std::lock_guard<std::mutex> lock(thread->mutex);
                std::cout << thread->tid << ' ' << thread->function << ' ' << thread->count << std::endl;
            }
        }
    }
    _exit(0);
}
