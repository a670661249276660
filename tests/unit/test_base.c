/* core/base and core/config/doc.c */
#include "core/config/doc.h"
#include "tests/unit/unit.h"

#include <unistd.h>

static char *write_temp(const char *text, size_t n)
{
    char *path = strdup("unit-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, text, n), (int)n);
    close(fd);
    return path;
}

static void drop_temp(char *path)
{
    unlink(path);
    free(path);
}

static const struct {
    const char *text;
    int64_t us;
} times[] = {
    {"2026-01-31T12:00:00.250000Z", 1769860800250000},
    {"2026-01-31 12:00:00.25", 1769860800250000},
    {"2026-01-31T20:00:00+08:00", 1769860800000000},
    {"2026-01-31", 1769817600000000},
    {"1970-01-02T00:00:00Z", 86400000000},
    {"2d", 1000000000000000 - 172800000000},
};

START_TEST(times_are_read)
{
    int64_t us;
    ck_assert_int_eq(dsr_time_parse(times[_i].text, 1000000000000000, &us), 0);
    ck_assert_int_eq(us, times[_i].us);
}
END_TEST

static const char *const no_times[] = {
    "", "yesterday", "2026-13-01", "2026-01-31T", "5x", "2026-01-31T12:00:00+8", "-3d"};

START_TEST(what_is_no_time_is_refused)
{
    int64_t us;
    ck_assert_int_eq(dsr_time_parse(no_times[_i], 0, &us), DSR_EINVAL);
}
END_TEST

START_TEST(times_are_written_as_rfc_3339)
{
    char text[DSR_TIME_SIZE];
    dsr_time_format(1769860800250001, text);
    ck_assert_str_eq(text, "2026-01-31T12:00:00.250001Z");
}
END_TEST

/* xoshiro256** with the state {1, 2, 3, 4}: first outputs of the reference implementation. */
START_TEST(random_numbers_are_xoshiros)
{
    struct dsr_rng rng = {{1, 2, 3, 4}};
    ck_assert_uint_eq(dsr_rng_u64(&rng), 11520u);
    ck_assert_uint_eq(dsr_rng_u64(&rng), 0u);
    ck_assert_uint_eq(dsr_rng_u64(&rng), 1509978240u);
    ck_assert_uint_eq(dsr_rng_u64(&rng), 1215971899390074240u);
}
END_TEST

struct rows {
    struct dsr_buf text;
};

static int take_row(void *arg, char **fields, size_t n, int line, struct dsr_error *err)
{
    struct rows *rows = arg;
    (void)err;
    dsr_buf_addf(&rows->text, "%d:", line);
    for (size_t i = 0; i < n; i++)
        dsr_buf_addf(&rows->text, "[%s]", fields[i]);
    return 0;
}

static const struct {
    const char *csv, *rows;
} tables[] = {
    {"a,b\n1,2\n", "1:[a][b]2:[1][2]"},
    {"\xef\xbb\xbf"
     "a,b\r\n1,2",
     "1:[a][b]2:[1][2]"},
    {"\"x\ny\",\"q\"\"q\"\nz,", "1:[x\ny][q\"q]3:[z][]"},
    {"", ""},
};

START_TEST(csv_rows_know_their_line)
{
    char *path = write_temp(tables[_i].csv, strlen(tables[_i].csv));
    struct rows rows = {0};
    struct dsr_error err;
    ck_assert_int_eq(dsr_csv_read(path, take_row, &rows, &err), 0);
    ck_assert_str_eq(rows.text.data ? rows.text.data : "", tables[_i].rows);
    dsr_buf_clear(&rows.text);
    drop_temp(path);
}
END_TEST

START_TEST(an_open_quote_is_told_with_its_line)
{
    char *path = write_temp("a,b\n\"never closed\n", 18);
    struct rows rows = {0};
    struct dsr_error err;
    ck_assert_int_eq(dsr_csv_read(path, take_row, &rows, &err), DSR_ECONFIG);
    ck_assert_int_eq(err.line, 2);
    dsr_buf_clear(&rows.text);
    drop_temp(path);
}
END_TEST

START_TEST(broken_utf8_becomes_replacement_characters)
{
    json_t *json = dsr_json_text("a\xff"
                                 "b\xe6\x80",
                                 5);
    ck_assert_str_eq(json_string_value(json), "a\xef\xbf\xbd"
                                              "b\xef\xbf\xbd\xef\xbf\xbd");
    json_decref(json);
}
END_TEST

static const char document[] = "{\n \"a\": {\"x\": 1,\n  \"y\": [true,\n   {\"z\": \"q\\\"}\"}]},\n"
                               " \"b\": null\n}\n";
static const struct {
    const char *pointer;
    int line;
} places[] = {{"/a", 2}, {"/a/x", 2}, {"/a/y", 3}, {"/a/y/1", 4},  {"/a/y/1/z", 4},
              {"/b", 5}, {"", 1},     {"/c", 1},   {"/a/none", 2}, {"/a/y/7", 3}};

START_TEST(places_in_json_have_lines)
{
    ck_assert_int_eq(dsr_doc_line(document, places[_i].pointer), places[_i].line);
}
END_TEST

static const struct {
    const char *text, *guard;
} cells[] = {{"=1+1", "'"}, {"+44 x", "'"}, {"-", ""},       {"@SUM(A1)", "'"},
             {"\tx", "'"},  {"-0.5", ""},   {"+7", ""},      {"1e3", ""},
             {"", ""},      {"a=b", ""},    {"-inf x", "'"}, {"'=1", ""}};

START_TEST(spreadsheets_get_no_formulas)
{
    ck_assert_str_eq(dsr_csv_guard(cells[_i].text), cells[_i].guard);
}
END_TEST

START_TEST(numbers_of_seven_bits_a_byte_come_back)
{
    static const uint64_t numbers[] = {0, 1, 127, 128, 300, UINT32_MAX, INT64_MAX, UINT64_MAX};
    struct dsr_buf buf = {0};
    for (size_t i = 0; i < DSR_COUNT(numbers); i++)
        ck_assert_int_eq(dsr_buf_add_number(&buf, numbers[i]), 0);
    struct dsr_reader in = {.at = buf.data, .end = buf.data + buf.len};
    for (size_t i = 0; i < DSR_COUNT(numbers); i++)
        ck_assert_uint_eq(dsr_reader_number(&in), numbers[i]);
    ck_assert(!in.bad && in.at == in.end);
    ck_assert_uint_eq(dsr_reader_number(&in), 0);
    ck_assert(in.bad);
    static const char long_one[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
    in = (struct dsr_reader){.at = long_one, .end = long_one + sizeof long_one - 1};
    dsr_reader_number(&in);
    ck_assert(in.bad);
    dsr_buf_clear(&buf);
}
END_TEST

START_TEST(lists_are_of_whole_words)
{
    ck_assert(dsr_list_has("a,bc", "bc"));
    ck_assert(!dsr_list_has("a,bc", "b"));
    ck_assert(!dsr_list_has("abc", "bc"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *tcase = tcase_create("base");
    tcase_add_loop_test(tcase, times_are_read, 0, (int)DSR_COUNT(times));
    tcase_add_loop_test(tcase, what_is_no_time_is_refused, 0, (int)DSR_COUNT(no_times));
    tcase_add_test(tcase, times_are_written_as_rfc_3339);
    tcase_add_test(tcase, random_numbers_are_xoshiros);
    tcase_add_loop_test(tcase, csv_rows_know_their_line, 0, (int)DSR_COUNT(tables));
    tcase_add_test(tcase, an_open_quote_is_told_with_its_line);
    tcase_add_test(tcase, broken_utf8_becomes_replacement_characters);
    tcase_add_loop_test(tcase, places_in_json_have_lines, 0, (int)DSR_COUNT(places));
    tcase_add_test(tcase, lists_are_of_whole_words);
    tcase_add_loop_test(tcase, spreadsheets_get_no_formulas, 0, (int)DSR_COUNT(cells));
    tcase_add_test(tcase, numbers_of_seven_bits_a_byte_come_back);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
