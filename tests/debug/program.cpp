// A program that prints the truth about its types, variables and functions, a line each:
//   T|type|size   F|type|path|offset|size   B|type|path|first bit|bits
//   V|variable|address   P|variable|path|offset|target   N|function|address
#include <array>
#include <atomic>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#if __has_include(<span>) && __cplusplus >= 202002L
#include <span>
#define HAS_SPAN 1
#endif

namespace ns {
enum class Mode : std::int8_t { Off = -1, Idle, On = 5 };
enum Flags { A = 1, B = 0x80000000u };
template <class T, int N> struct Ring {
    T data[N];
    unsigned head;
    struct Slot { T value; bool used; } slots[2];
};
struct Base { int id; char tag; };
struct Other { virtual ~Other() {} double weight; };
struct Derived : Base, Other { short extra; char name[12]; };
struct Virtual : virtual Base { int own; };
class Private { int hidden; public: static int shared; int get() const { return hidden; } };
int Private::shared = 7;
inline namespace v1 { struct Inline { long x; }; }
int counter = 3;
Derived derived; Virtual with_virtual; Inline with_inline; Flags flags; Private with_private;
int compute(int value) { static long calls; calls += value; return static_cast<int>(calls) + counter; }
} // namespace ns

namespace {
struct Hidden { float f; };
Hidden hidden_object;
} // namespace

typedef struct { int tick; unsigned a : 3, b : 7; int c : 12; unsigned long d : 40; bool e : 1; ns::Mode mode : 4; } Telemetry;
typedef double Matrix[3][4];
union Either { float f; unsigned u; struct { short low, high; }; };

struct Node { Node *next; const char *label; Node *(*call)(int); int Node::*member; void (Node::*method)(); };

struct Everything {
    std::atomic<int> count;
    std::atomic<double> level;
    std::atomic<bool> ready;
    std::atomic<ns::Mode> mode;
    std::array<short, 5> shorts;
    std::complex<float> complex;
    char text[10];
    char16_t wide[4];
    char32_t wider[2];
    wchar_t widest[3];
    unsigned char raw[3];
    signed char small;
    bool flag;
    __int128 large;
    unsigned __int128 largest;
    long double extended;
    Matrix matrix;
    const volatile std::uint16_t port;
    decltype(nullptr) nothing;
    int &reference;
    union { int one; float two; };
    struct { int three; } four;
    int flexible[];
};

struct Shared { Telemetry frames[4]; ns::Ring<float, 4> ring; };
Shared *shared;
std::atomic<Shared *> atomic_shared;
std::unique_ptr<Shared> unique_shared;
std::shared_ptr<Shared> counted_shared;
Shared &reference_shared = *new Shared();
struct Holder { int before; Shared *const pointers[3]; Either *either; void *nothing; } holder = {1, {}, nullptr, nullptr};
#ifdef HAS_SPAN
std::span<Telemetry> span;
#endif
thread_local int per_thread = 4;

#define T(type) std::printf("T|%s|%zu\n", #type, sizeof(type))
template <class Type> alignas(64) unsigned char storage[sizeof(Type) + 8];
#define F(type, path) do { auto *object = reinterpret_cast<type *>(storage<type>); \
    std::printf("F|%s|%s|%zu|%zu\n", #type, #path, (size_t)((char *)&object->path - (char *)object), sizeof(object->path)); } while (0)
#define B(type, path, value) do { auto *object = reinterpret_cast<type *>(storage<type>); \
    std::memset(storage<type>, 0, sizeof(type)); object->path = value; \
    size_t first = 0, count = 0; for (size_t bit = 0; bit < 8 * sizeof(type); bit++) \
        if (storage<type>[bit / 8] >> bit % 8 & 1) { if (!count++) first = bit; } \
    std::printf("B|%s|%s|%zu|%zu\n", #type, #path, first, count); } while (0)
#define V(name) std::printf("V|%s|%#lx\n", #name, (unsigned long)&name)
#define P(variable, path, place, target) std::printf("P|%s|%s|%zu|%s\n", #variable, path, (size_t)((char *)&(place) - (char *)&variable), target)

using ns::Inline;
int main() {
    struct Local { int here; } local = {1};
    static int local_static = 5;
    T(ns::Derived); T(ns::Base); T(Telemetry); T(Matrix); T(Either); T(Everything); T(Node); T(Shared);
    T(ns::Mode); T(ns::Flags); T(ns::Virtual); T(ns::v1::Inline); T(Inline); T(Hidden); T(Local); T(ns::Private);
    std::printf("T|ns::Ring<float, 4>|%zu\nT|Ring<float,4>|%zu\n", sizeof(ns::Ring<float, 4>), sizeof(ns::Ring<float, 4>));
    std::printf("T|ns::Ring<float,4>::Slot|%zu\n", sizeof(ns::Ring<float, 4>::Slot));
    std::printf("T|ns::Ring<unsigned long, 2>|%zu\n", sizeof(ns::Ring<unsigned long, 2>));
    std::printf("T|Telemetry[3][5]|%zu\n", sizeof(Telemetry[3][5]));
    std::printf("F|Telemetry[3][5]|[2][4].tick|%zu|%zu\n", sizeof(Telemetry[14]), sizeof(int));
    ns::Ring<unsigned long, 2> longs = {};
    F(ns::Derived, id); F(ns::Derived, tag); F(ns::Derived, weight); F(ns::Derived, extra); F(ns::Derived, name);
    F(ns::Virtual, own);
    B(Telemetry, a, 7); B(Telemetry, b, 127); B(Telemetry, c, -1); B(Telemetry, d, 0xffffffffffUL); B(Telemetry, e, true);
    B(Telemetry, mode, ns::Mode::Off);
    F(Either, f); F(Either, low); F(Either, high);
    F(Node, next); F(Node, label); F(Node, call); F(Node, member); F(Node, method);
    F(Everything, count); F(Everything, level); F(Everything, ready); F(Everything, mode); F(Everything, shorts);
    F(Everything, complex); F(Everything, text); F(Everything, wide); F(Everything, wider); F(Everything, widest);
    F(Everything, raw); F(Everything, small); F(Everything, flag); F(Everything, large); F(Everything, largest);
    F(Everything, extended); F(Everything, matrix); F(Everything, matrix[2][3]); F(Everything, port);
    F(Everything, nothing); F(Everything, one); F(Everything, two); F(Everything, four.three); F(Everything, shorts[4]);
    F(Shared, frames[3]); F(Shared, ring.slots[1].used); F(Shared, frames[2].tick);
    V(ns::counter); V(ns::Private::shared); V(shared); V(holder); V(hidden_object); V(atomic_shared);
    std::printf("V|main::local_static|%#lx\n", (unsigned long)&local_static);
    P(shared, "", shared, "Shared"); P(atomic_shared, "", atomic_shared, "Shared");
    P(unique_shared, "", unique_shared, "Shared"); P(counted_shared, "", counted_shared, "Shared");
    P(holder, "pointers[0]", holder.pointers[0], "Shared"); P(holder, "pointers[2]", holder.pointers[2], "Shared");
    P(holder, "either", holder.either, "Either");
#ifdef HAS_SPAN
    P(span, "", span, "Telemetry");
#endif
    std::printf("N|ns::compute|%#lx\nN|main|%#lx\n", (unsigned long)&ns::compute, (unsigned long)&main);
    return ns::compute(0) + local.here + per_thread + (int)longs.head + (int)std::string_view("").size() > 1000;
}
