// Shares an image with an X server through MIT-SHM, like toolkits do. "remove" on
// standard input marks its segment for removal; exits when standard input ends.
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XShm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

int main(void) {
    Display *display = XOpenDisplay(NULL);
    if (!display || !XShmQueryExtension(display)) return 1;
    const int screen = DefaultScreen(display);
    XShmSegmentInfo info;
    XImage *image = XShmCreateImage(display, DefaultVisual(display, screen), (unsigned)DefaultDepth(display, screen),
                                    ZPixmap, NULL, &info, 64, 64);
    if (!image) return 2;
    info.shmid = shmget(IPC_PRIVATE, (size_t)image->bytes_per_line * 64, IPC_CREAT | 0600);
    if (info.shmid < 0) return 3;
    info.shmaddr = image->data = shmat(info.shmid, NULL, 0);
    info.readOnly = False;
    if (!XShmAttach(display, &info)) return 4;
    XSync(display, False);
    printf("sysv:%d\n", info.shmid);
    fflush(stdout);
    char line[16];
    while (fgets(line, sizeof line, stdin)) {
        if (!strcmp(line, "remove\n") && shmctl(info.shmid, IPC_RMID, NULL)) return 5;
        puts("done");
        fflush(stdout);
    }
    return 0;
}
