// Creates or opens an object with one lock of each kind, prints their offsets, and then does what
// each line of input says: "lock NAME", "read NAME", "unlock NAME", "wait NAME", each prefixed by
// "thread" to do it in a new thread. Prints "TID NAME done" after each, unless it blocks.
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

struct Locks {
    pthread_mutex_t plain, recursive, robust, inherit, other, guard;
    pthread_rwlock_t rw;
    pthread_cond_t cond;
    pthread_barrier_t barrier;
    sem_t sem;
    int word;
};

static Locks* locks;

static pthread_mutex_t* mutex(const std::string& name) {
    if (name == "plain") return &locks->plain;
    if (name == "recursive") return &locks->recursive;
    if (name == "robust") return &locks->robust;
    if (name == "inherit") return &locks->inherit;
    if (name == "other") return &locks->other;
    return nullptr;
}

static void init() {
    pthread_mutexattr_t attr;
    for (pthread_mutex_t* one : {&locks->plain, &locks->recursive, &locks->robust, &locks->inherit,
                                 &locks->other, &locks->guard}) {
        pthread_mutexattr_init(&attr);
        pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
        if (one == &locks->recursive) pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
        if (one == &locks->robust) pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
        if (one == &locks->inherit) pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
        pthread_mutex_init(one, &attr);
    }
    pthread_rwlockattr_t rw;
    pthread_rwlockattr_init(&rw);
    pthread_rwlockattr_setpshared(&rw, PTHREAD_PROCESS_SHARED);
    pthread_rwlock_init(&locks->rw, &rw);
    pthread_condattr_t cond;
    pthread_condattr_init(&cond);
    pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&locks->cond, &cond);
    pthread_barrierattr_t barrier;
    pthread_barrierattr_init(&barrier);
    pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&locks->barrier, &barrier, 2);
    sem_init(&locks->sem, 1, 0);
    locks->word = 5;
}

static void act(const std::string& what, const std::string& name) {
    int error = 0;
    if (what == "lock" && name == "rw") error = pthread_rwlock_wrlock(&locks->rw);
    else if (what == "read") error = pthread_rwlock_rdlock(&locks->rw);
    else if (what == "unlock" && name == "rw") error = pthread_rwlock_unlock(&locks->rw);
    else if (what == "lock") error = pthread_mutex_lock(mutex(name));
    else if (what == "unlock") error = pthread_mutex_unlock(mutex(name));
    else if (name == "cond") {
        pthread_mutex_lock(&locks->guard);
        error = pthread_cond_wait(&locks->cond, &locks->guard);
        pthread_mutex_unlock(&locks->guard);
    } else if (name == "barrier") error = pthread_barrier_wait(&locks->barrier);
    else if (name == "sem") error = sem_wait(&locks->sem);
    else error = static_cast<int>(syscall(SYS_futex, &locks->word, FUTEX_WAIT, 5, nullptr, nullptr, 0));
    std::printf("%ld %s %s\n", syscall(SYS_gettid), name.c_str(), error == EOWNERDEAD ? "EOWNERDEAD" : "done");
    std::fflush(stdout);
}

int main(int, char** arguments) {
    const int file = shm_open(arguments[1], O_RDWR | O_CREAT, 0600);
    if (file < 0) return 1;
    const bool is_new = lseek(file, 0, SEEK_END) == 0;
    if (is_new && ftruncate(file, sizeof(Locks)) != 0) return 1;
    locks = static_cast<Locks*>(mmap(nullptr, sizeof(Locks), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    close(file);
    if (is_new) init();
#define OFFSET(name) std::printf(#name " %zu ", offsetof(Locks, name))
    OFFSET(plain), OFFSET(recursive), OFFSET(robust), OFFSET(inherit), OFFSET(other), OFFSET(rw);
    OFFSET(cond), OFFSET(barrier), OFFSET(sem), OFFSET(word);
    std::printf("\n");
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string what, name;
        words >> what;
        const bool in_thread = what == "thread";
        if (in_thread) words >> what;
        words >> name;
        if (in_thread) std::thread(act, what, name).detach();
        else act(what, name);
    }
}
