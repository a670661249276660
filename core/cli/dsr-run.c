/* The program: all of it is in libdsr. */
#include "core/cli/cli.h"

int main(int argc, char **argv)
{
    return dsr_main(argc, argv);
}
