//! The names that generated code cannot give to something of a type, by language. Other names stay as
//! they are.

use super::functions;

fn is_listed(words: &str, name: &str) -> bool {
    words.split_ascii_whitespace().any(|word| word == name)
}

pub fn in_cpp(name: &str) -> bool {
    is_listed(CPP_WORDS, name) || is_listed(CPP_MACROS, name)
}

pub fn in_rust(name: &str) -> bool {
    is_listed(RUST_WORDS, name)
}

/// Returns true for names that types of Rust cannot have.
pub fn in_rust_types(name: &str) -> bool {
    in_rust(name) || is_listed(RUST_TYPES, name)
}

/// Returns true for names that fields and enumerators of Python cannot have.
pub fn in_python(name: &str) -> bool {
    // Names with two underscores in front are mangled; those of classes have a meaning.
    name.starts_with("__") || name.starts_with('_') && name.ends_with('_') || is_listed(PYTHON_WORDS, name)
}

/// Returns true for names of an `Enum` that mean something else.
pub fn in_python_enums(name: &str) -> bool {
    in_python(name) || is_listed("mro name value", name)
}

/// Returns true for names that the code around the types uses.
pub fn in_python_globals(name: &str) -> bool {
    in_python(name) || is_listed(PYTHON_GLOBALS, name) || functions::PYTHON.has(name)
}

const CPP_WORDS: &str = "alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto \
    bitand bitor bool break case catch char char8_t char16_t char32_t class compl concept const consteval \
    constexpr constinit const_cast continue co_await co_return co_yield decltype default delete do double \
    dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable \
    namespace new noexcept not not_eq nullptr operator or or_eq private protected public register \
    reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch \
    synchronized template this thread_local throw true try typedef typeid typename typeof union unsigned \
    using virtual void volatile wchar_t while xor xor_eq std linux unix i386 errno offsetof stdin stdout \
    stderr L_ctermid L_cuserid L_tmpnam P_tmpdir __int128 __attribute__ __alignof__ __asm__ __typeof__ \
    __extension__ __restrict __inline __const __volatile__ __real__ __imag__ __complex__ __label__ __func__ \
    __FILE__ __LINE__ __DATE__ __TIME__ __FUNCTION__ __float128 __thread __signed__ __null _Complex _Float16 \
    _Float32 _Float64 _Float128 _Float32x _Float64x __linux__ __unix__ __linux __unix __cplusplus __GNUC__ \
    __x86_64__ __x86_64 __amd64 __amd64__ __ELF__ __VERSION__ __CHAR_BIT__ _LP64 __LP64__ __OPTIMIZE__ \
    __GLIBC__";
/// The macros of the headers in front of the types: those of C's numbers, texts and times.
const CPP_MACROS: &str = "ADJ_ESTERROR ADJ_FREQUENCY ADJ_MAXERROR ADJ_MICRO ADJ_NANO ADJ_OFFSET \
    ADJ_OFFSET_SINGLESHOT ADJ_OFFSET_SS_READ ADJ_SETOFFSET ADJ_STATUS ADJ_TAI ADJ_TICK ADJ_TIMECONST BIG_ENDIAN \
    BUFSIZ BYTE_ORDER CLOCKS_PER_SEC CLOCK_BOOTTIME CLOCK_BOOTTIME_ALARM CLOCK_MONOTONIC \
    CLOCK_MONOTONIC_COARSE CLOCK_MONOTONIC_RAW CLOCK_PROCESS_CPUTIME_ID CLOCK_REALTIME CLOCK_REALTIME_ALARM \
    CLOCK_REALTIME_COARSE CLOCK_TAI CLOCK_THREAD_CPUTIME_ID EOF EXIT_FAILURE EXIT_SUCCESS FD_SETSIZE \
    FILENAME_MAX FOPEN_MAX INT16_MAX INT16_MIN INT16_WIDTH INT32_MAX INT32_MIN INT32_WIDTH INT64_MAX \
    INT64_MIN INT64_WIDTH INT8_MAX INT8_MIN INT8_WIDTH INTMAX_MAX INTMAX_MIN INTMAX_WIDTH INTPTR_MAX \
    INTPTR_MIN INTPTR_WIDTH INT_FAST16_MAX INT_FAST16_MIN INT_FAST16_WIDTH INT_FAST32_MAX INT_FAST32_MIN \
    INT_FAST32_WIDTH INT_FAST64_MAX INT_FAST64_MIN INT_FAST64_WIDTH INT_FAST8_MAX INT_FAST8_MIN \
    INT_FAST8_WIDTH INT_LEAST16_MAX INT_LEAST16_MIN INT_LEAST16_WIDTH INT_LEAST32_MAX INT_LEAST32_MIN \
    INT_LEAST32_WIDTH INT_LEAST64_MAX INT_LEAST64_MIN INT_LEAST64_WIDTH INT_LEAST8_MAX INT_LEAST8_MIN \
    INT_LEAST8_WIDTH LITTLE_ENDIAN MB_CUR_MAX MOD_CLKA MOD_CLKB MOD_ESTERROR MOD_FREQUENCY MOD_MAXERROR \
    MOD_MICRO MOD_NANO MOD_OFFSET MOD_STATUS MOD_TAI MOD_TIMECONST NFDBITS NULL PDP_ENDIAN PTRDIFF_MAX \
    PTRDIFF_MIN PTRDIFF_WIDTH RAND_MAX RENAME_EXCHANGE RENAME_NOREPLACE RENAME_WHITEOUT SEEK_CUR SEEK_DATA \
    SEEK_END SEEK_HOLE SEEK_SET SIG_ATOMIC_MAX SIG_ATOMIC_MIN SIG_ATOMIC_WIDTH SIZE_MAX SIZE_WIDTH STA_CLK \
    STA_CLOCKERR STA_DEL STA_FLL STA_FREQHOLD STA_INS STA_MODE STA_NANO STA_PLL STA_PPSERROR STA_PPSFREQ \
    STA_PPSJITTER STA_PPSSIGNAL STA_PPSTIME STA_PPSWANDER STA_RONLY STA_UNSYNC TIMER_ABSTIME TIME_UTC TMP_MAX \
    UINT16_MAX UINT16_WIDTH UINT32_MAX UINT32_WIDTH UINT64_MAX UINT64_WIDTH UINT8_MAX UINT8_WIDTH UINTMAX_MAX \
    UINTMAX_WIDTH UINTPTR_MAX UINTPTR_WIDTH UINT_FAST16_MAX UINT_FAST16_WIDTH UINT_FAST32_MAX \
    UINT_FAST32_WIDTH UINT_FAST64_MAX UINT_FAST64_WIDTH UINT_FAST8_MAX UINT_FAST8_WIDTH UINT_LEAST16_MAX \
    UINT_LEAST16_WIDTH UINT_LEAST32_MAX UINT_LEAST32_WIDTH UINT_LEAST64_MAX UINT_LEAST64_WIDTH UINT_LEAST8_MAX \
    UINT_LEAST8_WIDTH WCHAR_MAX WCHAR_MIN WCHAR_WIDTH WCONTINUED WEXITED WINT_MAX WINT_MIN WINT_WIDTH WNOHANG \
    WNOWAIT WSTOPPED WUNTRACED";
const RUST_WORDS: &str = "as async await break const continue crate dyn else enum extern false fn for if impl \
    in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use \
    where while abstract become box do final gen macro override priv try typeof unsized virtual yield";
const RUST_TYPES: &str = "bool char str u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f16 f32 f64 f128 \
    libc std core alloc bits";
const PYTHON_WORDS: &str = "False None True and as assert async await break class continue def del elif else \
    except finally for from global if import in is lambda nonlocal not or pass raise return try while with \
    yield _objects";
const PYTHON_GLOBALS: &str = "ctypes enum mmap np os struct sys time memory data raw libc attach read check \
    shared_memory resource_tracker print len bytes bytearray int float str range divmod hex sorted sum \
    getattr property memoryview open chr ord dict OSError OverflowError ValueError NAME OFFSET SIZE KEY SHMID \
    SHM_RDONLY _bits";
