// A program that prints its registers, its stack, and the truth about its frames, a line each:
//   R|register|value   S|address|bytes   C|function|frame address   L|function|variable|address
//   A|function|parameter|value
//   M|start of the first mapping|its offset in the file
#include <cstdio>
#include <ucontext.h>

#define KEEP __attribute__((noinline))

namespace app {
struct Shared { int tick; double value; };
struct Note { char kind; const char *function, *name; unsigned long address; };
Note notes[32];
int count;
KEEP void note(char kind, const char *function, const char *name, const volatile void *address) {
    notes[count++] = {kind, function, name, (unsigned long)address};
}

ucontext_t context;
unsigned char stack[3072];
unsigned long stack_start;

// Copies the stack while the frames are there.
KEEP void copy_stack() {
    stack_start = context.uc_mcontext.gregs[REG_RSP];
    for (unsigned long i = 0; i < sizeof stack; i++) stack[i] = ((const volatile unsigned char *)stack_start)[i];
}

KEEP int inner(Shared *shared, int depth) {
    volatile int local = depth;
    Shared *volatile pointer = shared;
    note('C', "app::inner", "", __builtin_dwarf_cfa());
    note('A', "app::inner", "shared", shared);
    note('L', "app::inner", "local", &local);
    note('L', "app::inner", "pointer", &pointer);
    getcontext(&context);
    copy_stack();
    return local + pointer->tick;
}

static inline __attribute__((always_inline)) int helper(Shared *shared) {
    volatile int helper_local = shared->tick;
    note('L', "app::helper", "helper_local", &helper_local);
    int result = inner(shared, 3);
    return result + helper_local;
}

KEEP int middle(Shared *const *all) {
    volatile long before = 5;
    note('C', "app::middle", "", __builtin_dwarf_cfa());
    note('A', "app::middle", "all", all);
    note('L', "app::middle", "before", &before);
    int sum = 0;
    for (int i = 0; i < 1; i++) {
        volatile int block_local = i;
        note('L', "app::middle", "block_local", &block_local);
        sum += helper(all[i]) + block_local;
    }
    { volatile int later = sum; return later + (int)before; }
}
} // namespace app

int main() {
    volatile unsigned char room[1024];
    room[0] = 0;
    static app::Shared shared = {7, 1.5};
    app::Shared *volatile all[1] = {&shared};
    app::note('C', "main", "", __builtin_dwarf_cfa());
    app::note('L', "main", "all", &all);
    int result = app::middle(const_cast<app::Shared *const *>(all));
    unsigned long start = 0, offset = 0;
    FILE *maps = std::fopen("/proc/self/maps", "r");
    char rights[8] = "";
    // The program comes first; its code is what the mapping is needed for.
    while (rights[2] != 'x')
        if (!maps || std::fscanf(maps, "%lx-%*x %7s %lx%*[^\n]", &start, rights, &offset) != 3) return 1;
    std::printf("M|%#lx|%#lx\n", start, offset);
    const greg_t *registers = app::context.uc_mcontext.gregs;
    const int numbers[][2] = {{3, REG_RBX}, {6, REG_RBP}, {7, REG_RSP}, {12, REG_R12}, {13, REG_R13},
                              {14, REG_R14}, {15, REG_R15}, {16, REG_RIP}};
    for (auto &number : numbers) std::printf("R|%d|%#llx\n", number[0], (unsigned long long)registers[number[1]]);
    for (int i = 0; i < app::count; i++) {
        const app::Note &note = app::notes[i];
        if (note.kind == 'C') std::printf("C|%s|%#lx\n", note.function, note.address);
        else std::printf("%c|%s|%s|%#lx\n", note.kind, note.function, note.name, note.address);
    }
    std::printf("S|%#lx|", app::stack_start);
    for (unsigned char byte : app::stack) std::printf("%02x", byte);
    std::printf("\n");
    return result == 0;
}
