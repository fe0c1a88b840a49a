// A C program for each form of debug information. OTHER_LAYOUT is another version of its type.

#include "segment.h"

enum mode { IDLE, CRUISE = 4 };

struct frame {
    uint64_t tick;
#ifdef OTHER_LAYOUT
    float speed;
#else
    double speed;
#endif
    float gains[3];
    enum mode mode;
    char name[16];
};

// Without a tag.
typedef struct {
    short width, height;
    float scale;
    struct frame frame;
} image_t;

#ifdef AS_LIBRARY
static struct frame *frame_of_library;

void open_frame(void *address) {
    frame_of_library = address;
}
#else

#ifdef WITH_LIBRARY
void open_frame(void *address);
#endif
struct frame *frame;
static image_t *image;

static void fill(struct frame *frame) {
    frame->tick = 7;
    frame->speed = 12.5;
    for (int i = 0; i < 3; i++) frame->gains[i] = 0.5F + (float)i;
    frame->mode = CRUISE;
    strcpy(frame->name, "camera");
}

int main(int count, char **words) {
    segment_name = words[1];
    if (count > 2 && strcmp(words[2], "count") == 0) {
        frame = map_segment(sizeof *frame);
        fill(frame);
        say_ready();
        for (;;) (*(volatile uint64_t *)&frame->tick)++;
    }
    if (count > 2) {
        image = map_segment(sizeof *image);
        fill(&image->frame);
        image->width = 640;
        image->scale = 2.5F;
    } else {
        void *address = map_segment(sizeof(struct frame));
        fill(address);
#ifdef WITH_LIBRARY
        open_frame(address);
#else
        frame = address;
#endif
    }
    wait_for_end();
}
#endif
