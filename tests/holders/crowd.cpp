// A crowd of processes that hold shared memory in every possible way. Prints the
// holdings of each, as recorded by the holders and not read from /proc, then
// "ready". Exits when its standard input ends, when its parent dies, or after
// five minutes, and removes everything.
//
//   crowd PROCESSES MAPPINGS SEGMENTS [special|shared]
//
// PROCESSES ordinary processes, each with MAPPINGS additional private mappings of
// libraries, and SEGMENTS segments of each kind. "special", which needs root, adds
// the processes that are hard to see. The lines:
//
//   sysv SHMID                 a segment
//   posix DEVICE INODE NAME    an object, its name in hexadecimal
//   deleted DEVICE INODE NAME  the same, unlinked
//   process PID ROLE COMMAND   the command in hexadecimal, "-" where it was not set
//   hold PID OBJECT ACCESS MAPPINGS DESCRIPTORS SHARED-OR-PRIVATE
//   unseen PID OBJECT MAPPINGS mappings that are counted but cannot be found
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <map>
#include <pthread.h>
#include <sched.h>
#include <set>
#include <string>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

static const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
static const unsigned limit_in_seconds = 300;
static const uid_t nobody = 65534;

static void check(bool good, const char* what) {
    if (good) return;
    std::perror(what);
    std::exit(1);
}

static std::string hex(const std::string& bytes) {
    std::string text;
    char two[3];
    for (unsigned char byte : bytes) {
        std::snprintf(two, sizeof two, "%02x", byte);
        text += two;
    }
    return text.empty() ? "-" : text;
}

// Access of this process to an object.
struct hold {
    bool write = false, is_private = false;
    int mappings = 0, descriptors = 0;
};
static std::map<std::string, hold> held;
// Its report to the parent, which knows its pid: each line starts with a word and "@".
static std::string told;

struct object {
    std::string name, path, id;
    dev_t device;
    ino_t inode;
};

// --- ways to hold a System V segment

static std::string sysv(int shmid) { return "sysv:" + std::to_string(shmid); }

static void* attach(int shmid, int flags) {
    void* at = shmat(shmid, nullptr, flags);
    check(at != reinterpret_cast<void*>(-1), "shmat");
    hold& mine = held[sysv(shmid)];
    ++mine.mappings;
    mine.write |= !(flags & SHM_RDONLY);
    return at;
}

static void detach(int shmid, void* at) {
    check(shmdt(at) == 0, "shmdt");
    --held[sysv(shmid)].mappings;
}

static const int sysv_pages = 4, sysv_ways = 7;

static void attach_somehow(int shmid, int way) {
    switch (way % sysv_ways) {
    case 0: attach(shmid, 0); break;
    case 1: attach(shmid, SHM_RDONLY); break;
    case 2: attach(shmid, 0), attach(shmid, 0); break;
    case 3: attach(shmid, 0), attach(shmid, SHM_RDONLY); break;
    case 4: {
        // Unmapped in the middle: two mappings remain and are counted.
        char* at = static_cast<char*>(attach(shmid, 0));
        check(munmap(at + page, page) == 0, "munmap");
        ++held[sysv(shmid)].mappings;
        break;
    }
    case 5: {
        // Read-only in one part: the writable part makes it rw.
        char* at = static_cast<char*>(attach(shmid, 0));
        check(mprotect(at, page, PROT_READ) == 0, "mprotect");
        ++held[sysv(shmid)].mappings;
        break;
    }
    case 6: {
        attach(shmid, SHM_RDONLY);
        const hold before = held[sysv(shmid)];
        detach(shmid, attach(shmid, 0));
        held[sysv(shmid)] = before;
        break;
    }
    }
}

// --- ways to hold a POSIX object

static int open_it(const object& of, int flags) {
    int fd = open(of.path.c_str(), flags | O_CLOEXEC);
    check(fd >= 0, "open");
    return fd;
}

static void keep(const object& of, int flags) {
    open_it(of, flags);
    hold& mine = held[of.id];
    ++mine.descriptors;
    mine.write |= (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH);
}

static void map(const object& of, int open_flags, int protection, int flags, size_t from = 0) {
    int fd = open_it(of, open_flags);
    void* at = mmap(nullptr, page, protection, flags, fd, static_cast<off_t>(from));
    check(at != MAP_FAILED, "mmap");
    close(fd);
    hold& mine = held[of.id];
    ++mine.mappings;
    mine.is_private |= (flags & MAP_PRIVATE) != 0;
    mine.write |= (protection & PROT_WRITE) && !(flags & MAP_PRIVATE);
}

static const size_t posix_pages = 3;
static const int posix_ways = 13;
// Holds an object only through a private mapping.
static bool never_only_private = false;

static void hold_somehow(const object& of, int way) {
    const int read_write = PROT_READ | PROT_WRITE;
    way %= posix_ways;
    if (way == 2 && never_only_private) way = 10;
    switch (way) {
    case 0: map(of, O_RDONLY, PROT_READ, MAP_SHARED); break;
    case 1: map(of, O_RDWR, read_write, MAP_SHARED); break;
    case 2: map(of, O_RDONLY, read_write, MAP_PRIVATE); break;
    case 3: keep(of, O_RDONLY); break;
    case 4: keep(of, O_RDWR); break;
    case 5: keep(of, O_PATH); break;
    case 6: keep(of, O_WRONLY); break;
    case 7: map(of, O_RDWR, read_write, MAP_SHARED), keep(of, O_RDWR); break;
    case 8: map(of, O_RDWR, PROT_READ, MAP_SHARED); break;
    case 9: map(of, O_RDWR, read_write, MAP_SHARED), map(of, O_RDWR, read_write, MAP_SHARED, 2 * page); break;
    case 10: map(of, O_RDONLY, PROT_READ, MAP_SHARED), map(of, O_RDONLY, PROT_READ, MAP_PRIVATE); break;
    case 11: map(of, O_RDWR, PROT_NONE, MAP_SHARED); break;
    case 12: keep(of, O_RDONLY), keep(of, O_RDONLY), map(of, O_RDWR, PROT_READ, MAP_PRIVATE); break;
    }
}

// --- processes

static void tell(const std::string& word, const std::string& rest) { told += word + " @ " + rest + "\n"; }

static void tell_role(const std::string& role, const std::string& command = "") {
    if (!command.empty()) check(prctl(PR_SET_NAME, command.c_str()) == 0, "PR_SET_NAME");
    tell("process", role + " " + (command.empty() ? "-" : hex(command)));
}

static void bound() {
    check(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "PR_SET_PDEATHSIG");
    alarm(limit_in_seconds);
}

static void write_all(int fd, const std::string& text) {
    for (size_t done = 0; done < text.size();) {
        ssize_t count = write(fd, text.data() + done, text.size() - done);
        check(count > 0, "write");
        done += static_cast<size_t>(count);
    }
}

// Reports to the parent and stays.
static int report_to = -1;
// Ends a report: closing the pipe would not do for a thread with its own descriptor table.
static const std::string end = "end\n";

static void report() {
    for (const auto& [of, mine] : held)
        tell("hold", of + (mine.write ? " rw " : " r ") + std::to_string(mine.mappings) + " " +
                         std::to_string(mine.descriptors) + (mine.is_private ? " private" : " shared"));
    write_all(report_to, told + end);
    close(report_to);
}

[[noreturn]] static void stay() {
    for (;;) pause();
}

// Starts a process that does something, reports and stays. It inherits the holdings of this one.
static pid_t start(const std::function<void()>& what) {
    int ends[2];
    check(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    pid_t pid = fork();
    check(pid >= 0, "fork");
    if (pid == 0) {
        close(ends[0]);
        if (report_to >= 0) close(report_to);
        report_to = ends[1];
        told.clear();
        bound();
        what();
        report();
        stay();
    }
    close(ends[1]);
    std::string text;
    char buffer[4096];
    auto complete = [&] { return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0; };
    for (ssize_t count; !complete() && (count = read(ends[0], buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<size_t>(count));
    close(ends[0]);
    check(complete(), "a process that reports");
    text.resize(text.size() - end.size());
    const std::string number = " " + std::to_string(pid) + " ";
    for (size_t at; (at = text.find(" @ ")) != std::string::npos;) text.replace(at, 3, number);
    told += text;
    return pid;
}

// The first libraries found on this machine.
static std::vector<std::string> libraries() {
    std::set<std::string> found;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        const size_t path = line.find('/'), name = line.find("/libc.so");
        if (path == std::string::npos || name == std::string::npos) continue;
        const std::string directory = line.substr(path, name - path);
        if (DIR* entries = opendir(directory.c_str())) {
            while (dirent* entry = readdir(entries))
                if (std::strstr(entry->d_name, ".so.") && entry->d_type == DT_REG) found.insert(directory + "/" + entry->d_name);
            closedir(entries);
        }
        break;
    }
    found.insert("/proc/self/exe");
    std::vector<std::string> some(found.begin(), found.end());
    if (some.size() > 60) some.resize(60);
    return some;
}

// The mappings of a library in every process: four private ones of the file and
// an anonymous one.
static void fill(int mappings) {
    static const std::vector<std::string> all = libraries();
    for (int at = 0; at < mappings;) {
        const std::string& library = all[static_cast<size_t>(at / 5) % all.size()];
        int fd = open(library.c_str(), O_RDONLY | O_CLOEXEC);
        check(fd >= 0, "open");
        for (int one = 0; one < 5 && at < mappings; ++one, ++at) {
            const bool anonymous = one == 4;
            const int flags = anonymous ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_PRIVATE;
            // Adjacent mappings of the same kind would be merged.
            const int protection = at % 2 ? PROT_READ : PROT_NONE;
            check(mmap(nullptr, page, protection, flags, anonymous ? -1 : fd, 0) != MAP_FAILED, "mmap");
        }
        close(fd);
    }
}

// Memory on the internal tmpfs of System V segments that is not a segment.
static void decoys() {
    int fd = memfd_create("SYSV00000000", MFD_CLOEXEC);
    check(fd >= 0 && ftruncate(fd, static_cast<off_t>(page)) == 0, "memfd_create");
    for (int flags : {MAP_SHARED, MAP_PRIVATE}) check(mmap(nullptr, page, PROT_READ, flags, fd, 0) != MAP_FAILED, "mmap");
    check(mmap(nullptr, page, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED, "mmap");
}

// --- the world

static std::vector<int> segments;
static std::vector<object> objects;

static int segment(int key, size_t size, int flags = 0) {
    int shmid = shmget(key, size, IPC_CREAT | 0600 | flags);
    if (shmid >= 0) segments.push_back(shmid);
    return shmid;
}

static object made(const std::string& name, size_t size) {
    object one;
    one.name = name;
    one.path = "/dev/shm/" + name;
    int fd = open(one.path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    check(fd >= 0 && ftruncate(fd, static_cast<off_t>(size)) == 0, "an object");
    struct stat facts;
    check(fstat(fd, &facts) == 0, "fstat");
    close(fd);
    one.device = facts.st_dev;
    one.inode = facts.st_ino;
    one.id = "file:" + std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
    objects.push_back(one);
    return one;
}

static void print(const char* word, const object& one) {
    std::printf("%s %ju %ju %s\n", word, static_cast<uintmax_t>(one.device), static_cast<uintmax_t>(one.inode),
                hex(one.name).c_str());
}

static const char* const commands[] = {"\x1b[31mred", "two\nlines", ") R 1 (x", "\xff\xfe", "a\\nb", "exactly-15-byte"};
static const char* const names[] = {"plain",          "two\nlines",  "\xff\xfe", "\x1b[31mred",
                                    "x (deleted)",    "SYSV00000000 (deleted)", "memfd:x", "back\\slash",
                                    " leading space", "directory/object"};

static void ordinary(int number, int processes, int mappings, int count) {
    const size_t special = sizeof commands / sizeof *commands;
    const size_t at = static_cast<size_t>(number);
    tell_role("ordinary", at < special ? commands[at] : "");
    // Every segment has a holder, and some have many.
    const int share = (count + processes - 1) / processes;
    for (int one = 0; one < share + 2; ++one) {
        const int which = (one < share ? number * share + one : number * 7919 + one) % count;
        // For a segment chosen twice, the second attachment adds to the first.
        attach_somehow(segments[static_cast<size_t>(which)], number + one);
        hold_somehow(objects[static_cast<size_t>(which)], number + one);
    }
    decoys();
    fill(mappings);
}

// Segments of the special processes, and segments without holders.
static int shared_segment, huge_segment = -1;
static object shared_object, locked_object;
static void specials();

static void make_special() {
    shared_segment = segment(IPC_PRIVATE, sysv_pages * page);
    check(shared_segment >= 0, "shmget");
    shared_object = made("shared", posix_pages * page);
    locked_object = made("locked", posix_pages * page);
    // No huge page is reserved, so this works without any.
    huge_segment = segment(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | SHM_NORESERVE);
    made("unheld", page);
    // Its creator has exited.
    const int key = 999;
    pid_t maker = fork();
    if (maker == 0) _exit(shmget(key, page, IPC_CREAT | IPC_EXCL | 0600) < 0);
    int status = 1;
    check(maker > 0 && waitpid(maker, &status, 0) == maker && status == 0, "a maker");
    check(segment(key, page) >= 0, "shmget");
}

int main(int arguments, char** argument) {
    check(arguments >= 4, "crowd PROCESSES MAPPINGS SEGMENTS [special]");
    const int processes = std::atoi(argument[1]), mappings = std::atoi(argument[2]), count = std::atoi(argument[3]);
    bound();
    check(mkdir("/dev/shm/directory", 0700) == 0, "mkdir");
    for (int at = 0; at < count; ++at) {
        const size_t named = sizeof names / sizeof *names;
        check(segment(at % 3 ? IPC_PRIVATE : 1000 + at, sysv_pages * page) >= 0, "shmget");
        made(static_cast<size_t>(at) < named ? names[at] : "object-" + std::to_string(at), posix_pages * page);
    }
    never_only_private = arguments > 4 && std::string(argument[4]) == "shared";
    const bool special = arguments > 4 && !never_only_private;
    if (special) make_special();
    std::vector<pid_t> children;
    for (int at = 0; at < processes; ++at)
        children.push_back(start([&] { ordinary(at, processes, mappings, count); }));
    if (special) children.push_back(start(specials));
    // Some held segments are removed.
    const size_t held_by_all = static_cast<size_t>(count);
    for (size_t at = 0; at < segments.size(); ++at) {
        if (at < held_by_all && at % 11 == 5) check(shmctl(segments[at], IPC_RMID, nullptr) == 0, "IPC_RMID");
        std::printf("sysv %d\n", segments[at]);
    }
    for (size_t at = 0; at < objects.size(); ++at) {
        const bool removed = at < held_by_all && at % 5 == 4;
        if (removed) check(unlink(objects[at].path.c_str()) == 0, "unlink");
        print(removed ? "deleted" : "posix", objects[at]);
    }
    std::fputs(told.c_str(), stdout);
    std::puts("ready");
    std::fflush(stdout);

    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {}
    for (pid_t child : children) kill(child, SIGKILL);
    while (wait(nullptr) > 0) {}
    for (int shmid : segments) shmctl(shmid, IPC_RMID, nullptr);
    for (const object& one : objects) unlink(one.path.c_str());
    rmdir("/dev/shm/directory");
    return 0;
}

// --- processes that are hard to see

static void both() { attach(shared_segment, 0), hold_somehow(shared_object, 7); }

static void* in_a_thread(void* what) {
    (*static_cast<std::function<void()>*>(what))();
    report();
    stay();
}

static void start_thread(std::function<void()> what) {
    pthread_t thread;
    check(pthread_create(&thread, nullptr, in_a_thread, new std::function<void()>(std::move(what))) == 0, "pthread_create");
}

static void specials() {
    tell_role("specials");
    if (huge_segment >= 0) {
        start([] {
            tell_role("huge");
            attach(huge_segment, SHM_RDONLY), attach(huge_segment, 0);
        });
    }
    // Forked: the child inherits the parent's holdings.
    start([] {
        tell_role("forked");
        both();
        start([] { tell_role("forked"); });
    });
    // The main thread has ended, another one runs on.
    start([] {
        tell_role("headless");
        both();
        start_thread([] {});
        // Without unwinding memory that the other thread uses. That one reports.
        syscall(SYS_exit, 0);
    });
    // A thread with its own descriptor table.
    start([] {
        tell_role("own-descriptors");
        keep(shared_object, O_RDONLY);
        start_thread([] {
            check(unshare(CLONE_FILES) == 0, "CLONE_FILES");
            keep(shared_object, O_RDWR);
            // The main thread's descriptor is copied into its own table.
            ++held[shared_object.id].descriptors;
        });
        stay();
    });
    // The same shmids are other segments there.
    start([] {
        tell_role("other-ipc");
        check(unshare(CLONE_NEWIPC) == 0, "CLONE_NEWIPC");
        for (int at = 0; at <= shared_segment % 32768; ++at) {
            int shmid = shmget(IPC_PRIVATE, page, 0600);
            check(shmid >= 0 && shmat(shmid, nullptr, 0) != reinterpret_cast<void*>(-1), "shmat");
        }
    });
    // It keeps its attachment in another namespace.
    start([] {
        tell_role("left-ipc");
        check(shmat(shared_segment, nullptr, 0) != reinterpret_cast<void*>(-1), "shmat");
        check(unshare(CLONE_NEWIPC) == 0, "CLONE_NEWIPC");
        tell("unseen", sysv(shared_segment) + " 1");
    });
    start([] {
        tell_role("other-mounts");
        both();
        check(unshare(CLONE_NEWNS) == 0, "CLONE_NEWNS");
        // The same device at another mount point.
        check(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount");
        check(mount("/dev/shm", "/mnt", nullptr, MS_BIND, nullptr) == 0, "mount");
        object same = shared_object;
        same.path = "/mnt/" + same.name;
        hold_somehow(same, 9);
        // The same name, on another device.
        check(mount("tmpfs", "/dev/shm", "tmpfs", 0, nullptr) == 0, "mount");
        int fd = open(shared_object.path.c_str(), O_CREAT | O_RDWR, 0600);
        check(fd >= 0 && ftruncate(fd, static_cast<off_t>(page)) == 0, "open");
        check(mmap(nullptr, page, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
    });
    start([] {
        tell_role("pid-outside");
        check(unshare(CLONE_NEWPID) == 0, "CLONE_NEWPID");
        start([] {
            tell_role("pid-inside");
            both();
        });
    });
    // Of another user: one that its user may examine, and one that is not even examinable to its user.
    for (bool readable : {true, false}) {
        start([=] {
            tell_role(readable ? "nobodys" : "undumpable");
            both();
            check(setresgid(nobody, nobody, nobody) == 0 && setresuid(nobody, nobody, nobody) == 0, "setresuid");
            bound();
            check(prctl(PR_SET_DUMPABLE, readable ? 1 : 0) == 0, "PR_SET_DUMPABLE");
        });
    }
    int way = 0;
    for (const char* role : {"flock", "fcntl", "ofd"}) {
        start([=] {
            tell_role(role);
            int fd = open_it(locked_object, O_RDWR);
            held[locked_object.id].descriptors = 1;
            held[locked_object.id].write = true;
            struct flock lock = {};
            lock.l_type = F_RDLCK;
            lock.l_start = way;
            lock.l_len = 1;
            bool done = way == 0 ? flock(fd, LOCK_SH) == 0 : fcntl(fd, way == 1 ? F_SETLK : F_OFD_SETLK, &lock) == 0;
            check(done, role);
        });
        ++way;
    }
}
