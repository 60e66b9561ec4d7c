/*
 * absent.c - a build without the admin interface.
 */
#include "admin.h"

enum weir_status admin_start(const struct admin_config *config,
                             struct admin **ret_admin, struct weir_error *err)
{
    *ret_admin = NULL;
    if (config->topology->admin.listen)
        return weir_fail(err, WEIR_REJECT,
                         "admin: this weir was built without the admin "
                         "interface (WEIR_WITH_ADMIN)");
    return WEIR_OK;
}

unsigned admin_port(const struct admin *admin)
{
    (void)admin;
    return 0;
}

void admin_stop(struct admin *admin)
{
    (void)admin;
}
