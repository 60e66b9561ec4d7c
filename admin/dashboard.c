/*
 * dashboard.c - `/`: a page for people, and what it loads.
 *
 * It may load these files and ask this server, and nothing else; a script that
 * somebody smuggled into a message's reason would not run.
 */
#include "dashboard.h"

#include <stdlib.h>
#include <string.h>

#include "api.h"

static const struct {
    const char *path, *type;
    const unsigned char *bytes;
    const size_t *size;
} files[] = {
    {"/", "text/html; charset=utf-8", dashboard_html, &dashboard_html_size},
    {"/dashboard.css", "text/css; charset=utf-8", dashboard_css,
     &dashboard_css_size},
    {"/dashboard.js", "text/javascript; charset=utf-8", dashboard_js,
     &dashboard_js_size},
};

void page_dashboard(const struct site *site, const struct request *request,
                    struct answer *answer)
{
    size_t i = 0;

    (void)site;
    while (strcmp(files[i].path, request->path) != 0)
        i++; /* it is one of them: the table in respond.c */
    answer->body = calloc(1, *files[i].size + 1);
    if (!answer->body)
        return;
    memcpy(answer->body, files[i].bytes, *files[i].size);
    answer->size = *files[i].size;
    answer->status = 200;
    answer->type = files[i].type;
    answer->policy = "default-src 'none'; script-src 'self'; style-src 'self'; "
                     "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                     "frame-ancestors 'none'";
}
