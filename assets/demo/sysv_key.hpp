// Reads a key from an argument: a number (1234, 0x4d2), or the path of a file
// that both programs use, for ftok.
#pragma once

#include <cstdlib>
#include <sys/ipc.h>

inline key_t key_from(const char* text) {
    char* end = nullptr;
    const unsigned long number = std::strtoul(text, &end, 0);
    return *end == '\0' ? static_cast<key_t>(number) : ftok(text, 'S');
}
