// Functions of generated C++ programs that print numbers, names and bytes as `shmlens dump` does, whatever
// their bytes are. Each comes after those that it calls; a program has those that it needs.

//: swapped
// A value in the other byte order.
template <typename T> static T swapped(const void *at) {
    unsigned char bytes[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); i++) {
        bytes[i] = static_cast<const unsigned char *>(at)[sizeof(T) - 1 - i];
    }
    T value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

//: byte_of
// The byte of a bool, which may be neither 0 nor 1.
static unsigned char byte_of(const void *at) {
    return *static_cast<const unsigned char *>(at);
}

//: show_name
static void show_name(const char *path, const char *name) {
    std::printf("%s = %s\n", path, name);
}

//: Flag
template <typename T> struct Flag {
    T value;
    const char *name;
};

//: show_flags
// Prints the name of a value or those of its bits, then bits without a name as a number. Returns false if
// there is no name to print.
template <typename T, std::size_t N>
static bool show_flags(const char *path, T value, const Flag<T> (&flags)[N]) {
    for (const auto &flag : flags) {
        if (flag.value == value) {
            show_name(path, flag.name);
            return true;
        }
    }
    auto rest = static_cast<__int128>(value);
    bool has_name = false;
    for (const auto &flag : flags) {
        const auto bit = static_cast<__int128>(flag.value);
        if (rest > 0 && (rest & bit) != 0 && (bit & (bit - 1)) == 0) {
            std::printf("%s%s%s", has_name ? "" : path, has_name ? "|" : " = ", flag.name);
            has_name = true;
            rest ^= bit;
        }
    }
    if (!has_name) {
        return false;
    }
    const auto high = static_cast<unsigned long long>(rest >> 64), low = static_cast<unsigned long long>(rest);
    if (high != 0) {
        std::printf("|0x%llx%016llx", high, low);
    } else if (low != 0) {
        std::printf("|0x%llx", low);
    }
    std::puts("");
    return true;
}

//: show_integer
template <typename T> static void show_integer(const char *path, T value) {
    if (value < T(1) && value != T(0)) {
        std::printf("%s = %lld\n", path, static_cast<long long>(value));
    } else {
        std::printf("%s = %llu\n", path, static_cast<unsigned long long>(value));
    }
}

//: show_address
static void show_address(const char *path, std::uint64_t address) {
    std::printf("%s = 0x%llx\n", path, static_cast<unsigned long long>(address));
}

//: put_integer
static void put_integer(bool is_negative, unsigned __int128 size, int width) {
    char text[48];
    int at = sizeof text;
    do {
        text[--at] = static_cast<char>('0' + static_cast<int>(size % 10));
        size /= 10;
    } while (size != 0);
    while (static_cast<int>(sizeof text) - at < width - is_negative) {
        text[--at] = '0';
    }
    std::printf("%s%.*s", is_negative ? "-" : "", static_cast<int>(sizeof text) - at, text + at);
}

//: show_wide_integer
template <typename T> static void show_wide_integer(const char *path, T value) {
    const bool is_negative = value < T(1) && value != T(0);
    const auto size = static_cast<unsigned __int128>(value);
    std::printf("%s = ", path);
    put_integer(is_negative, is_negative ? 0 - size : size, 0);
    std::puts("");
}

//: show_truth
static void show_truth(const char *path, unsigned char byte) {
    if (byte < 2) {
        std::printf("%s = %s\n", path, byte == 1 ? "true" : "false");
    } else {
        std::printf("%s = %d\n", path, byte);
    }
}

//: show_bytes
static void show_bytes(const char *path, const void *at, std::size_t size) {
    std::printf("%s =", path);
    for (std::size_t i = 0; i < size && i < @BYTES@; i++) {
        std::printf(" %02x", static_cast<const unsigned char *>(at)[i]);
    }
    if (size > @BYTES@) {
        std::printf(" ... and %zu more", size - @BYTES@);
    }
    std::puts("");
}

//: put_digits
// Prints a number from its digits, `d.ddde+xx`.
static void put_digits(const char *text) {
    char digits[32];
    int count = 0;
    if (*text == '-') {
        std::putchar(*text++);
    }
    for (; *text != 'e'; text++) {
        if (*text != '.') {
            digits[count++] = *text;
        }
    }
    const int exponent = std::atoi(text + 1);
    const bool is_short = exponent >= -4 && exponent < 16;
    const int point = is_short ? exponent : 0;
    if (point < 0) {
        std::printf("0.%.*s%.*s", -point - 1, "000", count, digits);
        return;
    }
    for (int i = 0; i < count || (is_short && i <= point + 1); i++) {
        if (i == point + 1) {
            std::putchar('.');
        }
        std::putchar(i < count ? digits[i] : '0');
    }
    if (!is_short) {
        std::printf("e%d", exponent);
    }
}

//: put_real
// Prints as few digits as give the same number.
template <typename T> static void put_real(T value) {
    if (value != value) {
        std::fputs("nan", stdout);
    } else if (value - value != 0) {
        std::fputs(value < 0 ? "-inf" : "inf", stdout);
    } else {
        char text[40];
        for (int digits = 0; digits < 17; digits++) {
            std::snprintf(text, sizeof text, "%.*e", digits, static_cast<double>(value));
            if (value == (sizeof(T) == 4 ? static_cast<T>(std::strtof(text, nullptr))
                                         : static_cast<T>(std::strtod(text, nullptr)))) {
                break;
            }
        }
        put_digits(text);
    }
}

//: show_real
template <typename T> static void show_real(const char *path, T value) {
    std::printf("%s = ", path);
    put_real(value);
    std::puts("");
}

//: show_complex
template <typename T> static void show_complex(const char *path, T real, T imaginary) {
    std::printf("%s = ", path);
    put_real(real);
    std::fputs(imaginary != imaginary || !__builtin_signbit(imaginary) ? "+" : "", stdout);
    put_real(imaginary);
    std::puts("i");
}

//: half_value
// The value of a positive float of 16 bits.
static double half_value(unsigned bits) {
    const int exponent = static_cast<int>(bits >> 10);
    double value = exponent == 0 ? bits & 0x3ff : (bits & 0x3ff) | 0x400;
    for (int i = exponent == 0 ? 1 : exponent; i < 25; i++) {
        value /= 2;
    }
    for (int i = 25; i < exponent; i++) {
        value *= 2;
    }
    return value;
}

//: show_half
// A float of 16 bits.
static void show_half(const char *path, std::uint16_t bits) {
    const unsigned size = bits & 0x7fff;
    std::printf("%s = %s", path, bits >> 15 != 0 && size <= 0x7c00 ? "-" : "");
    if (size >= 0x7c00) {
        std::puts(size == 0x7c00 ? "inf" : "nan");
        return;
    }
    const double value = half_value(size);
    const double low = size == 0 ? 0 : (half_value(size - 1) + value) / 2;
    const double high = (value + half_value(size + 1)) / 2;
    char text[40];
    for (int digits = 0; digits < 6; digits++) {
        std::snprintf(text, sizeof text, "%.*e", digits, value);
        const double back = std::strtod(text, nullptr);
        if ((back > low && back < high) || (size % 2 == 0 && (back == low || back == high))) {
            break;
        }
    }
    put_digits(text);
    std::puts("");
}
