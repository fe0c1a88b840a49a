// Makes a segment and writes it until its standard input ends:
//   stamp NAME HZ   an object with a count and the time of its last change
//   sysv KEY HZ     the same in an attached System V segment
//   sine NAME HZ    an object with a sine of this frequency, written every 100 µs
//   glitch NAME     an object with 0, which is 1 for 0.3 ms twice a second
//   lock NAME       an object with fields of the same value behind a sequence lock
//   halves NAME HZ  an object with the same value in both halves of 8 bytes across a cache line, written by
//                   a thread that shares its core with two busy ones; HZ 0 writes all the time
// Prints "ready" once the segment has its values.
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <thread>
#include <time.h>
#include <unistd.h>

struct Stamped {
    std::atomic<uint64_t> count, stamp;
};

struct Locked {
    std::atomic<uint32_t> sequence;
    alignas(64) uint8_t before_unaligned[4];
    volatile uint64_t fields[16];
};

static uint64_t now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return uint64_t(time.tv_sec) * 1000000000 + uint64_t(time.tv_nsec);
}

static void* object(const char* name, size_t size) {
    shm_unlink(name);
    int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0 || ftruncate(file, off_t(size)) != 0) return nullptr;
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

static void* segment(const char* key) {
    int shmid = shmget(key_t(strtol(key, nullptr, 0)), 4096, IPC_CREAT | IPC_EXCL | 0600);
    void* memory = shmid < 0 ? nullptr : shmat(shmid, nullptr, 0);
    return memory == reinterpret_cast<void*>(-1) ? nullptr : memory;
}

static void stamp(Stamped* stamped, double hertz) {
    uint64_t start = now(), period = uint64_t(1e9 / hertz);
    for (uint64_t count = 1;; count = (now() - start) / period + 1) {
        uint64_t until = start + count * period;
        timespec time = {time_t(until / 1000000000), long(until % 1000000000)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
        stamped->count.store((now() - start) / period, std::memory_order_relaxed);
        stamped->stamp.store(now(), std::memory_order_relaxed);
    }
}

static void sine(double* value, double hertz) {
    for (;; usleep(100)) {
        volatile double* shared = value;
        *shared = sin(2 * M_PI * hertz * double(now()) / 1e9);
    }
}

static void glitch(std::atomic<uint64_t>* value) {
    for (;; usleep(500000)) {
        value->store(1, std::memory_order_relaxed);
        for (uint64_t start = now(); now() < start + 300000;) {
        }
        value->store(0, std::memory_order_relaxed);
    }
}

static void lock(Locked* locked) {
    for (uint64_t value = 1;; value++) {
        uint32_t sequence = locked->sequence.load(std::memory_order_relaxed);
        locked->sequence.store(sequence + 1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        for (auto& field : locked->fields) field = value;
        locked->sequence.store(sequence + 2, std::memory_order_release);
        for (volatile int pause = 0; pause < 100;) pause = pause + 1;
    }
}

static void pin() {
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    pthread_setaffinity_np(pthread_self(), sizeof first, &first);
}

static void halves(volatile uint32_t* halves, double hertz) {
    for (int busy = 0; busy < 2; busy++) {
        std::thread([] {
            pin();
            for (volatile uint64_t count = 0;;) count = count + 1;
        }).detach();
    }
    pin();
    for (uint32_t value = 1;; value++) {
        halves[0] = value;
        halves[1] = value;
        if (hertz > 0) usleep(useconds_t(1e6 / hertz));
    }
}

int main(int count, char** arguments) {
    if (count < 3) return 2;
    bool is_lock = strcmp(arguments[1], "lock") == 0, is_sine = strcmp(arguments[1], "sine") == 0;
    double hertz = count > 3 ? atof(arguments[3]) : 1000;
    void* memory = strcmp(arguments[1], "sysv") == 0 ? segment(arguments[2]) : object(arguments[2], 4096);
    if (!memory) return perror("writer"), 1;
    std::thread([=] {
        if (is_lock) {
            lock(new (memory) Locked());
        } else if (strcmp(arguments[1], "glitch") == 0) {
            glitch(new (memory) std::atomic<uint64_t>());
        } else if (strcmp(arguments[1], "halves") == 0) {
            halves(reinterpret_cast<uint32_t*>(static_cast<char*>(memory) + 60), hertz);
        } else if (is_sine) {
            sine(static_cast<double*>(memory), hertz);
        } else {
            auto stamped = new (memory) Stamped();
            stamped->stamp = now();
            stamp(stamped, hertz);
        }
    }).detach();
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF) {
    }
    _exit(0);
}
