// Creators and holders that are easily taken for dead or for another process.
// Prints what it created, a word and a value per line, then "ready", and exits
// when its standard input ends.
//
//   lives ROLE
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const size_t page = 4096;

static void check(bool good, const char* what) {
    if (good) return;
    std::perror(what);
    std::_Exit(1);
}

static void tell(const char* word, const std::string& value) {
    std::printf("%s %s\n", word, value.c_str());
    std::fflush(stdout);
}

static int segment(const char* word) {
    int shmid = shmget(IPC_PRIVATE, page, IPC_CREAT | 0600);
    check(shmid >= 0, "shmget");
    tell(word, "sysv:" + std::to_string(shmid));
    return shmid;
}

static void attach(int shmid) { check(shmat(shmid, nullptr, 0) != reinterpret_cast<void*>(-1), "shmat"); }

// Creates an object and leaves it open.
static int object(const char* word, const std::string& name, mode_t mode = 0600) {
    int fd = open(("/dev/shm/" + name).c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode);
    check(fd >= 0 && fchmod(fd, mode) == 0 && ftruncate(fd, static_cast<off_t>(page)) == 0, "an object");
    tell(word, "posix:/" + name);
    return fd;
}

static void map(int fd, int flags) {
    check(mmap(nullptr, page, PROT_READ, flags, fd, 0) != MAP_FAILED, "mmap");
    close(fd);
}

static std::string of(pid_t pid) { return "torch_" + std::to_string(pid) + "_1"; }

static void make_both(const char* sysv, const char* posix, pid_t pid) {
    segment(sysv);
    close(object(posix, of(pid)));
}

static void ready() { tell("ready", ""); }

static void stay() {
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {}
}

// Starts a process with the given pid. It dies with its parent.
static pid_t start_as(pid_t wanted, void (*what)()) {
    struct arguments {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
    } clone = {};
    clone.exit_signal = SIGCHLD;
    clone.set_tid = reinterpret_cast<uint64_t>(&wanted);
    clone.set_tid_size = 1;
    long pid = syscall(SYS_clone3, &clone, sizeof clone);
    if (pid == 0) {
        check(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "PR_SET_PDEATHSIG");
        what();
        for (;;) pause();
    }
    return static_cast<pid_t>(pid);
}

static pid_t start(void (*what)()) {
    pid_t pid = fork();
    check(pid >= 0, "fork");
    if (pid == 0) {
        check(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "PR_SET_PDEATHSIG");
        what();
        for (;;) pause();
    }
    return pid;
}

// Returns a pid that was just freed.
static pid_t vacant(void (*what)()) {
    pid_t pid = fork();
    check(pid >= 0, "fork");
    if (pid == 0) {
        what();
        _exit(0);
    }
    int status = 1;
    check(waitpid(pid, &status, 0) == pid && status == 0, "a child");
    return pid;
}

static void nothing() {}

// --- roles

static void renamed() {
    make_both("sysv", "posix", getpid());
    tell("pid", std::to_string(getpid()));
    ready();
    check(prctl(PR_SET_NAME, "somebody else") == 0, "PR_SET_NAME");
    execlp("cat", "cat", nullptr);
    check(false, "exec");
}

static void* in_a_thread(void*) {
    ready();
    stay();
    std::_Exit(0);
}

// Its main thread has ended, so /proc shows a zombie.
static void without_first_thread() {
    make_both("sysv", "posix", getpid());
    pthread_t thread;
    check(pthread_create(&thread, nullptr, in_a_thread, nullptr) == 0, "pthread_create");
    pthread_exit(nullptr);
}

static void recycled() {
    pid_t pid = vacant([] { make_both("old-sysv", "old-posix", getpid()); });
    ready();
    // Reuses its pid when the test says so.
    char byte;
    check(read(STDIN_FILENO, &byte, 1) == 1, "a word");
    auto heir = [] {
        check(prctl(PR_SET_NAME, "heir") == 0, "PR_SET_NAME");
        segment("new-sysv");
        ready();
    };
    if (start_as(pid, heir) < 0) {
        std::printf("cannot choose a pid: %s\n", std::strerror(errno));
        std::fflush(stdout);
    }
    stay();
}

static void in_pid_namespace() {
    static pid_t inner;
    inner = vacant(nothing);
    check(unshare(CLONE_NEWPID) == 0, "unshare");
    // The init process of the namespace creates the others, which die with it.
    start([] {
        auto maker = [] {
            make_both("sysv", "posix", getpid());
            map(object("held", "nccl-inside"), MAP_SHARED);
            ready();
        };
        check(start_as(inner, maker) >= 0, "clone3");
    });
    stay();
}

// Its pid inside equals that of an heir outside, whose /proc is visible inside too.
static void below_anothers_proc() {
    static pid_t inner;
    inner = vacant(nothing);
    start([] {
        check(unshare(CLONE_NEWPID) == 0, "unshare");
        tell("namespace", "/proc/" + std::to_string(getpid()) + "/ns/pid_for_children");
        start([] {
            auto maker = [] {
                make_both("sysv", "posix", getpid());
                ready();
            };
            check(start_as(inner, maker) >= 0, "clone3");
        });
    });
    char byte;
    check(read(STDIN_FILENO, &byte, 1) == 1, "a word");
    check(start_as(inner, [] { ready(); }) >= 0, "clone3");
    stay();
}

static void in_mount_namespace() {
    start([] {
        int fd = object("held", "nccl-mounts");
        check(unshare(CLONE_NEWNS) == 0, "unshare");
        check(umount2("/dev/shm", MNT_DETACH) == 0, "umount");
        check(mount("tmpfs", "/dev/shm", "tmpfs", 0, nullptr) == 0, "mount");
        map(fd, MAP_SHARED);
        // Another object of the same name, without a holder.
        close(open("/dev/shm/nccl-mounts", O_CREAT | O_RDWR, 0600));
        ready();
    });
    stay();
}

static void in_ipc_namespace() {
    start([] {
        int ours = segment("held");
        attach(ours);
        check(unshare(CLONE_NEWIPC) == 0, "unshare");
        int theirs = shmget(IPC_PRIVATE, page, IPC_CREAT | 0600);
        check(theirs >= 0, "shmget");
        attach(theirs), attach(theirs);
        tell("theirs", std::to_string(theirs));
        ready();
    });
    stay();
}

static void held_privately() {
    map(object("held", "nccl-secret"), MAP_PRIVATE);
    ready();
    stay();
}

static void locked() {
    int fd = object("held", "nccl-locked", 0666);
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    check(fcntl(fd, F_SETLK, &lock) == 0, "F_SETLK");
    ready();
    stay();
}

static void hostile() {
    check(prctl(PR_SET_NAME, "\x1b[2J\n\xff,\"<") == 0, "PR_SET_NAME");
    segment("idle");
    attach(segment("held"));
    int fd = object("posix", "nccl-\x1b[31m\n\xe2\x80\xae");
    map(fd, MAP_SHARED);
    fd = object("gone", "gone-\x1b[2J\n");
    check(unlink("/dev/shm/gone-\x1b[2J\n") == 0, "unlink");
    map(fd, MAP_SHARED);
    ready();
    stay();
}

int main(int, char** argument) {
    const std::string role = argument[1] ? argument[1] : "";
    const struct { const char* name; void (*play)(); } roles[] = {
        {"renamed", renamed}, {"without-first-thread", without_first_thread}, {"recycled", recycled},
        {"in-pid-namespace", in_pid_namespace}, {"below-anothers-proc", below_anothers_proc},
        {"in-mount-namespace", in_mount_namespace},
        {"in-ipc-namespace", in_ipc_namespace}, {"held-privately", held_privately}, {"locked", locked},
        {"hostile", hostile},
    };
    for (const auto& one : roles)
        if (role == one.name) return one.play(), 0;
    return 2;
}
