// Creates a managed segment and a named mutex with Boost.Interprocess, as usual.
// Exits when its standard input ends, and removes nothing.
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/named_condition.hpp>
#include <boost/interprocess/sync/named_mutex.hpp>
#include <cstdio>

namespace ip = boost::interprocess;

int main() {
    ip::managed_shared_memory memory(ip::create_only, "boost_managed", 65536);
    memory.construct<int>("answer")(42);
    ip::named_mutex mutex(ip::create_only, "boost_mutex");
    ip::named_condition condition(ip::create_only, "boost_condition");
    std::puts("ready");
    std::fflush(stdout);
    while (std::getchar() != EOF) {}
    return 0;
}
