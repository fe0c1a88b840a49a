# Functions of generated Python programs that format characters and texts as `shmlens dump` does, whatever
# their bytes are. Each comes after those that it calls; a program has those that it needs.

#: escape
def escape(text, quote):
    # A terminal does not show these as they are, although Unicode calls them printable.
    hidden = "\\\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0" + quote
    out = ""
    for c in text:
        selects = "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef"
        if c.isprintable() and c not in hidden and not selects:
            out += c
        else:
            # Bytes that are not UTF-8 come as surrogates.
            out += "".join(f"\\x{byte:02x}" for byte in c.encode("utf-8", "surrogateescape"))
    return out

#: show_text
def show_text(raw):
    return '"' + escape(raw.decode("utf-8", "surrogateescape"), '"') + '"'

#: counted
def counted(raw):
    # The first byte is the length.
    return raw[1 : 1 + raw[0]]

#: escape_code
def escape_code(code, quote):
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return f"\\u{{{code:x}}}"
    return escape(chr(code), quote)

#: codes_of
def codes_of(raw, unit, order):
    # The units of UTF-16 or UTF-32, with pairs of surrogates joined.
    codes = []
    for at in range(0, len(raw), unit):
        code = int.from_bytes(raw[at : at + unit], order)
        if unit == 2 and codes and 0xDC00 <= code <= 0xDFFF and 0xD800 <= codes[-1] <= 0xDBFF:
            codes[-1] = 0x10000 + ((codes[-1] & 0x3FF) << 10 | code & 0x3FF)
        else:
            codes.append(code)
    return codes

#: show_wide_text
def show_wide_text(raw, unit, order):
    codes = codes_of(raw, unit, order)
    if 0 in codes:
        codes = codes[: codes.index(0)]
    return '"' + "".join(escape_code(code, '"') for code in codes) + '"'

#: show_stripped_text
def show_stripped_text(raw, unit, order):
    codes = codes_of(raw, unit, order)
    while codes and codes[-1] == 0:
        del codes[-1]
    return '"' + "".join(escape_code(code, '"') for code in codes) + '"'

#: show_character
def show_character(byte):
    code = byte & 0xFF
    return "'" + (f"\\x{code:02x}" if code > 0x7F else escape(chr(code), "'")) + "'"

#: show_wide_character
def show_wide_character(code):
    return "'" + escape_code(code, "'") + "'"
