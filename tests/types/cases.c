// struct A
struct A { char before; char value; char after; };

// struct A
struct A { char before; signed char value; char after; };

// struct A
struct A { char before; unsigned char value; char after; };

// struct A
struct A { char before; short value; char after; };

// struct A
struct A { char before; short int value; char after; };

// struct A
struct A { char before; unsigned short int value; char after; };

// struct A
struct A { char before; int value; char after; };

// struct A
struct A { char before; signed value; char after; };

// struct A
struct A { char before; unsigned value; char after; };

// struct A
struct A { char before; long value; char after; };

// struct A
struct A { char before; long int value; char after; };

// struct A
struct A { char before; unsigned long int value; char after; };

// struct A
struct A { char before; long long value; char after; };

// struct A
struct A { char before; long long unsigned value; char after; };

// struct A
struct A { char before; int long unsigned value; char after; };

// struct A
struct A { char before; float value; char after; };

// struct A
struct A { char before; double value; char after; };

// struct A
struct A { char before; long double value; char after; };

// struct A
struct A { char before; _Bool value; char after; };

// struct A
struct A { char before; bool value; char after; };

// struct A
struct A { char before; __int128 value; char after; };

// struct A
struct A { char before; unsigned __int128 value; char after; };

// struct A
struct A { char before; wchar_t value; char after; };

// struct A
struct A { char before; char16_t value; char after; };

// struct A
struct A { char before; char32_t value; char after; };

// struct A
struct A { char before; size_t value; char after; };

// struct A
struct A { char before; ssize_t value; char after; };

// struct A
struct A { char before; ptrdiff_t value; char after; };

// struct A
struct A { char before; intptr_t value; char after; };

// struct A
struct A { char before; uintptr_t value; char after; };

// struct A
struct A { char before; int8_t value; char after; };

// struct A
struct A { char before; int16_t value; char after; };

// struct A
struct A { char before; int32_t value; char after; };

// struct A
struct A { char before; int64_t value; char after; };

// struct A
struct A { char before; uint8_t value; char after; };

// struct A
struct A { char before; uint16_t value; char after; };

// struct A
struct A { char before; uint32_t value; char after; };

// struct A
struct A { char before; uint64_t value; char after; };

// struct A
struct A { char before; int_fast16_t value; char after; };

// struct A
struct A { char before; uint_least32_t value; char after; };

// struct A
struct A { char before; intmax_t value; char after; };

// struct A
struct A { char before; time_t value; char after; };

// struct A
struct A { char before; pid_t value; char after; };

// struct A
struct A { char before; off_t value; char after; };

// struct A
struct A { char before; mode_t value; char after; };

// struct A
struct A { char before; float _Complex value; char after; };

// struct A
struct A { char before; double _Complex value; char after; };

// struct A
struct A { char before; _Float16 value; char after; };

// struct A
struct A { char before; _Float128 value; char after; };

// struct A
struct A { char before; void * value; char after; };

// struct A
struct A { char before; char ** value; char after; };

// struct A
struct A { char before; struct timespec value; char after; };

// struct A
struct A { char before; struct timeval value; char after; };

// struct A
struct A { char before; pthread_mutex_t value; char after; };

// struct A
struct A { char before; pthread_cond_t value; char after; };

// struct A
struct A { char before; pthread_rwlock_t value; char after; };

// struct A
struct A { char before; pthread_barrier_t value; char after; };

// struct A
struct A { char before; pthread_spinlock_t value; char after; };

// struct A
struct A { char before; sem_t value; char after; };

// struct A
struct A { char before; pthread_t value; char after; };

// struct A
struct A { char before; pthread_once_t value; char after; };

// struct A
struct A { char before; pthread_key_t value; char after; };

// struct A
struct A { char before; pthread_mutexattr_t value; char after; };

// struct A
struct A { char before; pthread_condattr_t value; char after; };

// struct A
struct A { char before; pthread_rwlockattr_t value; char after; };

// struct A
struct A { char before; pthread_barrierattr_t value; char after; };

// struct A
struct A { char before; pthread_attr_t value; char after; };

// struct A
struct A { char before; max_align_t value; char after; };

// struct A
struct A { char before; _Atomic int value; _Atomic(int) other; char after; };

// struct A
struct A { char before; _Atomic char value; _Atomic(char) other; char after; };

// struct A
struct A { char before; _Atomic short value; _Atomic(short) other; char after; };

// struct A
struct A { char before; _Atomic long value; _Atomic(long) other; char after; };

// struct A
struct A { char before; _Atomic double value; _Atomic(double) other; char after; };

// struct A
struct A { char before; _Atomic void * value; _Atomic(void *) other; char after; };

// struct A
struct A { char before; atomic_int value; char after; };

// struct A
struct A { char before; atomic_bool value; char after; };

// struct A
struct A { char before; atomic_llong value; char after; };

// struct A
struct A { char before; atomic_flag value; char after; };

// struct A
struct A { char before; atomic_uint value; char after; };

// struct A
struct A { char before; atomic_size_t value; char after; };

// struct A
struct P { char bytes[2]; };
struct A { char before; _Atomic struct P value; char after; };

// struct A
struct P { char bytes[3]; };
struct A { char before; _Atomic struct P value; char after; };

// struct A
struct P { char bytes[4]; };
struct A { char before; _Atomic struct P value; char after; };

// struct A
struct P { char bytes[5]; };
struct A { char before; _Atomic struct P value; char after; };

// struct A
struct P { char bytes[7]; };
struct A { char before; _Atomic struct P value; char after; };

// struct A
struct P { char bytes[8]; };
struct A { char before; _Atomic struct P value; char after; };

// struct A
struct P { char bytes[12]; };
struct A { char before; _Atomic struct P value; char after; };

// struct A
struct P { char bytes[16]; };
struct A { char before; _Atomic struct P value; char after; };

// struct A
struct P { int a, b, c; };
struct A { char before; _Atomic(struct P) value; };

// struct A
struct P { int a; char b; };
struct A { char before; _Atomic(struct P) value[2]; };

// struct A
struct A { int a, *b, c[3], *d[2], (*e)(int, char), (*f)[4]; };

// T
typedef struct { char a; double b; } T;

// T
typedef struct Node Node;
struct Node { Node *next; struct Node *previous; int value; };
typedef Node T;

// struct A
typedef unsigned int word, *pointer, pair[2];
struct A { char c; pair p; pointer q; word w; };

// struct A
struct A { const char *name; volatile int flag; char *const fixed; const volatile long x; };

// struct A
struct Outer { struct Inner { char c; short s; } inner; int i; };
struct A { struct Inner x; struct Outer y; };

// struct A
struct A { struct { int x, y; }; union { float f; int i; }; char c; };

// struct A
struct A { char c; struct { char d; struct { short s; union { long l; char e; }; }; }; };

// union U
union U { char c[5]; short s; struct { int i; char d; } t; };

// union U
union U { int i : 3; char c; unsigned long l : 40; };

// union U
union U { int : 20; char c; };

// struct A
struct A { enum { RED, GREEN, BLUE } color; char c; enum Mode { ON = 5, OFF } mode; };

// struct A
enum Big { SMALL = 1, LARGE = 0x100000000 };
struct A { char c; enum Big big; };

// struct A
enum Negative { MINUS = -1, PLUS = 0x7fffffff };
struct A { char c; enum Negative n; };

// struct A
enum __attribute__((packed)) Tiny { T0, T1 };
enum __attribute__((packed)) Wide { W0 = 300 };
enum __attribute__((packed)) Neg { N0 = -1, N1 = 127 };
struct A { char c; enum Tiny t; enum Wide w; enum Neg n; };

// struct A
enum { COUNT = 3, DOUBLE = COUNT * 2, NEXT };
struct A { char a[COUNT], b[DOUBLE], c[NEXT]; };

// struct A
struct A { int count; double values[]; };

// struct A
struct A { int count; char values[0]; short s; };

// struct A
struct Empty {};
struct A { struct Empty e; int i; struct Empty f[4]; char c; };

// struct A
struct A { char a[2][3][4]; int b[1]; };

// struct A
struct A { struct { int x; char y; } points[3], *more; };

// struct A
#define N 16
#define M (N * 2)
#define BIG(x) ((x) + N)
struct A { char a[N], b[M], c[BIG(3)], d[N << 1], e[-1 + 2], f[~0u & 7], g[1 ? 5 : 6]; };

// struct A
struct P { int x; char y; };
struct A { char a[sizeof(struct P)], b[sizeof(long) * 2], c[_Alignof(double)], d[offsetof(struct P, y)], e[sizeof(char[3])]; };

// struct A
#define KB(n) ((n) << 10)
enum { LIMIT = KB(1) };
struct A { char a[LIMIT / 8], b['c' - 'a'], c['\n'], d[0x10], e[010], f[0b11], g[10 % 4], h[(5 > 3) + (2 == 2)], i[!0], j[sizeof(int) > 2 && 1]; };

// struct A
struct A { char a[(int)3 + (char)1]; };

// struct A
#if defined(__x86_64__) && __SIZEOF_POINTER__ == 8
#define WIDTH 8
#else
#define WIDTH 4
#endif
#ifdef UNKNOWN
this is not C
#elif WIDTH > 4
struct A { char a[WIDTH]; };
#endif

// struct A
#define DECLARE(type, name) type name;
#define PACKED __attribute__((packed))
struct A { DECLARE(int, x) DECLARE(char, y) } PACKED;

// struct A
/* comment */ struct /* here */ A { // and here
 int /* x; */ a; char b; };

// struct A
_Static_assert(sizeof(int) == 4, "int");
struct A { int a; _Static_assert(1, "x"); char b; };

// struct A
struct A { char c; int x __attribute__((aligned(1))); char d; };

// struct A
struct __attribute__((aligned(1))) A { char c; short s; };

// struct A
typedef int T __attribute__((aligned(1)));
struct A { char c; T x; char d; };

// struct A
struct A { char c; long x; } __attribute__((packed, aligned(1)));

// struct A
struct A { char c; int x __attribute__((aligned(2))); char d; };

// struct A
struct __attribute__((aligned(2))) A { char c; short s; };

// struct A
typedef int T __attribute__((aligned(2)));
struct A { char c; T x; char d; };

// struct A
struct A { char c; long x; } __attribute__((packed, aligned(2)));

// struct A
struct A { char c; int x __attribute__((aligned(4))); char d; };

// struct A
struct __attribute__((aligned(4))) A { char c; short s; };

// struct A
typedef int T __attribute__((aligned(4)));
struct A { char c; T x; char d; };

// struct A
struct A { char c; long x; } __attribute__((packed, aligned(4)));

// struct A
struct A { char c; int x __attribute__((aligned(8))); char d; };

// struct A
struct __attribute__((aligned(8))) A { char c; short s; };

// struct A
typedef int T __attribute__((aligned(8)));
struct A { char c; T x; char d; };

// struct A
struct A { char c; long x; } __attribute__((packed, aligned(8)));

// struct A
struct A { char c; int x __attribute__((aligned(16))); char d; };

// struct A
struct __attribute__((aligned(16))) A { char c; short s; };

// struct A
typedef int T __attribute__((aligned(16)));
struct A { char c; T x; char d; };

// struct A
struct A { char c; long x; } __attribute__((packed, aligned(16)));

// struct A
struct A { char c; int x __attribute__((aligned(32))); char d; };

// struct A
struct __attribute__((aligned(32))) A { char c; short s; };

// struct A
typedef int T __attribute__((aligned(32)));
struct A { char c; T x; char d; };

// struct A
struct A { char c; long x; } __attribute__((packed, aligned(32)));

// struct A
struct A { char c; int x __attribute__((aligned(64))); char d; };

// struct A
struct __attribute__((aligned(64))) A { char c; short s; };

// struct A
typedef int T __attribute__((aligned(64)));
struct A { char c; T x; char d; };

// struct A
struct A { char c; long x; } __attribute__((packed, aligned(64)));

// struct A
struct A { char c; _Alignas(16) int x; alignas(double) char d; char e; };

// struct A
struct A { char c; int x __attribute__((aligned)); };

// struct A
struct A { char c; __attribute__((aligned(8))) char d; int e __attribute__((packed)); };

// struct A
struct B { char c; int i; } __attribute__((aligned(32)));
struct A { char c; struct B b[2]; char d; };

// struct A
typedef struct { char c; int i; } __attribute__((aligned(16))) B;
struct A { char c; B b; };

// struct A
typedef struct { char c; int i; } __attribute__((packed)) B;
struct A { char c; B b; int i; };

// struct A
struct A { char a; int b; char c; double d; short e; } __attribute__((packed));

// struct A
struct __attribute__((__packed__)) A { char a; struct { char x; int y; } b; long c; };

// struct A
struct A { char a; int b __attribute__((packed)); int c; };

// struct A
struct A { char a; int b __attribute__((packed, aligned(2))); char c; };

// struct A
struct A { char a; int b __attribute__((aligned(2))); } __attribute__((packed));

// struct A
#pragma pack(1)
struct A { char a; short b; int c; long d; long double e; };
#pragma pack()

// struct A
#pragma pack(push, 1)
struct A { char a; int b : 5; long c : 40; char d; int : 0; char e; };
#pragma pack(pop)

// struct A
#pragma pack(push)
#pragma pack(1)
struct A { char a; int b __attribute__((aligned(8))); double c; };
#pragma pack(pop)

// struct A
#pragma pack(2)
struct A { char a; short b; int c; long d; long double e; };
#pragma pack()

// struct A
#pragma pack(push, 2)
struct A { char a; int b : 5; long c : 40; char d; int : 0; char e; };
#pragma pack(pop)

// struct A
#pragma pack(push)
#pragma pack(2)
struct A { char a; int b __attribute__((aligned(8))); double c; };
#pragma pack(pop)

// struct A
#pragma pack(4)
struct A { char a; short b; int c; long d; long double e; };
#pragma pack()

// struct A
#pragma pack(push, 4)
struct A { char a; int b : 5; long c : 40; char d; int : 0; char e; };
#pragma pack(pop)

// struct A
#pragma pack(push)
#pragma pack(4)
struct A { char a; int b __attribute__((aligned(8))); double c; };
#pragma pack(pop)

// struct A
#pragma pack(8)
struct A { char a; short b; int c; long d; long double e; };
#pragma pack()

// struct A
#pragma pack(push, 8)
struct A { char a; int b : 5; long c : 40; char d; int : 0; char e; };
#pragma pack(pop)

// struct A
#pragma pack(push)
#pragma pack(8)
struct A { char a; int b __attribute__((aligned(8))); double c; };
#pragma pack(pop)

// struct A
#pragma pack(16)
struct A { char a; short b; int c; long d; long double e; };
#pragma pack()

// struct A
#pragma pack(push, 16)
struct A { char a; int b : 5; long c : 40; char d; int : 0; char e; };
#pragma pack(pop)

// struct A
#pragma pack(push)
#pragma pack(16)
struct A { char a; int b __attribute__((aligned(8))); double c; };
#pragma pack(pop)

// struct A
#pragma pack(push, 1)
#pragma pack(push, 4)
struct B { char a; double b; };
#pragma pack(pop)
struct C { char a; double b; };
#pragma pack(pop)
struct A { char a; double b; struct B c; struct C d; };

// struct A
#pragma pack(push, name, 2)
struct A { char a; int b; };
#pragma pack(pop, name)

// struct A
#pragma pack(push, 1)
struct A { char a; int b; } __attribute__((aligned(8)));
#pragma pack(pop)

// struct A
struct A { int a : 3, b : 5, c : 24; int d : 1; };

// struct A
struct A { char a; int b : 24; int c : 8; };

// struct A
struct A { char a : 4; short b : 12; int c : 20; long d : 40; };

// struct A
struct A { unsigned a : 1; unsigned : 0; unsigned b : 1; char : 0; char c : 2; };

// struct A
struct A { char a; long : 0; char b; };

// struct A
struct A { char a; int : 5; char b; long : 33; char c; };

// struct A
struct A { int : 7; };

// struct A
struct A { char c; long : 7; };

// struct A
struct A { _Bool a : 1, b : 1; bool c; bool d : 1; unsigned e : 15; };

// struct A
enum E { E0, E1, E2 };
struct A { enum E a : 2, b : 3; char c; enum E d : 8; };

// struct A
struct A { long a : 63; long b : 2; char c : 7; };

// struct A
struct A { unsigned long a : 33; unsigned b : 31; unsigned c : 1; };

// struct A
struct A { short a : 9; short b : 9; char c : 1; };

// struct A
struct A { int a : 17; char b; int c : 10; short d; int e : 9; };

// struct A
struct A { int a : 17, b : 17, c : 17; } __attribute__((packed));

// struct A
struct A { char a; int b : 20 __attribute__((packed)); int c : 20; };

// struct A
struct A { char a : 3; int b : 31 __attribute__((packed)); char c : 6; };

// struct A
struct A { char a; int b : 3 __attribute__((aligned(8))); int c : 3; };

// struct A
struct A { int a : 3; int b : 3 __attribute__((aligned(16))); char c; };

// struct A
struct A { long a : 7; char b : 5; long c : 60; } __attribute__((packed, aligned(2)));

// struct A
struct A { __int128 a : 65; char b : 3; __int128 c : 100; };

// struct A
struct A { char a; struct { int x : 3; int y : 30; } b; int c : 2; };

// struct A
struct A { char x; union { int a : 12; short b : 9; char c; }; int d : 4; };

// struct A
struct A { unsigned a : 8, b : 8, c : 8, d : 8, e : 8; };

// struct A
typedef int T __attribute__((aligned(8)));
struct A { char c; T x : 3; T y : 30; };

// struct A
typedef int T __attribute__((aligned(1)));
struct A { char c; T x : 3; T y : 30; int z; };

// struct A
struct A { volatile unsigned flags : 3; const int x : 4; };

// struct A
struct A { char a; unsigned short b : 3; unsigned short : 0; unsigned short c : 3; } __attribute__((packed));

// struct A
struct A { unsigned long long seconds : 34, nanos : 30; unsigned kind : 4, : 4, level : 24; };

// struct Telemetry
#define NAME_LEN 32
typedef enum { IDLE, RUN, FAULT = 100 } State;
typedef struct { double x, y, z; } Vec3;
struct Telemetry { uint64_t tick; char name[NAME_LEN]; Vec3 position[4]; State state; uint16_t flags : 3, mode : 5; float temperatures[8]; struct timespec stamp; };

// struct Ring
struct Slot { uint32_t length; uint8_t data[60]; };
struct Ring { _Atomic uint64_t head __attribute__((aligned(64))); _Atomic uint64_t tail __attribute__((aligned(64))); struct Slot slots[128]; };

// struct Header
struct Header { pthread_mutex_t lock; pthread_cond_t ready; sem_t free; uint32_t count; char text[13]; };

// struct Packet
#pragma pack(push, 1)
struct Packet { uint8_t version : 4, header : 4; uint16_t length; uint32_t source, target; struct { uint8_t type; uint64_t value; } options[3]; };
#pragma pack(pop)

// union Value
typedef union Value { int64_t i; double d; struct { uint32_t low, high; }; unsigned char bytes[8]; void *p; } Value;

// struct A
extern int shared_counter;
int compute(int a, struct Unknown *b);
struct A { int (*compare)(const void *, const void *); void *(*make[3])(size_t); int x; };

// struct A
struct A { signed a : 2; unsigned char b[3]; unsigned short *c; signed char d; unsigned e; };

// struct A
struct A { int x; } ;
struct A first, *second, third[4];

// struct sockaddr_like
struct in_addr_like { uint32_t s_addr; };
struct sockaddr_like { uint16_t family; uint16_t port; struct in_addr_like addr; unsigned char zero[8]; };

// T
struct S { char a; struct { long b; } c[2]; };
typedef struct S T[3];

// T
typedef double T[2][5];

// T
typedef union { float f; uint32_t u; } T;

// struct A
struct A { int a __attribute__((deprecated)); char b __attribute__((unused, aligned(4))); __extension__ long long c; };

// struct A
#define FIELDS int x; char y;
struct B { FIELDS };
struct A { FIELDS struct B b; };

// struct A
#undef SIZE
#define SIZE 3
#undef SIZE
#define SIZE 5
struct A { char a[SIZE]; };

// struct A
struct A { long double a; char b; __int128 c; _Complex float d; double _Complex e; };

// struct A
struct B;
struct C { struct B *b; };
struct B { struct C c; int x; };
struct A { struct B b; struct C c; };
