/* Every field becomes a list of its values. */
#include "core/config/calendar.h"

static const struct field {
    const char *name;
    int min, max;
} fields[] = {{"minute", 0, 59},
              {"hour", 0, 23},
              {"day", 1, 31},
              {"month", 1, 12},
              {"day of the week", 0, 7}};

/* One part of a list: "*", "3", "1-5", with "/2" or without. */
static bool take_part(const char *text, const struct field *f, bool *chosen)
{
    int from = f->min, to = f->max, step = 1, n = 0;
    const char *rest = text;
    if (*text == '*') {
        rest++;
    } else if (sscanf(text, "%2d%n", &from, &n) == 1 && text[0] >= '0' && text[0] <= '9') {
        rest = text + n;
        to = from;
        if (*rest == '-' && rest[1] >= '0' && rest[1] <= '9' &&
            sscanf(rest, "-%2d%n", &to, &n) == 1)
            rest += n;
        else if (*rest == '/')
            to = f->max;
    } else {
        return false;
    }
    if (*rest == '/' && (sscanf(rest, "/%2d%n", &step, &n) != 1 || step < 1 || rest[n]))
        return false;
    if ((*rest && *rest != '/') || from < f->min || to > f->max || from > to)
        return false;
    for (int i = from; i <= to; i += step)
        chosen[i] = true;
    return true;
}

static bool take_field(char *text, const struct field *f, bool *chosen)
{
    char *save = NULL;
    size_t n = strlen(text);
    if (!n || text[0] == ',' || text[n - 1] == ',' || strstr(text, ",,"))
        return false;
    for (char *part = strtok_r(text, ",", &save); part; part = strtok_r(NULL, ",", &save))
        if (!take_part(part, f, chosen))
            return false;
    return true;
}

static void add_list(struct dsr_buf *out, const bool *chosen, const struct field *f, bool all)
{
    const char *comma = "";
    if (all)
        dsr_buf_adds(out, "*");
    for (int i = f->min; i <= f->max && !all; i++)
        if (chosen[i]) {
            dsr_buf_addf(out, "%s%d", comma, i);
            comma = ",";
        }
}

static void add_weekdays(struct dsr_buf *out, const bool *chosen)
{
    static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    const char *comma = "";
    for (int i = 1; i <= 7; i++)
        if (chosen[i] || (i == 7 && chosen[0])) {
            dsr_buf_addf(out, "%s%s", comma, names[i]);
            comma = ",";
        }
    dsr_buf_adds(out, " ");
}

int dsr_calendar_of(const char *cron, struct dsr_buf *out, struct dsr_error *err)
{
    bool chosen[DSR_COUNT(fields)][64] = {0}, all[DSR_COUNT(fields)] = {0};
    DSR_AUTO(str) char *copy = strdup(cron);
    char *save = NULL, *text = copy ? strtok_r(copy, " \t", &save) : NULL;
    size_t n = 0;
    for (; text && n < DSR_COUNT(fields); n++, text = strtok_r(NULL, " \t", &save)) {
        all[n] = !strcmp(text, "*");
        if (!take_field(text, &fields[n], chosen[n]))
            return dsr_error_set(err, DSR_ECONFIG, "\"%s\": the %s is not as crontab(5) has it",
                                 cron, fields[n].name);
    }
    if (n < DSR_COUNT(fields) || text)
        return dsr_error_set(err, DSR_ECONFIG,
                             "\"%s\" is not minute, hour, day, month and day of the week", cron);
    if (!all[2] && !all[4])
        return dsr_error_set(err, DSR_ECONFIG,
                             "\"%s\" names days of the month and of the week: make two jobs of it",
                             cron);
    if (!all[4])
        add_weekdays(out, chosen[4]);
    dsr_buf_adds(out, "*-");
    add_list(out, chosen[3], &fields[3], all[3]);
    dsr_buf_adds(out, "-");
    add_list(out, chosen[2], &fields[2], all[2]);
    dsr_buf_adds(out, " ");
    add_list(out, chosen[1], &fields[1], all[1]);
    dsr_buf_adds(out, ":");
    add_list(out, chosen[0], &fields[0], all[0]);
    return dsr_buf_adds(out, ":00") ? dsr_error_nomem(err) : 0;
}
