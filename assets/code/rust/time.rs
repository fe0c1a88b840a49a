// Functions of generated Rust programs that format times and durations as `shmlens dump` does, whatever
// their bytes are. Each comes after those that it calls; a program has those that it needs.

//: show_time
/// Formats a local time, or the number of a time before the year -9999 or after 9999.
fn show_time(count: i64, per_second: i64) -> String {
    let (seconds, part) = (count.div_euclid(per_second), count.rem_euclid(per_second));
    let mut local: libc::tm = unsafe { std::mem::zeroed() };
    let is_known = (-377705023201..=253402207200).contains(&seconds);
    if !is_known || unsafe { libc::localtime_r(&seconds, &mut local) }.is_null() {
        return count.to_string();
    }
    let date = format!("{:04}-{:02}-{:02}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
    let mut time = format!("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
    if part != 0 {
        let digits = (per_second + part).to_string();
        time = format!("{time}.{}", digits[1..].trim_end_matches('0'));
    }
    let (sign, offset) = (if local.tm_gmtoff < 0 { '-' } else { '+' }, local.tm_gmtoff.abs());
    let zone = format!("{sign}{:02}:{:02}", offset / 3600, offset / 60 % 60);
    // The time of a place before it had a zone.
    let seconds = if offset % 60 == 0 { String::new() } else { format!(":{:02}", offset % 60) };
    format!("{date} {time} {zone}{seconds}")
}

//: show_duration
/// Formats a number of ticks of numpy.
fn show_duration(count: i64, multiple: i128, suffix: &str) -> String {
    match count {
        i64::MIN => "NaT".to_owned(),
        _ => format!("{}{suffix}", i128::from(count) * multiple),
    }
}

//: date_of
/// Returns the date of a day after 1970-01-01. In years that start in March, the leap day is the last one.
fn date_of(days: i128) -> String {
    let (era, day) = ((days + 719468).div_euclid(146097), (days + 719468).rem_euclid(146097));
    let year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + i128::from(month <= 2))
}

//: show_date
/// Formats a time of numpy: a number of days, or of parts of a day.
fn show_date(count: i64, multiple: i128, per_day: i128) -> String {
    if count == i64::MIN {
        return "NaT".to_owned();
    }
    let units = i128::from(count) * multiple;
    let (mut text, rest) = (date_of(units.div_euclid(per_day)), units.rem_euclid(per_day));
    if per_day > 1 {
        text += &format!("T{:02}", rest / (per_day / 24));
    }
    if per_day > 24 {
        text += &format!(":{:02}", rest % (per_day / 24) / (per_day / 1440));
    }
    text
}

//: show_moment
/// Formats a time of numpy: a number of parts of a second, of so many digits.
fn show_moment(count: i64, multiple: i128, digits: usize) -> String {
    if count == i64::MIN {
        return "NaT".to_owned();
    }
    let (units, parts) = (i128::from(count) * multiple, 10_i128.pow(digits as u32));
    let (whole, part) = (units.div_euclid(parts), units.rem_euclid(parts));
    let seconds = whole.rem_euclid(86400);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let text = format!("{}T{hour:02}:{minute:02}:{second:02}", date_of(whole.div_euclid(86400)));
    if digits == 0 { text } else { format!("{text}.{part:0digits$}") }
}

//: show_month
/// Formats a time of numpy: a number of months, or of years.
fn show_month(count: i64, multiple: i128, per_year: i128) -> String {
    if count == i64::MIN {
        return "NaT".to_owned();
    }
    let units = i128::from(count) * multiple;
    let year = format!("{:04}", 1970 + units.div_euclid(per_year));
    if per_year == 1 { year } else { format!("{year}-{:02}", units.rem_euclid(per_year) + 1) }
}
