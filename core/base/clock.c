/* Clocks, and times as text. */
#include "base.h"

#include <ctype.h>
#include <time.h>

uint64_t dsr_clock_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int64_t dsr_clock_wall_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void dsr_time_format(int64_t us, char out[DSR_TIME_SIZE])
{
    int64_t fraction = us % 1000000;
    if (fraction < 0)
        fraction += 1000000;
    time_t seconds = (time_t)((us - fraction) / 1000000);
    struct tm tm;
    char day[20];
    if (!gmtime_r(&seconds, &tm) || !strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm))
        strcpy(day, "1970-01-01T00:00:00");
    snprintf(out, DSR_TIME_SIZE, "%s.%06dZ", day, (int)fraction);
}

/* "7d", "12h", "30m", "45s" */
static int parse_ago(const char *text, int64_t now_us, int64_t *us)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || n < 0 || n > 1000000 || !end[0] || end[1])
        return DSR_EINVAL;
    const char *units = "smhd";
    const int64_t seconds[] = {1, 60, 3600, 86400};
    const char *unit = strchr(units, *end);
    if (!unit)
        return DSR_EINVAL;
    *us = now_us - (int64_t)n * seconds[unit - units] * 1000000;
    return 0;
}

static int parse_zone(const char *p, int64_t *offset_s)
{
    int hours, minutes, used = 0;
    *offset_s = 0;
    if (!*p || !strcmp(p, "Z") || !strcmp(p, "z"))
        return 0;
    if ((*p != '+' && *p != '-') || !isdigit((unsigned char)p[1]))
        return DSR_EINVAL;
    if (sscanf(p + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || p[1 + used] || hours > 23 ||
        minutes > 59)
        return DSR_EINVAL;
    *offset_s = (hours * 3600 + minutes * 60) * (*p == '-' ? -1 : 1);
    return 0;
}

int dsr_time_parse(const char *text, int64_t now_us, int64_t *us)
{
    if (!parse_ago(text, now_us, us))
        return 0;
    struct tm tm = {0};
    const char *p = strptime(text, "%Y-%m-%d", &tm);
    int64_t fraction = 0, offset;
    if (!p)
        return DSR_EINVAL;
    if (*p == 'T' || *p == ' ' || *p == 't') {
        p = strptime(p + 1, "%H:%M:%S", &tm);
        if (!p)
            return DSR_EINVAL;
        if (*p == '.') {
            int64_t unit = 100000;
            for (p++; isdigit((unsigned char)*p); p++, unit /= 10)
                fraction += (*p - '0') * unit;
        }
    }
    if (parse_zone(p, &offset))
        return DSR_EINVAL;
    *us = ((int64_t)timegm(&tm) - offset) * 1000000 + fraction;
    return 0;
}
