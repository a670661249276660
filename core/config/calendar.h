/* Times of crontab(5) in the words of systemd.time(7). */
#ifndef DSR_CALENDAR_H
#define DSR_CALENDAR_H

#include "core/base/base.h"

/* "5 * * * 1-5" becomes "Mon,Tue,Wed,Thu,Fri *-*-* *:5:00": minute, hour, day of the month, month,
 * day of the week (0 and 7: Sunday), each *, a number, a list, a range, or one of these with a
 * step. DSR_ECONFIG with err when it is none, or names both days (cron takes either, systemd both).
 */
int dsr_calendar_of(const char *cron, struct dsr_buf *calendar, struct dsr_error *err);

#endif
