// A
struct A { int a; char b; };

// T
typedef struct { char a; double b; } T;
