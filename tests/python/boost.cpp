// Creates a managed segment with objects of many kinds, and prints the offset and size of each.
// Exits when its standard input ends.
#include <boost/interprocess/managed_shared_memory.hpp>
#include <cstdio>
#include <string>

namespace ip = boost::interprocess;

struct alignas(32) Wide {
    double values[4];
};

static ip::managed_shared_memory *memory;

template <class T> static void show(const char *name, const T *object, std::size_t count) {
    auto offset = reinterpret_cast<const char *>(object) - static_cast<const char *>(memory->get_address());
    std::printf("%s %zu %zu\n", name, static_cast<std::size_t>(offset), sizeof(T) * count);
}

int main(int, char **arguments) {
    const int count = std::stoi(arguments[1]);
    ip::shared_memory_object::remove("boost_values");
    ip::managed_shared_memory managed(ip::create_only, "boost_values", 1 << 20);
    memory = &managed;
    show("answer", managed.construct<int>("answer")(42), 1);
    show("matrix", managed.construct<double>("matrix")[12](1.5), 12);
    show("wide", managed.construct<Wide>("wide")(), 1);
    show("c", managed.construct<char>("c")[3]('x'), 3);
    show("unique:i", managed.construct<int>(ip::unique_instance)(7), 1);
    managed.construct<long>(ip::anonymous_instance)(8);
    for (int i = 0; i < count; i++) {
        std::string name = "object " + std::to_string(i * 7919);
        show(name.c_str(), managed.construct<short>(name.c_str())[i % 5 + 1](i), i % 5 + 1);
    }
    // Removals change the tree.
    managed.destroy<char>("c");
    std::puts("ready");
    std::fflush(stdout);
    while (std::getchar() != EOF) {}
    ip::shared_memory_object::remove("boost_values");
    return 0;
}
