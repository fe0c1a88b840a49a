// Functions of generated C++ programs that print characters and texts as `shmlens dump` does, whatever
// their bytes are. Each comes after those that it calls; a program has those that it needs.

//: put_character
// Prints a character, escaped if a terminal does not show it as it is.
static void put_character(std::uint32_t code, char quote) {
    static const std::uint32_t hidden[][2] = {
        {0, 0x1f}, {'\\', '\\'}, {0x7f, 0xa0}, {0xad, 0xad}, {0x34f, 0x34f}, {0x600, 0x605}, {0x61c, 0x61c},
        {0x6dd, 0x6dd}, {0x70f, 0x70f}, {0x115f, 0x1160}, {0x1680, 0x1680}, {0x17b4, 0x17b5},
        {0x180b, 0x180f}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x2800, 0x2800},
        {0x3000, 0x3000}, {0x3164, 0x3164}, {0xe000, 0xf8ff}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
        {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0x323b0, 0x10ffff},
    };
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        std::printf("\\u{%x}", static_cast<unsigned>(code));
        return;
    }
    bool is_escaped = code == static_cast<unsigned char>(quote);
    for (const auto &range : hidden) {
        is_escaped = is_escaped || (code >= range[0] && code <= range[1]);
    }
    unsigned char utf8[4];
    int length = 0;
    if (code < 0x80) {
        utf8[length++] = static_cast<unsigned char>(code);
    } else {
        const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        utf8[length++] = static_cast<unsigned char>(0xff00 >> (more + 1) | code >> 6 * more);
        for (int i = more - 1; i >= 0; i--) {
            utf8[length++] = static_cast<unsigned char>(0x80 | (code >> 6 * i & 0x3f));
        }
    }
    for (int i = 0; i < length; i++) {
        std::printf(is_escaped ? "\\x%02x" : "%c", utf8[i]);
    }
}

//: show_character
static void show_character(const char *path, char value) {
    const auto byte = static_cast<unsigned char>(value);
    std::printf("%s = '", path);
    if (byte < 0x80) {
        put_character(byte, '\'');
    } else {
        std::printf("\\x%02x", byte);
    }
    std::puts("'");
}

//: show_wide_character
static void show_wide_character(const char *path, std::uint32_t code) {
    std::printf("%s = '", path);
    put_character(code, '\'');
    std::puts("'");
}

//: show_text
// UTF-8. Bytes that are not are escaped.
static void show_text(const char *path, const char *text, std::size_t size) {
    const auto *bytes = reinterpret_cast<const unsigned char *>(text);
    std::printf("%s = \"", path);
    for (std::size_t at = 0; at < size;) {
        const unsigned char first = bytes[at];
        const std::size_t more = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        std::uint32_t code = first & (0x3f >> more);
        std::size_t found = 0;
        while (found < more && at + found + 1 < size && (bytes[at + found + 1] & 0xc0) == 0x80) {
            found++;
            code = code << 6 | (bytes[at + found] & 0x3f);
        }
        const std::uint32_t least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0;
        const bool is_character = code >= least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        if (first < 0x80) {
            put_character(first, '"');
            at++;
        } else if (more > 0 && found == more && is_character) {
            put_character(code, '"');
            at += more + 1;
        } else {
            std::printf("\\x%02x", first);
            at++;
        }
    }
    std::puts("\"");
}

//: stripped
// The size of a text without the NULs at its end.
static std::size_t stripped(const char *text, std::size_t size) {
    while (size > 0 && text[size - 1] == 0) {
        size--;
    }
    return size;
}

//: counted
// The size of a text whose first byte is its length.
static std::size_t counted(const char *text, std::size_t size) {
    const auto length = static_cast<unsigned char>(text[0]);
    return length < size ? length : size - 1;
}

//: show_wide_text
// UTF-16 and UTF-32, up to the first NUL or without the NULs at the end.
static void show_wide_text(const char *path, const void *at, std::size_t size, std::size_t unit, bool is_big,
                           bool keeps_nul) {
    const auto *bytes = static_cast<const unsigned char *>(at);
    const auto code = [=](std::size_t index) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < unit; i++) {
            value = value << 8 | bytes[index * unit + (is_big ? i : unit - 1 - i)];
        }
        return value;
    };
    std::size_t count = size / unit;
    if (keeps_nul) {
        while (count > 0 && code(count - 1) == 0) {
            count--;
        }
    }
    std::printf("%s = \"", path);
    for (std::size_t i = 0; i < count && (keeps_nul || code(i) != 0); i++) {
        std::uint32_t value = code(i);
        if (unit == 2 && value >= 0xd800 && value < 0xdc00 && i + 1 < count && code(i + 1) >= 0xdc00 &&
            code(i + 1) < 0xe000) {
            value = 0x10000 + ((value & 0x3ff) << 10 | (code(++i) & 0x3ff));
        }
        put_character(value, '"');
    }
    std::puts("\"");
}
