// Points to a segment in many ways, one way an argument.

#include "segment.h"
#include <atomic>
#include <memory>
#include <optional>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <span>
#include <time.h>
#include <vector>

namespace nav {

enum class Mode : int { Idle, Cruise = 4, Land };

struct Frame {
    uint64_t tick;
    double speed;
    float gains[3];
    Mode mode;
    char name[16];
    bool armed;
};

struct Base {
    uint32_t version;
    float scale;
};

struct Derived : Base {
    double position[3];
    Mode mode;
};

struct Header {
    uint32_t magic, count;
    double rate;
    char name[48];
};

struct Item {
    int32_t id;
    float weight;
    Mode mode;
    char label[12];
};

struct Vector {
    double x, y, z;
};

struct State {
    Vector position;
    double time, step, mass;
};

template <class T, int N> struct Ring {
    uint32_t head, tail;
    T values[N];
    Mode mode;
};

struct Io {
    int file;
    Frame *frame;
};

class App {
public:
    virtual ~App() = default;
    Io io{};
};

struct Inner {
    Frame *frame;
};

struct Outer {
    Inner *inner;
};

struct View {
    Frame &frame;
};

struct Hub {
    static inline Frame *frame;
};

struct Unmap {
    void operator()(Frame *) const {}
};

Frame *frame;
App app;
std::unique_ptr<App> heap;
std::shared_ptr<App> shared;
Outer *outer;
std::unique_ptr<Frame, Unmap> owner;
std::atomic<Frame *> atomic;
std::span<Item> span;
View *view;
Frame *slots[4];
std::vector<Frame *> list;
Ring<float, 4> *ring;
Base *base;
Derived *derived;
Header *header;
Item *items;
Vector *vector;
const volatile Frame *constant;
std::optional<Frame *> optional;

static void fill(Frame &frame) {
    frame.tick = 7;
    frame.speed = 12.5;
    for (int i = 0; i < 3; i++) frame.gains[i] = 0.5F + float(i);
    frame.mode = Mode::Cruise;
    strcpy(frame.name, "camera");
    frame.armed = true;
}

static void *map_frame(size_t size = sizeof(Frame), size_t offset = 0) {
    char *start = static_cast<char *>(map_segment(size));
    fill(*reinterpret_cast<Frame *>(start + offset));
    return start + offset;
}

static void fill(Item *items, int count) {
    for (int i = 0; i < count; i++) items[i] = {i, 1.5F, Mode::Land, "item"};
}

// Globals, statics and members.

static void global() { frame = static_cast<Frame *>(map_frame()); }
static void static_local() {
    static Frame *frame;
    frame = static_cast<Frame *>(map_frame());
    wait_for_end();
    frame->tick++;
}
static void static_member() { Hub::frame = static_cast<Frame *>(map_frame()); }
static void member() { app.io.frame = static_cast<Frame *>(map_frame()); }
static void on_heap() {
    heap = std::make_unique<App>();
    heap->io.frame = static_cast<Frame *>(map_frame());
}
static void shared_on_heap() {
    shared = std::make_shared<App>();
    shared->io.frame = static_cast<Frame *>(map_frame());
}
static void far_on_heap() { outer = new Outer{new Inner{static_cast<Frame *>(map_frame())}}; }
static void owned() { owner.reset(static_cast<Frame *>(map_frame())); }
static void of_atomic() { atomic = static_cast<Frame *>(map_frame()); }
static void of_span() {
    span = {static_cast<Item *>(map_segment(20 * sizeof(Item))), 20};
    fill(span.data(), 20);
}
static void of_reference() { view = new View{*static_cast<Frame *>(map_frame())}; }
static void of_slots() {
    for (int i = 0; i < 4; i++) slots[i] = static_cast<Frame *>(map_frame(4 * sizeof(Frame), 0)) + i;
    for (Frame *one : slots) fill(*one);
}
static void of_list() { list.push_back(static_cast<Frame *>(map_frame())); }
static void of_template() {
    ring = static_cast<Ring<float, 4> *>(map_segment(sizeof *ring));
    *ring = {1, 3, {0.5F, 1.5F, 2.5F, 3.5F}, Mode::Cruise};
}
static void of_derived() {
    derived = static_cast<Derived *>(map_segment(sizeof *derived));
    derived->version = 3;
    derived->position[1] = 2.25;
}
static void of_base_and_derived() {
    of_derived();
    base = derived;
}
static void with_header() {
    header = static_cast<Header *>(map_segment(sizeof *header + 30 * sizeof *items));
    *header = {0x5eed, 30, 100.0, "items"};
    items = reinterpret_cast<Item *>(header + 1);
    fill(items, 30);
}
static void in_pages() { frame = static_cast<Frame *>(map_frame(8192, 0)); }
static void at_offset() { frame = static_cast<Frame *>(map_frame(4096, 256)); }
static void of_optional() { optional = static_cast<Frame *>(map_frame()); }
static void in_second_page() {
    void *whole = map_segment(2 * 4096);
    int file = shm_open(segment_name, O_RDWR, 0);
    void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 4096);
    if (page == MAP_FAILED) exit(1);
    munmap(whole, 2 * 4096);
    frame = static_cast<Frame *>(page);
    fill(*frame);
}
static void of_array() {
    items = static_cast<Item *>(map_segment(50 * sizeof *items));
    fill(items, 50);
}
static void of_constant() { constant = static_cast<Frame *>(map_frame()); }

// Locals of threads that sleep.

__attribute__((noinline)) static void in_local() {
    Frame *local = static_cast<Frame *>(map_frame());
    wait_for_end();
    local->tick++;
}
__attribute__((noinline)) static void sleep_deep(int depth, Frame &parameter) {
    if (depth > 0) return sleep_deep(depth - 1, parameter);
    say_ready();
    struct pollfd end = {0, POLLIN, 0};
    poll(&end, 1, -1);
    parameter.tick++;
}
static void in_deep_frame() { sleep_deep(5, *static_cast<Frame *>(map_frame())); }
__attribute__((noinline)) static void in_block() {
    for (int i = 0; i < 1; i++) {
        Io io{1, static_cast<Frame *>(map_frame())};
        say_ready();
        struct timespec long_time = {1000, 0};
        nanosleep(&long_time, nullptr);
        io.frame->tick++;
    }
}
// Between wakes, its registers are unknown.
__attribute__((noinline)) static void awake() {
    Frame *local = static_cast<Frame *>(map_frame());
    say_ready();
    struct pollfd end = {0, POLLIN, 0};
    while (poll(&end, 1, 10) == 0) local->tick++;
}
static void *sleep_in_thread(void *) {
    Frame *local = static_cast<Frame *>(map_frame());
    sem_t never;
    sem_init(&never, 0, 0);
    say_ready();
    sem_wait(&never);
    local->tick++;
    return nullptr;
}
static void in_thread() {
    pthread_t thread;
    pthread_create(&thread, nullptr, sleep_in_thread, nullptr);
    char byte;
    if (read(0, &byte, 1) != 0) exit(1);
    exit(0);
}
static void in_join() {
    Frame *local = static_cast<Frame *>(map_frame());
    auto wait = [](void *) -> void * {
        wait_for_end();
        exit(0);
    };
    pthread_t thread;
    pthread_create(&thread, nullptr, wait, nullptr);
    pthread_join(thread, nullptr);
    local->tick++;
}

// Decoys: pointers that lie.

struct Twin {
    double values[5];
    uint64_t counters[2];
};
static_assert(sizeof(Twin) == sizeof(Frame));

// Any bytes may be of this type.
struct Blank {
    uint64_t words[7];
};
static_assert(sizeof(Blank) == sizeof(Frame));

struct Old {
    double a, b, c, d;
};

union Either {
    Frame *frame;
    Twin *twin;
};

struct Kept {
    Twin *twin;
};

Twin *twin;
Old *old;
void *plain;
char *text;
uint64_t *words;
double *numbers;
Mode *mode;
Either either;
Kept *kept;

static void past_the_end() {
    plain = map_frame(4096, 0);
    frame = reinterpret_cast<Frame *>(static_cast<char *>(plain) + 4096);
    items = reinterpret_cast<Item *>(static_cast<char *>(plain) + 4090);
}
static void stale() {
    twin = static_cast<Twin *>(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(twin, 4096);
    // The segment may get the same address.
    plain = map_segment(3 * 4096);
}
static void remapped() {
    // A file of the same name takes the place of the first one.
    old = static_cast<Old *>(map_segment(sizeof(Old)));
    shm_unlink(segment_name);
    munmap(old, sizeof(Old));
    int file = shm_open(segment_name, O_CREAT | O_RDWR, 0600);
    if (file < 0 || ftruncate(file, sizeof(State)) != 0) exit(1);
    plain = mmap(old, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
    *static_cast<State *>(plain) = {{1.5, 2.5, 3.5}, 4.5, 0, 0};
}
static void same_size() { plain = map_frame(); }
static void wrong_type_too() {
    frame = static_cast<Frame *>(map_frame());
    twin = reinterpret_cast<Twin *>(frame);
}
static void with_words() {
    global();
    static uint32_t *half;
    half = reinterpret_cast<uint32_t *>(frame) + 1;
    words = reinterpret_cast<uint64_t *>(frame) + 2;
    text = reinterpret_cast<char *>(frame);
    *half = 0;
}
static void words_only() {
    words = static_cast<uint64_t *>(map_frame());
    text = reinterpret_cast<char *>(words);
    plain = words;
}
static void numbers_only() { numbers = static_cast<double *>(map_frame()); }
static void first_enum() {
    ring = nullptr;
    void *start = map_segment(6 * sizeof(Mode));
    mode = static_cast<Mode *>(start);
    *mode = Mode::Land;
}
static void first_member() {
    State *state = static_cast<State *>(map_segment(sizeof(State)));
    *state = {{1.5, 2.5, 3.5}, 4.5, 5.5, 6.5};
    vector = &state->position;
    plain = state;
}
static void inner_member() {
    first_member();
    vector = reinterpret_cast<Vector *>(&static_cast<State *>(plain)->time);
}
static void base_only() {
    of_derived();
    base = derived;
    base->scale = 2.5F;
    derived->mode = Mode::Cruise;
    plain = derived;
    derived = nullptr;
}
static void enum_in_pages() {
    mode = static_cast<Mode *>(map_segment(4096));
    for (int i = 0; i < 20; i++) mode[i] = Mode::Cruise;
}
static void prefix() {
    void *start = map_segment(4096);
    old = static_cast<Old *>(start);
    *old = {1.5, 2.5, 3.5, 4.5};
    memset(old + 1, 0x11, 4096 - sizeof *old);
    plain = start;
}
static void either_of() { either.frame = static_cast<Frame *>(map_frame()); }
static void freed() {
    Kept *gone = new Kept{static_cast<Twin *>(map_frame())};
    kept = gone;
    delete gone;
    plain = nullptr;
}
// The address of a local of another type stays on the stack.
__attribute__((noinline)) static void leave_pointer() {
    Frame *volatile before[32];
    void *start = map_frame();
    for (auto &one : before) one = static_cast<Frame *>(start);
    plain = before[31];
}
__attribute__((noinline)) static void sleep_before_use() {
    wait_for_end();
    Blank *volatile late[8];
    for (auto &one : late) one = nullptr;
    plain = late[7];
}
static void not_yet_set() {
    leave_pointer();
    sleep_before_use();
}

// The return address of an earlier call is in the frame of the second one, whose variables are found
// at the wrong place with it.
__attribute__((noinline)) static void sleep_once(bool sleeps, Frame *right, Blank *wrong) {
    void *volatile unused[16];
    if (sleeps) {
        wait_for_end();
        unused[0] = right;
    }
    if (wrong != nullptr) unused[1] = wrong;
}
__attribute__((noinline)) static void call_from_below(Frame *right) {
    volatile char space[40] = {};
    sleep_once(space[0] != 0, right, nullptr);
}
static void called_before() {
    Frame *right = static_cast<Frame *>(map_frame());
    call_from_below(right);
    sleep_once(true, right, nullptr);
}

} // namespace nav

int main(int count, char **words) {
    static const struct {
        const char *name;
        void (*start)();
    } ways[] = {
#define WAY(name) {#name, nav::name}
        WAY(global), WAY(static_local), WAY(static_member), WAY(member), WAY(on_heap), WAY(shared_on_heap),
        WAY(far_on_heap), WAY(owned), WAY(of_atomic), WAY(of_span), WAY(of_reference), WAY(of_slots),
        WAY(of_list), WAY(of_template), WAY(of_derived), WAY(of_base_and_derived), WAY(with_header),
        WAY(in_pages), WAY(at_offset), WAY(of_array), WAY(of_constant), WAY(in_local), WAY(in_deep_frame),
        WAY(in_block), WAY(awake), WAY(in_thread), WAY(in_join), WAY(past_the_end), WAY(stale), WAY(remapped),
        WAY(same_size), WAY(wrong_type_too), WAY(words_only), WAY(numbers_only), WAY(first_enum),
        WAY(first_member), WAY(inner_member),
        WAY(base_only), WAY(enum_in_pages), WAY(prefix), WAY(either_of), WAY(freed), WAY(not_yet_set), WAY(called_before), WAY(of_optional), WAY(with_words), WAY(in_second_page),
    };
    if (count != 3) return 2;
    segment_name = words[1];
    for (auto &way : ways) {
        if (strcmp(way.name, words[2]) == 0) {
            way.start();
            wait_for_end();
            return 0;
        }
    }
    return 2;
}
