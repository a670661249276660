/* A small router that is right by default; tests/integration/loader.sh spoils it by -D. */
#include <dsr/router.h>
#include <stdlib.h>

#ifndef ABI
#define ABI DSR_ABI
#endif
#ifndef SIZE
#define SIZE sizeof(struct dsr_plugin)
#endif
#ifndef OPS_SIZE
#define OPS_SIZE sizeof(struct dsr_router_ops)
#endif
#ifndef CLOSE
#define CLOSE free
#endif
#ifndef OPS
#define OPS &ops
#endif
#ifndef NAME
#define NAME "good"
#endif
#ifndef KIND
#define KIND DSR_KIND_ROUTER
#endif
#ifndef SYMBOL
#define SYMBOL dsr_plugin
#endif

static void *open_router(const json_t *policy, const struct dsr_host *host, struct dsr_error *err)
{
    (void)policy, (void)host, (void)err;
    return malloc(1);
}

static int rank(void *state, const struct dsr_candidate *const *candidates, size_t n,
                const json_t *request, struct dsr_ranking *ranking, struct dsr_error *err)
{
    (void)state, (void)candidates, (void)n, (void)request, (void)ranking, (void)err;
    return 0;
}

const struct dsr_router_ops ops = {
    .size = OPS_SIZE, .open = open_router, .rank = rank, .close = CLOSE};

extern DSR_API const struct dsr_plugin SYMBOL;
const struct dsr_plugin SYMBOL = {
    .abi = ABI,
    .size = SIZE,
    .kind = (enum dsr_kind)KIND,
    .name = NAME,
    .version = "1",
    .summary = "for tests",
    .licence = "Apache-2.0",
    .ops = OPS,
};
