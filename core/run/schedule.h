/* Regular runs: the jobs of cron.json, as systemd user timers or crontab lines. */
#ifndef DSR_SCHEDULE_H
#define DSR_SCHEDULE_H

#include "core/run/session.h"

/* One job at a time: it waits for others, and is left out while it runs or waits itself. Its output
 * goes to NAME.log of the log folder, which is rotated at 10 MiB (five older ones are kept). Waits
 * for the end; status is the command's. */
int dsr_schedule_run(struct dsr_ctx *ctx, const char *name, int jitter_s, int *status,
                     struct dsr_error *err);

/* What a job is started with, as a unit file or a crontab takes it; the caller's. NULL with err. */
char *dsr_schedule_command(struct dsr_ctx *ctx, const char *name, bool crontab,
                           struct dsr_error *err);
/* A systemd of the user runs here. */
bool dsr_schedule_has_systemd(void);
/* Writes and starts timers for all jobs in place of those that were there. */
int dsr_schedule_install(struct dsr_ctx *ctx, size_t *n, struct dsr_error *err);
/* Takes away all timers that install made; how many those were. */
size_t dsr_schedule_remove(void);
bool dsr_schedule_is_installed(const char *name);

#endif
