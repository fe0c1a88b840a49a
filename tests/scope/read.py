"""Reads a recording with the usual library of its format, and prints it as JSON."""

import csv
import json
import sys


def value(number):
    """Integers and floats as text, which keeps all bits."""
    return None if number is None else str(number) if isinstance(number, int) else repr(float(number))


def read_csv(path):
    with open(path, newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    names = [name for name in reader.fieldnames if name != "time"]
    return {
        "time": [row["time"] for row in rows],
        "channels": {name: [row[name] or None for row in rows] for name in names},
    }


def read_npz(path):
    import numpy

    with numpy.load(path, allow_pickle=False) as arrays:
        own = ["time", "start"]
        return {
            "start": value(int(arrays["start"])),
            "time": [value(time) for time in arrays["time"]],
            "dtypes": {name: arrays[name].dtype.str for name in arrays.files if name not in own},
            "channels": {
                name: [value(number) for number in arrays[name].tolist()]
                for name in arrays.files if name not in own
            },
        }


def messages(file):
    """The messages of a file, also without an index: that of a recorder that was killed."""
    from mcap.exceptions import EndOfFile, McapError
    from mcap.reader import NonSeekingReader, SeekingReader
    from mcap.stream_reader import StreamReader

    try:
        reader = SeekingReader(file, validate_crcs=True)
        summary = reader.get_summary()
        if summary and summary.statistics:
            found = [(schema, channel, message) for schema, channel, message in reader.iter_messages()]
            assert len(found) == summary.statistics.message_count
            return True, found
    except (EndOfFile, McapError):
        pass
    file.seek(0)
    found = []
    try:
        for item in NonSeekingReader(file, validate_crcs=True).iter_messages(log_time_order=False):
            found.append(item)
    except (EndOfFile, McapError):
        pass
    return False, found


def read_mcap(path):
    channels, times, topics = {}, {}, {}
    with open(path, "rb") as file:
        complete, found = messages(file)
    for schema, channel, message in found:
        parsed = json.loads(message.data)
        assert schema.encoding == "jsonschema" and channel.message_encoding == "json"
        assert list(parsed) == ["value"] and list(json.loads(schema.data)["properties"]) == ["value"]
        assert message.log_time == message.publish_time
        channels.setdefault(channel.topic, []).append(value(parsed["value"]))
        times.setdefault(channel.topic, []).append(str(message.log_time))
        topics[channel.topic] = json.loads(schema.data)["properties"]["value"]["type"]
    return {"complete": complete, "times": times, "types": topics, "channels": channels}


READERS = {"csv": read_csv, "npz": read_npz, "mcap": read_mcap}
path = sys.argv[1]
json.dump(READERS[path.rsplit(".", 1)[1]](path), sys.stdout)
