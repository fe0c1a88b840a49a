// A
struct A { char before; bool value; char after; };

// A
struct A { char before; char value; char after; };

// A
struct A { char before; wchar_t value; char after; };

// A
struct A { char before; char16_t value; char after; };

// A
struct A { char before; char32_t value; char after; };

// A
struct A { char before; std::byte value; char after; };

// A
struct A { char before; std::size_t value; char after; };

// A
struct A { char before; std::uint8_t value; char after; };

// A
struct A { char before; std::int64_t value; char after; };

// A
struct A { char before; std::intptr_t value; char after; };

// A
struct A { char before; std::ptrdiff_t value; char after; };

// A
struct A { char before; std::max_align_t value; char after; };

// A
struct A { char before; long double value; char after; };

// A
struct A { char before; __int128 value; char after; };

// A
struct A { char before; std::complex<float> value; char after; };

// A
struct A { char before; std::complex<double> value; char after; };

// A
struct A { char before; std::mutex value; char after; };

// A
struct A { char before; int * value; char after; };

// A
struct A { char before; std::atomic<bool> value; std::atomic<bool> more[2]; char after; };

// A
struct A { char before; std::atomic<char> value; std::atomic<char> more[2]; char after; };

// A
struct A { char before; std::atomic<short> value; std::atomic<short> more[2]; char after; };

// A
struct A { char before; std::atomic<int> value; std::atomic<int> more[2]; char after; };

// A
struct A { char before; std::atomic<unsigned> value; std::atomic<unsigned> more[2]; char after; };

// A
struct A { char before; std::atomic<long> value; std::atomic<long> more[2]; char after; };

// A
struct A { char before; std::atomic<float> value; std::atomic<float> more[2]; char after; };

// A
struct A { char before; std::atomic<double> value; std::atomic<double> more[2]; char after; };

// A
struct A { char before; std::atomic<void *> value; std::atomic<void *> more[2]; char after; };

// A
struct A { char before; std::atomic<int16_t> value; std::atomic<int16_t> more[2]; char after; };

// A
struct A { char before; std::atomic<std::uint64_t> value; std::atomic<std::uint64_t> more[2]; char after; };

// A
struct A { char before; std::atomic<char16_t> value; std::atomic<char16_t> more[2]; char after; };

// A
struct Opaque { char bytes[1]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { char bytes[2]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { char bytes[3]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { char bytes[4]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { char bytes[5]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { char bytes[6]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { char bytes[7]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { char bytes[8]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { char bytes[9]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { char bytes[12]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { char bytes[16]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { char bytes[24]; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct Opaque { int a, b; };
struct A { char before; std::atomic<Opaque> value; char after; };

// A
struct A { char before; std::atomic_int value; char after; };

// A
struct A { char before; std::atomic_bool value; char after; };

// A
struct A { char before; std::atomic_uint64_t value; char after; };

// A
struct A { char before; std::atomic_flag value; char after; };

// A
struct A { char before; std::atomic_size_t value; char after; };

// A
struct A { char before; std::array<int, 3> value; char after; };

// A
struct A { char before; std::array<char, 7> value; char after; };

// A
struct A { char before; std::array<double, 1> value; char after; };

// A
struct A { char before; std::array<std::array<short, 2>, 3> value; char after; };

// A
struct A { char before; std::array<std::atomic<int>, 4> value; char after; };

// A
struct A { char before; std::array<const char *, 2> value; char after; };

// A
struct A { char before; std::array<struct Q *, (3 > 2) + 1> value; char after; };

// A
struct A { char before; std::array<unsigned char, 1 << 4> value; char after; };

// A
class A { char before; pthread_mutex_t value; char after; };

// A
class A { char before; pthread_cond_t value; char after; };

// A
class A { char before; pthread_rwlock_t value; char after; };

// A
class A { char before; pthread_barrier_t value; char after; };

// A
class A { char before; sem_t value; char after; };

// A
class A { char before; std::recursive_mutex value; char after; };

// A
struct A {};

// A
struct E {};
struct A : E { int x; };

// A
struct E {};
struct A : E { E e; int x; };

// A
struct E {};
struct A : E { char c; E e; };

// A
struct E {};
struct F : E {};
struct A : F { E e; };

// A
struct E {};
struct F {};
struct A : E, F { char c; };

// A
struct E {};
struct F : E {};
struct G : E {};
struct A : F, G { char c; };

// A
struct E {};
struct A { E e; int x; E f[3]; };

// A
struct B { int x; char y; };
struct A : B { char z; };

// A
class B { int x; char y; };
class A : public B { char z; };

// A
struct B { B(); int x; char y; };
struct A : B { char z; };

// A
struct B { ~B(); int x; char y; };
struct A : B { char z; };

// A
struct B { B() = default; int x; char y; };
struct A : B { char z; };

// A
struct B { B(const B &) = default; int x; char y; };
struct A : B { char z; };

// A
struct B { B(const B &); int x; char y; };
struct A : B { char z; };

// A
struct B { B(const B &) = delete; int x; char y; };
struct A : B { char z; };

// A
struct B { B() = delete; int x; char y; };
struct A : B { char z; };

// A
struct B { ~B() = default; int x; char y; };
struct A : B { char z; };

// A
struct B { explicit B(int); int x; char y; };
struct A : B { char z; };

// A
struct B { B &operator=(const B &); int x; char y; };
struct A : B { char z; };

// A
struct B { B &operator=(const B &) = default; int x; char y; };
struct A : B { char z; };

// A
struct B { B &operator=(int); int x; char y; };
struct A : B { char z; };

// A
struct B { B(B &&); int x; char y; };
struct A : B { char z; };

// A
struct B { B &operator=(B &&); int x; char y; };
struct A : B { char z; };

// A
struct B { template <class T> B(T); int x; char y; };
struct A : B { char z; };

// A
struct B { int x = 3; char y{4}; };
struct A : B { char z; };

// A
struct B { int x; private: char y; };
struct A : B { char z; };

// A
struct B { int x; protected: char y; };
struct A : B { char z; };

// A
struct B { int x; private: static int s; void f(); public: char y; };
struct A : B { char z; };

// A
struct B { int *x; char y; };
struct A : B { char z; };

// A
struct B { void f() {} int g() const; operator int() const { return 1; } int x; char y; };
struct A : B { char z; };

// A
struct N { N(); int x; char y; };
struct B { N n; char c; };
struct A : B { char z; };

// A
struct N { N(); int x; char y; };
struct B { N n[2]; char c; };
struct A : B { char z; };

// A
struct N { N(); int x; char y; };
struct A { N n; char c; };

// A
struct B { virtual void f(); int x; char y; };
struct A : B { char z; };

// A
struct B { virtual ~B(); };
struct A : B { char z; };

// A
struct B { virtual ~B() = default; char c; };
struct A : B { char z; int y; };

// A
struct B { char c; };
struct A : B { virtual void f() = 0; char z; };

// A
struct E {};
struct A : E { virtual void f(); char z; };

// A
struct B { int x; };
struct C : B { virtual void g(); char c; };
struct A : C { void g() override; char z; };

// A
struct B { int x; char c; };
struct C { virtual void f(); char d; };
struct A : B, C { char z; };

// A
struct C { virtual void f(); char d; };
struct D { virtual void g(); int e; };
struct A : C, D { char z; };

// A
struct B { B(); long x; short y; };
struct C : B { char c; };
struct D : C { char d; };
struct A : D { char e; };

// A
struct B { B(); int a : 5; };
struct A : B { int b : 5; char c; };

// A
struct B { B(); int a; int b : 5; };
struct A : B { char c; int d : 3; };

// A
struct B { B(); char a; int : 0; };
struct A : B { char c; };

// A
struct alignas(16) B { B(); int x; };
struct A : B { char z; };

// A
struct B { B(); alignas(8) char x; };
struct A : B { char z; };

// A
struct B { B(); char a[3]; };
struct C { C(); short b; };
struct A : B, C { char z; };

// A
union U { int i; char c; };
struct B { B(); U u; char d; };
struct A : B { char z; };

// A
struct B { int x; };
struct A : B { int x; };

// A
struct B { int x; char c; };
struct A : private B { char z; };

// A
struct B { B(); int x; char c; } __attribute__((packed));
struct A : B { int z; };

// A
struct B { int x; char c; };
struct __attribute__((packed)) A : B { int z; double d; };

// A
class N { int x; char c; };
struct __attribute__((packed)) A { char a; N n; int b; };

// A
class N { int x; char c; } __attribute__((packed));
struct __attribute__((packed)) A { char a; N n; int b; };

// A
struct __attribute__((packed)) A { char a; std::atomic<int> n; short b; };

// A
struct A final { int x; };

// A
struct B { B(); int x; char c; };
struct A final : B { char z; };

// A
struct E {};
struct A { [[no_unique_address]] E e; int x; };

// A
struct E {};
struct A { int x; [[no_unique_address]] E e; };

// A
struct E {};
struct A { [[no_unique_address]] E e; [[no_unique_address]] E f; };

// A
struct E {};
struct F {};
struct A { [[no_unique_address]] E e; [[no_unique_address]] F f; char c; };

// A
struct N { N(); int x; char c; };
struct A { [[no_unique_address]] N n; char d; };

// A
struct N { int x; char c; };
struct A { [[no_unique_address]] N n; char d; };

// A
struct E {};
struct A : E { [[no_unique_address]] E e; char c; };

// A
enum class Color { Red, Green };
struct A { char c; Color color; };

// A
enum class Tiny : uint8_t { A, B };
enum Wide : long { W };
struct A { Tiny t; Wide w; Tiny u; };

// A
enum class Mode : short;
struct A { char c; Mode m; };
enum class Mode : short { On = 1, Off = -1 };

// A
enum E { X = 1 << 3, Y = X | 4, Z = -Y };
struct A { char c; E e; E f : 5; };

// A
enum class E : unsigned char { X };
struct A { E e : 3; E f : 5; E g : 4; };

// A
enum struct S : int64_t { S0 };
struct A { char c; S s; };

// A
struct A { enum Kind : uint16_t { K0, K1 } kind; enum { N = 3 }; char c[N]; Kind more[2]; };

// A
constexpr int N = 4;
const unsigned M = N * 2 + 1;
static constexpr std::size_t K{3};
struct A { char a[N], b[M], c[K]; };

// A
namespace cfg { constexpr int N = 4; namespace deep { inline constexpr int M = N + 1; } }
struct A { char a[cfg::N], b[cfg::deep::M]; };

// A
struct C { static constexpr int Size = 6; enum { Half = Size / 2 }; int v[Half]; };
struct A { char a[C::Size], b[C::Half]; C c; };

// A
enum class E { A = 2, B = 5 };
struct A { char a[static_cast<int>(E::B)], b[int(E::A)], c[(int)E::B - 1]; };

// A
constexpr double pi = 3.14;
constexpr int f(int x) { return x + 1; }
const char *name = "x";
struct A { char a[8]; };

// A
struct P { char c; int i; };
constexpr std::size_t S = sizeof(P);
struct A { char a[sizeof(P)], b[alignof(P)], c[S]; };

// A
using Word = std::uint32_t;
using Words = Word[4];
using Callback = void (*)(int);
struct A { char c; Words w; Callback f; };

// A
typedef std::array<float, 3> Vec;
using Mat = std::array<Vec, 3>;
struct A { char c; Mat m; Vec v[2]; };

// net::A
namespace net { struct P { short s; }; struct A { char c; P p; ::std::uint64_t q; }; }

// a::b::A
namespace a::b { struct P { int x; }; struct A { char c; P p; a::b::P q; }; }

// A
namespace a { struct P { int x; }; }
namespace a { struct Q { P p; char c; }; }
using namespace a;
struct A { char c; Q q; };

// A
namespace a { struct P { int x; }; }
using a::P;
namespace z = a;
struct A { char c; P p; z::P q; };

// A
namespace { struct P { int x; }; }
inline namespace v1 { struct Q { char c; }; }
struct A { Q q; P p; v1::Q r; };

// Outer::Inner
struct Outer { struct Inner { char c; long l; }; Inner a; };

// Outer
class Outer { public: enum Kind { X, Y }; struct Part { Kind kind; char c; }; private: Part parts[2]; Kind last; };

// A
template <class T, int N> struct Ring { unsigned head, tail; T items[N]; };
struct A { char c; Ring<double, 3> r; Ring<char, 5> s; };

// A
template <typename T> struct Box { T value; bool is_set; };
struct A { Box<int> a; Box<Box<long>> b; Box<char *> c; Box<std::array<short, 3>> d; };

// A
template <class T = int, unsigned N = 4> struct Buffer { T data[N]; static constexpr unsigned size = N; };
struct A { Buffer<> a; Buffer<char> b; Buffer<short, 2 + 1> c; char d[Buffer<long, 7>::size]; };

// A
template <class T> using Pair = std::array<T, 2>;
struct A { char c; Pair<double> p; Pair<Pair<char>> q; };

// A
template <class T> struct Base { T x; char c; Base(); };
template <class T> struct Derived : Base<T> { char d; };
struct A { Derived<int> a; Derived<long> b; };

// A
template <class T> struct Node { Node *next; Node<T> *previous; T value; };
struct A { Node<char> n; Node<double> m; };

// A
template <class T, std::size_t N> class alignas(64) Slot { std::atomic<std::uint64_t> sequence; T value[N]; };
struct A { Slot<int, 3> s[2]; };

// A
template <bool B> struct Flag { char c[B ? 3 : 5]; };
struct A { Flag<true> t; Flag<(1 > 2)> f; };

// A
template <class T> struct Outer { struct Inner { T t; char c; }; Inner inner[2]; };
struct A { Outer<short> o; Outer<int>::Inner i; };

// A
template <class T> T add(T a, T b) { return a + b; }
template <class... T> struct Many {};
struct A { int x; };

// A
struct A { A() : x(1), y{2} { if (x) { y = 3; } } ~A() {} int get() const noexcept { return x; } static A make(); friend struct B; friend bool operator==(const A &a, const A &b) { return a.x == b.x; } int x; char y; };

// A
struct A { using Self = A; typedef int Number; Number n; static const int k = 3; char c[k]; static thread_local int t; mutable int m; };

// A
class A { public: explicit A(int x); A(const A &) = delete; A &operator=(const A &) = delete; operator bool() const; int operator()(int) const; int operator[](int i); private: int x_ = 0; char y_; };

// A
struct A { int x; [[nodiscard]] int f() const { return x; } [[deprecated("x")]] char y; alignas(8) char z; };

// A
struct A { int A::*p; int (A::*f)(int); void (*g)(A *); char c; };

// A
static_assert(sizeof(int) == 4);
extern "C" { struct P { int x; }; int f(struct P *); }
extern "C" int g(void);
struct A { P p; char c; };

// A
struct A { union { struct { float x, y, z; }; float v[3]; }; char c; };

// A
struct A { struct { int a; char b; } s; union { int i; double d; } u; char c; };

// A
struct A { bool a : 1, b : 1; bool c : 1; char d; bool e; };

// A
struct A { virtual int f(int x) { return x; } virtual ~A() = default; double d; char c; };

// A
#define FIELD(t, n) t n{}
struct A { FIELD(int, x); FIELD(char, y); std::array<int, 2> z{}; };

// A
#pragma pack(push, 1)
struct B { virtual void f(); char c; int i; };
#pragma pack(pop)
struct A : B { char d; long e; };

// A
struct B { B(); int x; char y; };
#pragma pack(push, 1)
struct A : B { char z; double d; B b; };
#pragma pack(pop)

// A
struct E {};
#pragma pack(push, 1)
struct A : E { long double z; E e; int : 0; char c; long f : 33; };
#pragma pack(pop)

// A
struct alignas(1) B { B(); char y; };
struct A : B { char z; alignas(1) short s; B b; };

// A
struct B { B(); int x; char y; };
#pragma pack(push, 2)
struct A : B { char z; double d; B b; };
#pragma pack(pop)

// A
struct E {};
#pragma pack(push, 2)
struct A : E { long double z; E e; int : 0; char c; long f : 33; };
#pragma pack(pop)

// A
struct alignas(2) B { B(); char y; };
struct A : B { char z; alignas(2) short s; B b; };

// A
struct B { B(); int x; char y; };
#pragma pack(push, 4)
struct A : B { char z; double d; B b; };
#pragma pack(pop)

// A
struct E {};
#pragma pack(push, 4)
struct A : E { long double z; E e; int : 0; char c; long f : 33; };
#pragma pack(pop)

// A
struct alignas(4) B { B(); char y; };
struct A : B { char z; alignas(4) short s; B b; };

// A
struct B { B(); int x; char y; };
#pragma pack(push, 8)
struct A : B { char z; double d; B b; };
#pragma pack(pop)

// A
struct E {};
#pragma pack(push, 8)
struct A : E { long double z; E e; int : 0; char c; long f : 33; };
#pragma pack(pop)

// A
struct alignas(8) B { B(); char y; };
struct A : B { char z; alignas(8) short s; B b; };

// A
struct alignas(64) A { std::atomic<unsigned> head; alignas(64) std::atomic<unsigned> tail; alignas(64) char data[100]; };

// A
struct alignas(std::hardware_destructive_interference_size) A { int x; };

// A
struct B { B(); int x; char c; };
struct A { B b[2]; char d; };

// A
struct T { float temperature; char unit; };
struct A { std::atomic<T *> p; std::atomic<std::uint8_t> q; T t; };

// A
auto f() -> int;
inline int g(int a = 3) { struct L { int x; }; return a; }
int counter = 0, *other = nullptr;
struct A { int x; };

// Telemetry
#pragma once
#include <cstdint>
#include <array>
namespace demo { enum class State : std::uint8_t { Idle, Running, Fault }; struct Vec3 { double x, y, z; }; }
struct Telemetry {
  static constexpr std::size_t kNames = 4;
  std::atomic<std::uint64_t> sequence{0};
  demo::State state = demo::State::Idle;
  char names[kNames][16];
  demo::Vec3 position, velocity;
  std::array<float, 8> load;
  std::uint32_t flags : 4, level : 12;
  Telemetry() = default;
  double speed() const { return velocity.x; }
};

// A
struct B { int a; char b; char c; protected: short d; };
struct C : B { char e; char f; };
struct A : C { int g; char h; };

// A
struct B { int a; long b; char c; protected: short d; };
struct C : B { char e; long f; };
struct A : C { int g; char h; };

// A
struct B { int a; float b; char c; protected: short d; };
struct C : B { char e; float f; };
struct A : C { int g; char h; };

// A
struct B { char a; char b; char c; protected: short d; };
struct C : B { char e; char f; };
struct A : C { char g; char h; };

// A
struct B { char a; long b; char c; protected: short d; };
struct C : B { char e; long f; };
struct A : C { char g; char h; };

// A
struct B { char a; float b; char c; protected: short d; };
struct C : B { char e; float f; };
struct A : C { char g; char h; };

// A
struct B { double a; char b; char c; protected: short d; };
struct C : B { char e; char f; };
struct A : C { double g; char h; };

// A
struct B { double a; long b; char c; protected: short d; };
struct C : B { char e; long f; };
struct A : C { double g; char h; };

// A
struct B { double a; float b; char c; protected: short d; };
struct C : B { char e; float f; };
struct A : C { double g; char h; };

// A
struct B { short a; char b; char c; protected: short d; };
struct C : B { char e; char f; };
struct A : C { short g; char h; };

// A
struct B { short a; long b; char c; protected: short d; };
struct C : B { char e; long f; };
struct A : C { short g; char h; };

// A
struct B { short a; float b; char c; protected: short d; };
struct C : B { char e; float f; };
struct A : C { short g; char h; };

// A
class P { P() = default; long c; int b : 9; int d : 16; };
struct A { [[no_unique_address]] P p; char e; };

// A
class P { P() = default; long c; int b : 9; int : 16; };
struct A { [[no_unique_address]] P p; char e; };

// A
struct E {};
class P : E { P() = default; int b : 9; };
struct A { [[no_unique_address]] P p; char e; };

// A
class P { P() = default; virtual void f(); int b : 25; int d : 5; };
struct A { [[no_unique_address]] P p; char e; };

// A
struct B { B(); long x; char y; };
class P : B { P() = default; int b : 7; int d : 7; };
struct A { [[no_unique_address]] P p; char e; };

// A
struct N { ~N(); short s; char c; };
struct B { short x; [[no_unique_address]] N n; };
struct __attribute__((packed)) A : B { char y; };

// A
class __attribute__((aligned(8))) P { long c; };
struct N { long a; [[no_unique_address]] P p; short b; } __attribute__((packed));
struct __attribute__((packed)) A { N n; short d; };

// A
struct A { char c; int x : 40; int y : 3; char : 70; short z : 17; };

// A
struct __attribute__((packed)) A { char c; int x : 40; long y : 130; };

// A
struct P { P(); char a; int : 0; };
struct B { B(); long b; [[no_unique_address]] P p; };
struct A : B { char c; };

// A
struct E {};
struct A { E e[3]; int a : 22; int b : 31; int c : 23; [[no_unique_address]] E f; };

// A
class N { public: N(); };
struct __attribute__((packed)) A { virtual void f(); int a; N n; char c; };
