/*
 * dashboard.h - the dashboard's files: cmake/WeirEmbed.cmake makes them.
 */
#ifndef WEIR_ADMIN_DASHBOARD_H
#define WEIR_ADMIN_DASHBOARD_H

#include <stddef.h>

extern const unsigned char dashboard_html[], dashboard_css[], dashboard_js[];
extern const size_t dashboard_html_size, dashboard_css_size, dashboard_js_size;

#endif
