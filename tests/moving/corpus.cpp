// Programs whose structs in shared memory are known: the first argument names
// the program, the second the object. Each prints its fields as
// "OFFSET WIDTH KIND CHANGES_PER_SECOND NAME" and "ready", then runs until killed.
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t noise_state = 0x9e3779b97f4a7c15;

static uint64_t noise() {
    noise_state ^= noise_state << 13;
    noise_state ^= noise_state >> 7;
    noise_state ^= noise_state << 17;
    return noise_state * 0x2545f4914f6cdd1d;
}

static double uniform() { return static_cast<double>(noise() >> 11) / 9007199254740992.0; }

static uint64_t now(clockid_t clock) {
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);
}

static const char* object;

template <class T> static volatile T* create() {
    int file = shm_open(object, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0 || ftruncate(file, sizeof(T)) != 0) std::exit(1);
    void* memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) std::exit(1);
    return static_cast<volatile T*>(memory);
}

static void field(size_t offset, size_t width, const char* kind, double hz, const char* name) {
    std::printf("%zu %zu %s %g %s\n", offset, width, kind, hz, name);
}
#define FIELD(type, member, kind, hz) \
    field(offsetof(type, member), sizeof(type::member), kind, hz, #member)

static void write_text(volatile char* target, size_t size, const char* text) {
    for (size_t at = 0; at < size; ++at) {
        target[at] = *text;
        if (*text) ++text;
    }
}

template <size_t N> static void fill_with_noise(volatile uint8_t (&bytes)[N]) {
    for (auto& byte : bytes) byte = static_cast<uint8_t>(noise() >> 9);
}

// Runs a step at a rate. A late step is not made up for.
template <class Step> [[noreturn]] static void run(double hz, Step step) {
    std::puts("ready");
    std::fflush(stdout);
    auto period = std::chrono::nanoseconds(static_cast<int64_t>(1e9 / hz));
    for (uint64_t tick = 1;; ++tick) {
        step(tick);
        timespec pause{period.count() / 1000000000, period.count() % 1000000000};
        nanosleep(&pause, nullptr);
    }
}

static void telemetry() {
    struct Shared {
        char magic[8];
        uint64_t sequence;
        double temperature;
        uint32_t state;
        char status[20];
        uint64_t written_ns;
        float battery;
        uint32_t errors;
    };
    auto* m = create<Shared>();
    write_text(m->magic, 8, "TELEM01");
    FIELD(Shared, sequence, "counter", 1);
    FIELD(Shared, temperature, "float", 1);
    FIELD(Shared, state, "flag", 1);
    FIELD(Shared, status, "text", 1);
    FIELD(Shared, written_ns, "clock", 1);
    FIELD(Shared, battery, "float", 1);
    double temperature = 21.5;
    const char* words[] = {"running", "idle", "calibrating", "waiting"};
    run(1.02, [&](uint64_t tick) {
        m->sequence = tick;
        m->temperature = temperature += uniform() - 0.5;
        m->state = static_cast<uint32_t>(tick & 1 ? 3 : noise() % 2);
        write_text(m->status, 20, words[tick % 4]);
        m->written_ns = now(CLOCK_REALTIME);
        m->battery = 12.6f - 0.01f * static_cast<float>(tick);
    });
}

static void market() {
    struct Shared {
        uint32_t magic, version;
        uint64_t sequence;
        double bid, ask;
        uint64_t volume;
        uint32_t head;
        uint32_t halted;
        uint64_t updated_ns;
        char symbol[8];
        int64_t trades;
    };
    auto* m = create<Shared>();
    m->magic = 0x4d4b5431;
    m->version = 3;
    m->volume = 7000000;
    write_text(m->symbol, 8, "XAUUSD");
    FIELD(Shared, sequence, "counter", 1000);
    FIELD(Shared, bid, "float", 1000);
    FIELD(Shared, ask, "float", 1000);
    FIELD(Shared, volume, "counter", 1000);
    FIELD(Shared, head, "index", 1000);
    FIELD(Shared, halted, "flag", 2);
    FIELD(Shared, updated_ns, "clock", 1000);
    FIELD(Shared, trades, "counter", 300);
    double price = 1834.25;
    run(1000, [&](uint64_t tick) {
        price = std::round((price + (uniform() - 0.5) * 0.2) * 100) / 100;
        m->bid = price;
        m->ask = price + 0.01 * static_cast<double>(1 + noise() % 5);
        m->volume = m->volume + 1 + noise() % 900;
        m->head = static_cast<uint32_t>(tick % 1024);
        if (tick % 400 == 0) m->halted = !m->halted;
        m->updated_ns = now(CLOCK_REALTIME);
        if (noise() % 3 == 0) m->trades = m->trades + 1;
        m->sequence = tick;
    });
}

static void control() {
    struct Shared {
        std::atomic<uint64_t> ticks;
        float position, velocity, torque, target;
        uint64_t stamp;
        uint16_t overruns, retries;
        uint8_t enabled, mode, spare[2];
        uint8_t heartbeat;
    };
    auto* m = create<Shared>();
    FIELD(Shared, ticks, "counter", 8000);
    FIELD(Shared, position, "float", 8000);
    FIELD(Shared, velocity, "float", 8000);
    FIELD(Shared, torque, "float", 8000);
    FIELD(Shared, stamp, "clock", 8000);
    FIELD(Shared, overruns, "counter", 40);
    FIELD(Shared, retries, "counter", 100);
    FIELD(Shared, enabled, "flag", 3);
    FIELD(Shared, mode, "flag", 8);
    m->target = 1.5f;
    run(10000, [&](uint64_t tick) {
        double t = static_cast<double>(tick) / 5000;
        m->position = static_cast<float>(std::sin(t));
        m->velocity = static_cast<float>(std::cos(t) * 6.28);
        m->torque = static_cast<float>(4 + 0.3 * uniform());
        m->stamp = now(CLOCK_MONOTONIC);
        if (tick % 150 == 0) m->overruns = static_cast<uint16_t>(m->overruns + 1);
        if (tick % 60 == 0) m->retries = static_cast<uint16_t>(m->retries + 1);
        if (tick % 2500 == 0) m->enabled = !m->enabled;
        if (tick % 1000 == 0) m->mode = static_cast<uint8_t>(noise() % 4);
        m->ticks.store(tick);
    });
}

static void ring() {
    struct Slot {
        uint64_t sequence;
        double price;
        uint8_t body[48];
    };
    struct Shared {
        uint64_t magic;
        uint64_t produced;
        uint64_t consumed;
        uint32_t write_at, read_at;
        uint8_t pad[96];
        Slot slots[64];
    };
    auto* m = create<Shared>();
    m->magic = 0x52494e4721;
    FIELD(Shared, produced, "counter", 1000);
    FIELD(Shared, consumed, "counter", 1000);
    FIELD(Shared, write_at, "index", 1000);
    FIELD(Shared, read_at, "index", 1000);
    run(1000, [&](uint64_t tick) {
        auto& slot = m->slots[tick % 64];
        slot.sequence = tick;
        slot.price = 100 + uniform();
        fill_with_noise(slot.body);
        m->write_at = static_cast<uint32_t>(tick % 64);
        m->read_at = static_cast<uint32_t>((tick + 60) % 64);
        m->produced = tick;
        m->consumed = tick > 4 ? tick - 4 : 0;
    });
}

static void slow_ring() {
    struct Slot {
        uint32_t sequence, length;
        float sample[4];
    };
    struct Shared {
        uint32_t head, count;
        uint64_t dropped;
        uint8_t pad[48];
        Slot slots[32];
    };
    auto* m = create<Shared>();
    FIELD(Shared, head, "index", 20);
    FIELD(Shared, dropped, "counter", 4);
    m->count = 32;
    run(20, [&](uint64_t tick) {
        auto& slot = m->slots[tick % 32];
        slot.sequence = static_cast<uint32_t>(tick);
        slot.length = static_cast<uint32_t>(16 + noise() % 100);
        for (auto& sample : slot.sample) sample = static_cast<float>(uniform());
        m->head = static_cast<uint32_t>(tick % 32);
        if (tick % 5 == 0) m->dropped = m->dropped + 1;
    });
}

static void adjacent() {
    struct Shared {
        uint32_t a, b, c, d;
        uint16_t e, f;
        uint8_t g, h, i, j;
        uint64_t k, l;
        uint32_t counter;
        float gain;
        uint32_t down;
        uint32_t pages;
    };
    auto* m = create<Shared>();
    m->a = 1000000;
    m->down = 100000;
    m->l = 1ull << 33;
    for (auto* name : {"a", "b", "c", "d"}) field((name[0] - 'a') * 4u, 4, "counter", 100, name);
    FIELD(Shared, e, "counter", 100);
    FIELD(Shared, f, "counter", 50);
    FIELD(Shared, g, "counter", 100);
    FIELD(Shared, h, "flag", 10);
    FIELD(Shared, k, "counter", 100);
    FIELD(Shared, l, "counter", 100);
    FIELD(Shared, counter, "counter", 100);
    FIELD(Shared, gain, "float", 100);
    FIELD(Shared, down, "counter", 100);
    FIELD(Shared, pages, "counter", 100);
    m->i = 7;
    run(100, [&](uint64_t tick) {
        m->a = m->a + 1;
        m->b = m->b + 1;
        m->c = m->c + 3;
        m->d = m->d + static_cast<uint32_t>(noise() % 20) + 1;
        m->e = static_cast<uint16_t>(m->e + 1);
        if (tick % 2) m->f = static_cast<uint16_t>(m->f + 1);
        m->g = static_cast<uint8_t>(m->g + 1);
        if (tick % 10 == 0) m->h = static_cast<uint8_t>(noise() % 3);
        m->k = m->k + 1500;
        m->l = m->l + noise() % 100000 + 1;
        m->counter = m->counter + 1;
        m->gain = static_cast<float>(uniform() * 10);
        m->down = m->down - 1;
        m->pages = m->pages + 4096;
    });
}

static void network() {
    struct Shared {
        uint64_t packets, bytes, errors;
        double load;
        uint32_t queue_head, queue_tail, clients;
        char peer[32];
        uint64_t jumps;
    };
    auto* m = create<Shared>();
    FIELD(Shared, packets, "counter", 4000);
    FIELD(Shared, bytes, "counter", 4000);
    FIELD(Shared, errors, "counter", 2);
    FIELD(Shared, load, "float", 10);
    FIELD(Shared, queue_head, "index", 4000);
    FIELD(Shared, queue_tail, "index", 4000);
    FIELD(Shared, peer, "text", 5);
    FIELD(Shared, jumps, "counter", 4000);
    m->clients = 17;
    run(5000, [&](uint64_t tick) {
        m->packets = tick;
        m->bytes = m->bytes + 60 + noise() % 1440;
        if (tick % 2000 == 0) m->errors = m->errors + 1;
        if (tick % 400 == 0) m->load = 0.5 + 0.4 * std::sin(static_cast<double>(tick) / 4000);
        m->queue_head = static_cast<uint32_t>(tick % 4096);
        m->queue_tail = static_cast<uint32_t>((tick + 3000) % 4096);
        if (tick % 800 == 0) {
            char text[32];
            std::snprintf(text, sizeof text, "10.0.%u.%u:8080", unsigned(noise() % 256), unsigned(noise() % 256));
            write_text(m->peer, 32, text);
        }
        m->jumps = m->jumps + (noise() % 3000 == 0 ? 50000000 : 1);
    });
}

static void game() {
    struct Shared {
        float x, y, z, yaw;
        uint32_t frame, state;
        float health, score;
        char name[16], scene[16];
        double elapsed;
        int32_t clock_s;
    };
    auto* m = create<Shared>();
    FIELD(Shared, x, "float", 60);
    FIELD(Shared, y, "float", 60);
    FIELD(Shared, z, "float", 60);
    FIELD(Shared, yaw, "float", 60);
    FIELD(Shared, frame, "counter", 60);
    FIELD(Shared, state, "flag", 6);
    FIELD(Shared, health, "float", 6);
    FIELD(Shared, score, "float", 20);
    FIELD(Shared, scene, "text", 2);
    FIELD(Shared, elapsed, "float", 60);
    FIELD(Shared, clock_s, "clock", 1);
    write_text(m->name, 16, "player one");
    const char* scenes[] = {"forest", "castle gate", "river", "town"};
    run(60, [&](uint64_t tick) {
        double t = static_cast<double>(tick) / 60;
        m->x = static_cast<float>(std::cos(t) * 30);
        m->y = static_cast<float>(std::sin(t) * 30);
        m->z = static_cast<float>(uniform() * 0.1);
        m->yaw = static_cast<float>(std::fmod(t, 6.283));
        m->frame = static_cast<uint32_t>(tick);
        if (tick % 10 == 0) m->state = static_cast<uint32_t>(noise() % 5);
        if (tick % 10 == 0) m->health = static_cast<float>(noise() % 101);
        if (tick % 3 == 0) m->score = m->score + 10;
        if (tick % 30 == 0) write_text(m->scene, 16, scenes[noise() % 4]);
        m->elapsed = t;
        m->clock_s = static_cast<int32_t>(std::time(nullptr));
    });
}

static void clocks() {
    struct Shared {
        int64_t seconds;
        uint64_t millis, micros, nanos, monotonic_ns, monotonic_us;
        double unix_time;
        uint32_t short_seconds, uptime_ms_since;
        uint64_t since_start_ns;
    };
    auto* m = create<Shared>();
    FIELD(Shared, seconds, "clock", 1);
    FIELD(Shared, millis, "clock", 50);
    FIELD(Shared, micros, "clock", 50);
    FIELD(Shared, nanos, "clock", 50);
    FIELD(Shared, monotonic_ns, "clock", 50);
    FIELD(Shared, monotonic_us, "clock", 50);
    FIELD(Shared, unix_time, "clock", 50);
    FIELD(Shared, short_seconds, "clock", 1);
    FIELD(Shared, since_start_ns, "clock", 50);
    uint64_t start = now(CLOCK_MONOTONIC);
    run(50, [&](uint64_t) {
        uint64_t wall = now(CLOCK_REALTIME), monotonic = now(CLOCK_MONOTONIC);
        m->seconds = static_cast<int64_t>(wall / 1000000000);
        m->millis = wall / 1000000;
        m->micros = wall / 1000;
        m->nanos = wall;
        m->monotonic_ns = monotonic;
        m->monotonic_us = monotonic / 1000;
        m->unix_time = static_cast<double>(wall) / 1e9;
        m->short_seconds = static_cast<uint32_t>(wall / 1000000000);
        m->since_start_ns = monotonic - start;
    });
}

static void packed() {
#pragma pack(push, 1)
    struct Shared {
        uint8_t state;
        double level;
        uint32_t count;
        uint16_t slot;
        float ratio;
        uint8_t pad;
        uint64_t total;
        char label[9];
        double angle;
    };
#pragma pack(pop)
    auto* m = create<Shared>();
    FIELD(Shared, state, "flag", 5);
    FIELD(Shared, level, "float", 50);
    FIELD(Shared, count, "counter", 50);
    FIELD(Shared, slot, "index", 50);
    FIELD(Shared, ratio, "float", 50);
    FIELD(Shared, total, "counter", 50);
    FIELD(Shared, angle, "float", 50);
    m->pad = 0xff;
    write_text(m->label, 9, "PACKED");
    run(50, [&](uint64_t tick) {
        if (tick % 10 == 0) m->state = static_cast<uint8_t>(noise() % 3);
        m->level = 20 + 5 * std::sin(static_cast<double>(tick) / 40);
        m->count = static_cast<uint32_t>(tick);
        m->slot = static_cast<uint16_t>(tick % 100);
        m->ratio = static_cast<float>(uniform());
        m->total = m->total + 1000 + noise() % 500;
        m->angle = std::fmod(static_cast<double>(tick) * 0.1, 6.283185307) - 3.14;
    });
}

static void random_buffer() {
    struct Shared {
        uint64_t generation;
        uint8_t pad[56];
        uint8_t body[16384];
    };
    auto* m = create<Shared>();
    FIELD(Shared, generation, "counter", 100);
    run(100, [&](uint64_t tick) {
        fill_with_noise(m->body);
        m->generation = tick;
    });
}

// Numbers of which only the upper bytes change.
static void quotes() {
    struct Shared {
        double last, change, lots, level;
        uint32_t zero;
        uint32_t orders;
        float tick_size, margin;
        uint32_t reserved;
        float ratio;
        double open;
        uint16_t low, high;
    };
    auto* m = create<Shared>();
    FIELD(Shared, last, "float", 40);
    FIELD(Shared, change, "float", 40);
    FIELD(Shared, lots, "float", 10);
    FIELD(Shared, level, "float", 2);
    FIELD(Shared, orders, "counter", 40);
    FIELD(Shared, tick_size, "float", 10);
    FIELD(Shared, margin, "float", 40);
    FIELD(Shared, ratio, "float", 40);
    FIELD(Shared, open, "float", 5);
    double price = 4321.25;
    run(40, [&](uint64_t tick) {
        double before = price;
        price += (static_cast<double>(noise() % 9) - 4) * 0.25;
        m->last = price;
        m->change = price - before + 0.5;
        if (tick % 4 == 0) m->lots = static_cast<double>(1 + noise() % 12) * 100;
        if (tick % 20 == 0) m->level = static_cast<double>(1 + tick / 20 % 3);
        m->orders = static_cast<uint32_t>(tick);
        if (tick % 4 == 0) m->tick_size = static_cast<float>(1 + noise() % 8) / 2;
        m->margin = static_cast<float>(noise() % 100);
        m->ratio = static_cast<float>(uniform());
        if (tick % 8 == 0) m->open = static_cast<double>(tick);
    });
}

static void hashes() {
    struct Shared {
        uint64_t height;
        uint8_t digest[32];
        uint64_t nonce;
        uint32_t checksum, spare;
        uint16_t crc, zero[3];
        uint8_t parity;
    };
    auto* m = create<Shared>();
    FIELD(Shared, height, "counter", 2);
    run(2, [&](uint64_t tick) {
        m->height = tick;
        fill_with_noise(m->digest);
        m->nonce = noise();
        m->checksum = static_cast<uint32_t>(noise() >> 32);
        m->crc = static_cast<uint16_t>(noise() >> 24);
        m->parity = static_cast<uint8_t>(noise() >> 16);
    });
}

static void camera() {
    struct Shared {
        uint32_t width, height;
        uint64_t frame;
        uint64_t stamp_ns;
        uint8_t pad[40];
        uint8_t pixels[160 * 120][4];
    };
    auto* m = create<Shared>();
    m->width = 160;
    m->height = 120;
    FIELD(Shared, frame, "counter", 25);
    FIELD(Shared, stamp_ns, "clock", 25);
    run(25, [&](uint64_t tick) {
        for (size_t at = 0; at < 160 * 120; ++at) {
            size_t x = at % 160, y = at / 160;
            m->pixels[at][0] = static_cast<uint8_t>(x + tick);
            m->pixels[at][1] = static_cast<uint8_t>(y + tick * 2);
            m->pixels[at][2] = static_cast<uint8_t>(128 + 100 * std::sin(static_cast<double>(x * y + tick) / 50));
            m->pixels[at][3] = 255;
        }
        m->stamp_ns = now(CLOCK_REALTIME);
        m->frame = tick;
    });
}

static void audio() {
    struct Shared {
        uint64_t periods;
        uint8_t pad[56];
        int16_t samples[1024];
        float mix[512];
    };
    auto* m = create<Shared>();
    FIELD(Shared, periods, "counter", 47);
    double phase = 0;
    run(47, [&](uint64_t tick) {
        for (auto& sample : m->samples) sample = static_cast<int16_t>(9000 * std::sin(phase += 0.05) + uniform() * 200);
        for (auto& sample : m->mix) sample = static_cast<float>(std::sin(phase += 0.031) * 0.7);
        m->periods = tick;
    });
}

int main(int, char** argv) {
    std::string program = argv[1];
    object = argv[2];
    struct {
        const char* name;
        void (*run)();
    } programs[] = {{"telemetry", telemetry}, {"market", market}, {"control", control}, {"ring", ring},
                    {"slow_ring", slow_ring}, {"adjacent", adjacent}, {"network", network}, {"game", game},
                    {"clocks", clocks}, {"packed", packed}, {"random", random_buffer}, {"hashes", hashes}, {"quotes", quotes},
                    {"camera", camera}, {"audio", audio}};
    for (auto& known : programs)
        if (program == known.name) known.run();
    return 1;
}
