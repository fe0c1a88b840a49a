/* Declared before every header: the macros of gcc on x86-64 Linux, and the types of the standard headers. */
#define __GNUC__ 12
#define __GNUC_MINOR__ 2
#define __STDC__ 1
#define __STDC_VERSION__ 201710L
#define __x86_64__ 1
#define __x86_64 1
#define __amd64__ 1
#define __LP64__ 1
#define _LP64 1
#define __linux__ 1
#define __linux 1
#define linux 1
#define __unix__ 1
#define unix 1
#define __gnu_linux__ 1
#define __ELF__ 1
#define __CHAR_BIT__ 8
#define __SIZEOF_SHORT__ 2
#define __SIZEOF_INT__ 4
#define __SIZEOF_LONG__ 8
#define __SIZEOF_LONG_LONG__ 8
#define __SIZEOF_POINTER__ 8
#define __SIZEOF_SIZE_T__ 8
#define __SIZEOF_FLOAT__ 4
#define __SIZEOF_DOUBLE__ 8
#define __SIZEOF_INT128__ 16
#define __BIGGEST_ALIGNMENT__ 16
#define __ORDER_LITTLE_ENDIAN__ 1234
#define __ORDER_BIG_ENDIAN__ 4321
#define __BYTE_ORDER__ 1234
#define __BYTE_ORDER 1234
#define __LITTLE_ENDIAN 1234
#define __BIG_ENDIAN 4321
#define CHAR_BIT 8
#define SCHAR_MAX 127
#define UCHAR_MAX 255
#define CHAR_MAX 127
#define SHRT_MAX 32767
#define USHRT_MAX 65535
#define INT_MAX 2147483647
#define UINT_MAX 4294967295U
#define LONG_MAX 9223372036854775807L
#define ULONG_MAX 18446744073709551615UL
#define INT8_MAX 127
#define INT16_MAX 32767
#define INT32_MAX 2147483647
#define INT64_MAX 9223372036854775807L
#define UINT8_MAX 255
#define UINT16_MAX 65535
#define UINT32_MAX 4294967295U
#define UINT64_MAX 18446744073709551615UL
#define SIZE_MAX 18446744073709551615UL
#define PATH_MAX 4096
#define NAME_MAX 255
#define HOST_NAME_MAX 64
#define IFNAMSIZ 16
#define UINT8_C(x) x
#define UINT16_C(x) x
#define UINT32_C(x) (unsigned)(x)
#define UINT64_C(x) (unsigned long)(x)
#define INT8_C(x) x
#define INT16_C(x) x
#define INT32_C(x) x
#define INT64_C(x) (long)(x)
#define offsetof(type, member) __builtin_offsetof(type, member)
#define __BEGIN_DECLS
#define __END_DECLS
#define __extension__
#ifndef __cplusplus
#define alignas _Alignas
#define alignof _Alignof
#define static_assert _Static_assert
#define bool _Bool
#define thread_local _Thread_local
#endif

typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long uint64_t;
typedef int8_t int_least8_t;
typedef int16_t int_least16_t;
typedef int32_t int_least32_t;
typedef int64_t int_least64_t;
typedef uint8_t uint_least8_t;
typedef uint16_t uint_least16_t;
typedef uint32_t uint_least32_t;
typedef uint64_t uint_least64_t;
typedef signed char int_fast8_t;
typedef long int_fast16_t;
typedef long int_fast32_t;
typedef long int_fast64_t;
typedef unsigned char uint_fast8_t;
typedef unsigned long uint_fast16_t;
typedef unsigned long uint_fast32_t;
typedef unsigned long uint_fast64_t;
typedef long intmax_t;
typedef unsigned long uintmax_t;
typedef long intptr_t;
typedef unsigned long uintptr_t;
typedef unsigned long size_t;
typedef long ssize_t;
typedef long ptrdiff_t;
typedef struct { long long ll __attribute__((aligned(8))); long double ld __attribute__((aligned(16))); } max_align_t;
typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
typedef unsigned long u_long;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef unsigned char u_int8_t;
typedef unsigned short u_int16_t;
typedef unsigned int u_int32_t;
typedef unsigned long u_int64_t;
typedef __time_seconds time_t;
typedef long suseconds_t;
typedef long clock_t;
typedef int clockid_t;
typedef int pid_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef unsigned int mode_t;
typedef long off_t;
typedef long off64_t;
typedef long loff_t;
typedef unsigned long ino_t;
typedef unsigned long dev_t;
typedef unsigned long nlink_t;
typedef long blksize_t;
typedef long blkcnt_t;
typedef unsigned int id_t;
typedef int key_t;
typedef unsigned int socklen_t;
typedef unsigned short sa_family_t;
typedef unsigned int in_addr_t;
typedef unsigned short in_port_t;
typedef unsigned int wint_t;
typedef int sig_atomic_t;
typedef unsigned long sigset_words_t;
struct timespec { time_t tv_sec; long tv_nsec; };
struct timeval { time_t tv_sec; suseconds_t tv_usec; };
struct itimerspec { struct timespec it_interval; struct timespec it_value; };
struct iovec { void *iov_base; size_t iov_len; };
struct in_addr { in_addr_t s_addr; };
struct in6_addr { unsigned char s6_addr[16] __attribute__((aligned(4))); };
struct sockaddr_in { sa_family_t sin_family; in_port_t sin_port; struct in_addr sin_addr; unsigned char sin_zero[8]; };
typedef struct { int value; } __spinlock_box;
typedef struct {
    unsigned int lock, count;
    int owner;
    unsigned int nusers;
    int kind;
    short spins, elision;
    void *previous, *next;
} pthread_mutex_t;
typedef struct {
    unsigned long wseq, g1_start;
    unsigned int g_refs[2], g_size[2], g1_orig_size, wrefs, g_signals[2];
} pthread_cond_t;
typedef struct {
    unsigned int readers, writers, wrphase_futex, writers_futex, pad3, pad4;
    int cur_writer, shared;
    signed char rwelision;
    unsigned char pad1[7];
    unsigned long pad2;
    unsigned int flags;
} pthread_rwlock_t;
typedef struct { unsigned int in, current_round, count; int shared; unsigned int out; unsigned char pad[12] __attribute__((aligned(4))); } __attribute__((aligned(8))) pthread_barrier_t;
typedef struct { unsigned int value, waiters; int is_private; unsigned char pad[20]; } __attribute__((aligned(8))) sem_t;
typedef volatile int pthread_spinlock_t;
typedef unsigned long pthread_t;
typedef unsigned int pthread_key_t;
typedef int pthread_once_t;
typedef struct { unsigned char opaque[4]; } __attribute__((aligned(4))) pthread_mutexattr_t;
typedef struct { unsigned char opaque[4]; } __attribute__((aligned(4))) pthread_condattr_t;
typedef struct { unsigned char opaque[8]; } __attribute__((aligned(8))) pthread_rwlockattr_t;
typedef struct { unsigned char opaque[4]; } __attribute__((aligned(4))) pthread_barrierattr_t;
typedef struct { unsigned char opaque[56]; } __attribute__((aligned(8))) pthread_attr_t;
typedef _Atomic(_Bool) atomic_bool;
typedef _Atomic(_Bool) atomic_flag;
typedef _Atomic(char) atomic_char;
typedef _Atomic(signed char) atomic_schar;
typedef _Atomic(unsigned char) atomic_uchar;
typedef _Atomic(short) atomic_short;
typedef _Atomic(unsigned short) atomic_ushort;
typedef _Atomic(int) atomic_int;
typedef _Atomic(unsigned int) atomic_uint;
typedef _Atomic(long) atomic_long;
typedef _Atomic(unsigned long) atomic_ulong;
typedef _Atomic(long long) atomic_llong;
typedef _Atomic(unsigned long long) atomic_ullong;
typedef _Atomic(signed char) atomic_int8_t;
typedef _Atomic(unsigned char) atomic_uint8_t;
typedef _Atomic(short) atomic_int16_t;
typedef _Atomic(unsigned short) atomic_uint16_t;
typedef _Atomic(int) atomic_int32_t;
typedef _Atomic(unsigned int) atomic_uint32_t;
typedef _Atomic(long) atomic_int64_t;
typedef _Atomic(unsigned long) atomic_uint64_t;
typedef _Atomic(long) atomic_intptr_t;
typedef _Atomic(unsigned long) atomic_uintptr_t;
typedef _Atomic(unsigned long) atomic_size_t;
typedef _Atomic(long) atomic_ptrdiff_t;
typedef _Atomic(long) atomic_intmax_t;
typedef _Atomic(unsigned long) atomic_uintmax_t;
#ifdef __cplusplus
namespace std {
enum class byte : unsigned char {};
template <class T> using atomic = _Atomic(T);
template <class T, unsigned long N> using array = T[N];
template <class A, class B> struct pair { pair(); A first; B second; };
template <class T> using complex = __complex_of(T);
template <unsigned long N> class bitset { bitset(); unsigned long words[(N + 63) / 64]; };
class mutex { mutex(); pthread_mutex_t native; };
class recursive_mutex { recursive_mutex(); pthread_mutex_t native; };
class shared_mutex { shared_mutex(); pthread_rwlock_t native; };
class condition_variable { condition_variable(); pthread_cond_t native; };
template <class T, class P = int> struct unique_ptr { ~unique_ptr(); T *pointer; };
template <class T> struct shared_ptr { ~shared_ptr(); T *pointer; void *count; };
template <class T> struct vector { ~vector(); T *begin, *end, *limit; };
class string { ~string(); char *data; size_t size; unsigned char local[16]; };
template <class T> struct basic_string_view { private: size_t size; const T *data; };
using string_view = basic_string_view<char>;
enum align_val_t : unsigned long {};
static constexpr unsigned long hardware_destructive_interference_size = 64;
static constexpr unsigned long hardware_constructive_interference_size = 64;
namespace chrono {
class nanoseconds { nanoseconds(); long count; };
class microseconds { microseconds(); long count; };
class milliseconds { milliseconds(); long count; };
class seconds { seconds(); long count; };
class minutes { minutes(); long count; };
class hours { hours(); long count; };
}
}
#endif
