/* Tokenizing speed: bench_tokenize tokenizer.json TEXT... `make bench` takes the conformance data.
 */
#include "core/chat/tokenizer.h"

#include <time.h>

static double cpu_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int read_text(const char *path, struct dsr_buf *text)
{
    char piece[65536];
    size_t n;
    DSR_AUTO(file) FILE *file = fopen(path, "r");
    if (!file)
        return 1;
    while ((n = fread(piece, 1, sizeof piece, file)))
        if (dsr_buf_add(text, piece, n))
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    struct dsr_tokenizer *tokenizer;
    struct dsr_error err;
    struct dsr_buf text = {0};
    struct dsr_ids ids = {0};
    double start = cpu_s(), seconds;
    if (argc < 3 || dsr_tokenizer_open(&tokenizer, argv[1], NULL, DSR_FLAVOR_R1, &err))
        return 1;
    printf("opened in %.0f ms of CPU time\n", 1000 * (cpu_s() - start));
    for (int i = 2; i < argc; i++)
        if (read_text(argv[i], &text))
            return 1;
    size_t done = 0;
    start = cpu_s();
    do {
        ids.n = 0;
        dsr_tokenize(tokenizer, text.data, text.len, &ids);
        done += text.len;
    } while ((seconds = cpu_s() - start) < 1);
    printf("%zu bytes, %zu tokens: %.1f MB/s\n", text.len, ids.n, (double)done / 1e6 / seconds);
    dsr_ids_clear(&ids);
    dsr_buf_clear(&text);
    dsr_tokenizer_close(tokenizer);
    return 0;
}
