// A unit with the debug information of an ordinary C++ source: mostly that of the standard library.
#include <functional>
#include <map>
#include <regex>
#include <string>
#include <thread>
#include <unordered_map>

#define GLUE2(a, b) a##b
#define GLUE(a, b) GLUE2(a, b)

namespace GLUE(unit, UNIT) {
struct Order {
    long id;
    double price;
    std::string symbol;
    std::map<int, std::string> notes;
};
template <int N> struct Book {
    Order orders[N];
    std::unordered_map<std::string, Order> by_symbol;
    std::function<void(Order &)> done;
};
static Book<UNIT + 4> book;

static bool is_price(const std::string &text) {
    static const std::regex price("[0-9]+\\.[0-9]{2}");
    return std::regex_match(text, price);
}
} // namespace GLUE(unit, UNIT)

__attribute__((used)) static int GLUE(use, UNIT)() {
    using namespace GLUE(unit, UNIT);
    std::thread thread([] { book.by_symbol["a"].price = 1; });
    thread.join();
    return is_price("1.00") + static_cast<int>(book.by_symbol.size());
}
