/*
 * main.c - the weir command: everything else is in libweir.so.
 */
#include <weir/pipeline.h>

int main(int argc, char **argv)
{
    return weir_main(argc, argv, NULL);
}
