// Functions of generated C++ programs that print times and durations as `shmlens dump` does, whatever
// their bytes are. Each comes after those that it calls; a program has those that it needs.

//: show_time
// Local time, or the number of a time before the year -9999 or after 9999.
static void show_time(const char *path, std::int64_t count, std::int64_t per_second) {
    std::int64_t part = count % per_second;
    std::int64_t seconds = count / per_second;
    if (part < 0) {
        part += per_second;
        seconds--;
    }
    const std::time_t time = static_cast<std::time_t>(seconds);
    std::tm local;
    if (seconds < -377705023201 || seconds > 253402207200 || localtime_r(&time, &local) == nullptr) {
        std::printf("%s = %lld\n", path, static_cast<long long>(count));
        return;
    }
    const int year = local.tm_year + 1900;
    std::printf("%s = %04d-%02d-%02d %02d:%02d:%02d", path, year, local.tm_mon + 1, local.tm_mday,
                local.tm_hour, local.tm_min, local.tm_sec);
    if (part != 0) {
        std::putchar('.');
        for (std::int64_t unit = per_second / 10; part != 0; unit /= 10) {
            std::printf("%d", static_cast<int>(part / unit));
            part %= unit;
        }
    }
    const long offset = local.tm_gmtoff < 0 ? -local.tm_gmtoff : local.tm_gmtoff;
    std::printf(" %c%02ld:%02ld", local.tm_gmtoff < 0 ? '-' : '+', offset / 3600, offset / 60 % 60);
    // The time of a place before it had a zone.
    if (offset % 60 != 0) {
        std::printf(":%02ld", offset % 60);
    }
    std::puts("");
}

//: show_duration
// A number of ticks of numpy.
static void show_duration(const char *path, std::int64_t count, std::uint32_t multiple, const char *suffix) {
    if (count == INT64_MIN) {
        std::printf("%s = NaT\n", path);
        return;
    }
    const __int128 units = static_cast<__int128>(count) * multiple;
    std::printf("%s = ", path);
    put_integer(units < 0, static_cast<unsigned __int128>(units < 0 ? -units : units), 0);
    std::puts(suffix);
}

//: floored
// The quotient and the remainder of a division that rounds down.
static __int128 floored(__int128 value, std::int64_t by, std::int64_t &rest) {
    rest = static_cast<std::int64_t>((value % by + by) % by);
    return (value - rest) / by;
}

//: put_date
// Prints the date of a day after 1970-01-01. In years that start in March, the leap day is the last one.
static void put_date(__int128 days) {
    std::int64_t day = 0;
    const __int128 era = floored(days + 719468, 146097, day);
    const std::int64_t years = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * years + years / 4 - years / 100;
    const std::int64_t month = (5 * day + 2) / 153;
    const __int128 year = years + era * 400 + (month >= 10 ? 1 : 0);
    put_integer(year < 0, static_cast<unsigned __int128>(year < 0 ? -year : year), 4);
    std::printf("-%02d-%02d", static_cast<int>(month < 10 ? month + 3 : month - 9),
                static_cast<int>(day - (153 * month + 2) / 5 + 1));
}

//: show_date
// A time of numpy: a number of days, or of parts of a day.
static void show_date(const char *path, std::int64_t count, std::int64_t multiple, std::int64_t per_day) {
    if (count == INT64_MIN) {
        std::printf("%s = NaT\n", path);
        return;
    }
    std::int64_t rest = 0;
    std::printf("%s = ", path);
    put_date(floored(static_cast<__int128>(count) * multiple, per_day, rest));
    if (per_day > 1) {
        std::printf("T%02d", static_cast<int>(rest / (per_day / 24)));
        rest %= per_day / 24;
    }
    if (per_day > 24) {
        std::printf(":%02d", static_cast<int>(rest / (per_day / 1440)));
        rest %= per_day / 1440;
    }
    std::puts("");
}

//: show_moment
// A time of numpy: a number of parts of a second, of so many digits.
static void show_moment(const char *path, std::int64_t count, std::int64_t multiple, int digits) {
    if (count == INT64_MIN) {
        std::printf("%s = NaT\n", path);
        return;
    }
    std::int64_t per_second = 1;
    for (int i = 0; i < digits; i++) {
        per_second *= 10;
    }
    std::int64_t part = 0, seconds = 0;
    const __int128 whole = floored(static_cast<__int128>(count) * multiple, per_second, part);
    std::printf("%s = ", path);
    put_date(floored(whole, 86400, seconds));
    std::printf("T%02d:%02d:%02d", static_cast<int>(seconds / 3600), static_cast<int>(seconds / 60 % 60),
                static_cast<int>(seconds % 60));
    if (digits > 0) {
        std::printf(".%0*lld", digits, static_cast<long long>(part));
    }
    std::puts("");
}

//: show_month
// A time of numpy: a number of months, or of years.
static void show_month(const char *path, std::int64_t count, std::int64_t multiple, std::int64_t per_year) {
    if (count == INT64_MIN) {
        std::printf("%s = NaT\n", path);
        return;
    }
    std::int64_t month = 0;
    const __int128 year = floored(static_cast<__int128>(count) * multiple, per_year, month) + 1970;
    std::printf("%s = ", path);
    put_integer(year < 0, static_cast<unsigned __int128>(year < 0 ? -year : year), 4);
    if (per_year > 1) {
        std::printf("-%02d", static_cast<int>(month + 1));
    }
    std::puts("");
}
