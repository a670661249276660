/* The columns of the CSV files, shared by the store's writing and reading halves. */
#ifndef DSR_CSVSTORE_H
#define DSR_CSVSTORE_H

#include <dsr/store.h>

/* How a column is read and written. */
enum csv_type { CSV_TEXT, CSV_NUMBER, CSV_INTEGER, CSV_BOOL };
struct csv_column {
    const char *name; /* in the file */
    const char *key;  /* in a record's body; NULL: a member of the record itself */
    enum csv_type type;
};

#define PERF_COLUMNS 17
#define BENCH_COLUMNS 9
extern const struct csv_column perf_columns[PERF_COLUMNS];
extern const struct csv_column bench_columns[BENCH_COLUMNS];

/* Visits the rows of FOLDER/perf_results.csv and FOLDER/benchmark_results.csv, with or without a
 * header; a file that is not there holds nothing. */
int csv_scan_perf(const char *folder, const struct dsr_query *query, dsr_visit_fn *visit, void *arg,
                  struct dsr_error *err);
int csv_scan_bench(const char *folder, const struct dsr_query *query, dsr_visit_fn *visit,
                   void *arg, struct dsr_error *err);

#endif
