# Functions of generated Python programs that format times and durations as `shmlens dump` does, whatever
# their bytes are. Each comes after those that it calls; a program has those that it needs.

#: show_time
def show_time(count, per_second):
    seconds, part = divmod(count, per_second)
    if not -377705023201 <= seconds <= 253402207200:
        return count
    local = time.localtime(seconds)
    text = f"{local.tm_year:04}-{local.tm_mon:02}-{local.tm_mday:02}"
    text += f" {local.tm_hour:02}:{local.tm_min:02}:{local.tm_sec:02}"
    if part:
        text += "." + str(per_second + part)[1:].rstrip("0")
    minutes, seconds = divmod(abs(local.tm_gmtoff), 60)
    zone = f"{'-' if local.tm_gmtoff < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    # The time of a place before it had a zone.
    return f"{text} {zone}" + (f":{seconds:02}" if seconds else "")

#: show_duration
def show_duration(count, multiple, suffix):
    return "NaT" if count == -(1 << 63) else f"{count * multiple}{suffix}"

#: date_of
def date_of(days):
    # In years that start in March, the leap day is the last one.
    era, day = divmod(days + 719468, 146097)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month += 3 if month < 10 else -9
    return f"{year + era * 400 + (month <= 2):04}-{month:02}-{day:02}"

#: show_date
def show_date(count, multiple, per_day):
    # A number of days, or of parts of a day.
    if count == -(1 << 63):
        return "NaT"
    days, rest = divmod(count * multiple, per_day)
    text = date_of(days)
    if per_day > 1:
        text += f"T{rest // (per_day // 24):02}"
        rest %= per_day // 24
    if per_day > 24:
        text += f":{rest // (per_day // 1440):02}"
    return text

#: show_moment
def show_moment(count, multiple, digits):
    # A number of parts of a second, of so many digits.
    if count == -(1 << 63):
        return "NaT"
    whole, part = divmod(count * multiple, 10**digits)
    days, seconds = divmod(whole, 86400)
    text = f"{date_of(days)}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return text + (f".{part:0{digits}}" if digits else "")

#: show_month
def show_month(count, multiple, per_year):
    # A number of months, or of years.
    if count == -(1 << 63):
        return "NaT"
    year, month = divmod(count * multiple, per_year)
    return f"{1970 + year:04}" + (f"-{month + 1:02}" if per_year > 1 else "")
