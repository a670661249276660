/* One page that holds everything: tables, charts and figures of a run. */
#ifndef DSR_REPORT_H
#define DSR_REPORT_H

#include "core/config/layout.h"

/* Whether a report could be written there, told before a run is paid for. */
int dsr_report_check(const struct dsr_layout *layout, const char *path, struct dsr_error *err);
/* Writes the page: the template web/report.html of the data folder, in which {{data}} is replaced
 * by the data, {{chart.js}} by Chart.js, and {{NAME}} by the file NAME beside it. */
int dsr_report_write(const struct dsr_layout *layout, const char *path, const json_t *data,
                     struct dsr_error *err);

#endif
