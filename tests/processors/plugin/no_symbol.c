/*
 * no_symbol.c - a shared object that is no plugin.
 */
#include <weir/status.h>

WEIR_EXPORT int not_a_handler(void);

int not_a_handler(void)
{
    return 1;
}
