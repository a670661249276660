/* The template filled. */
#include "core/web/report.h"
#include "config.h"

#include <errno.h>

/* Text between script tags: "<" could end them. */
static int add_data(struct dsr_buf *page, const json_t *data)
{
    char *text = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(6));
    int rc = text ? 0 : DSR_ENOMEM;
    for (const char *p = text; p && *p && !rc;) {
        size_t n = strcspn(p, "<");
        rc = dsr_buf_add(page, p, n);
        p += n;
        if (!rc && *p) {
            rc = dsr_buf_adds(page, "\\u003c");
            p++;
        }
    }
    free(text);
    return rc;
}

static int add_file(struct dsr_buf *page, const char *path, struct dsr_error *err)
{
    struct dsr_mapping map = {0};
    int rc = dsr_file_map(path, &map);
    if (rc)
        return dsr_error_file(err, DSR_ECONFIG, path, 0, "can't be read: %s%s", strerror(errno),
                              strcmp(path, DSR_CHARTJS) ? "" : "; install libjs-chart.js");
    rc = dsr_buf_add(page, map.data, map.size);
    dsr_file_unmap(&map);
    return rc ? dsr_error_nomem(err) : 0;
}

/* What stands between {{ and }}. */
static int add_part(struct dsr_buf *page, const struct dsr_layout *layout, const char *name,
                    const json_t *data, struct dsr_error *err)
{
    if (!strcmp(name, "data"))
        return add_data(page, data) ? dsr_error_nomem(err) : 0;
    if (!strcmp(name, "chart.js"))
        return add_file(page, DSR_CHARTJS, err);
    DSR_AUTO(str) char *file = dsr_format("web/%s", name);
    DSR_AUTO(str) char *path = file ? dsr_layout_data_file(layout, file) : NULL;
    return path ? add_file(page, path, err) : dsr_error_nomem(err);
}

static int fill(struct dsr_buf *page, const struct dsr_layout *layout, const char *template,
                const json_t *data, struct dsr_error *err)
{
    int rc = 0;
    for (const char *p = template; *p && !rc;) {
        const char *open = strstr(p, "{{"), *close = open ? strstr(open, "}}") : NULL;
        if (!close)
            return dsr_buf_adds(page, p) ? dsr_error_nomem(err) : 0;
        rc = dsr_buf_add(page, p, (size_t)(open - p)) ? dsr_error_nomem(err) : 0;
        DSR_AUTO(str) char *name = strndup(open + 2, (size_t)(close - open - 2));
        if (!rc)
            rc = name ? add_part(page, layout, name, data, err) : dsr_error_nomem(err);
        p = close + 2;
    }
    return rc;
}

static int make_page(struct dsr_buf *page, const struct dsr_layout *layout, const json_t *data,
                     struct dsr_error *err)
{
    struct dsr_buf template = {0};
    DSR_AUTO(str) char *path = dsr_layout_data_file(layout, "web/report.html");
    int rc = path ? add_file(&template, path, err) : dsr_error_nomem(err);
    if (!rc)
        rc = fill(page, layout, template.data, data, err);
    dsr_buf_clear(&template);
    return rc;
}

int dsr_report_check(const struct dsr_layout *layout, const char *path, struct dsr_error *err)
{
    struct dsr_buf page = {0};
    DSR_AUTO(json) json_t *nothing = json_object();
    int rc = make_page(&page, layout, nothing, err);
    dsr_buf_clear(&page);
    FILE *file = rc ? NULL : fopen(path, "ae");
    if (file)
        fclose(file);
    else if (!rc)
        rc = dsr_error_file(err, DSR_EUSAGE, path, 0, "can't be written: %s", strerror(errno));
    return rc;
}

int dsr_report_write(const struct dsr_layout *layout, const char *path, const json_t *data,
                     struct dsr_error *err)
{
    struct dsr_buf page = {0};
    int rc = make_page(&page, layout, data, err);
    struct dsr_bytes bytes = {page.data, page.len};
    if (!rc && !dsr_file_put(path, &bytes, 1))
        rc = dsr_error_file(err, DSR_EIO, path, 0, "can't be written: %s", strerror(errno));
    dsr_buf_clear(&page);
    return rc;
}
