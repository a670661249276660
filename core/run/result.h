/* The figures of an eval job: a score for each provider and dataset. */
#ifndef DSR_RESULT_H
#define DSR_RESULT_H

#include "core/run/score.h"
#include "core/run/session.h"

struct dsr_eval_result {
    char job[37], model[128], grader[16];
    size_t n;
    struct dsr_score *scores;
    struct dsr_prices *prices; /* beside scores, in CNY */
    bool interrupted;
};

/* The score, or NULL. */
struct dsr_score *dsr_eval_result_find(const struct dsr_eval_result *result, const char *provider,
                                       const char *dataset);
/* Adds a score for a service; NULL when out of memory. Scores move when another is added. */
struct dsr_score *dsr_eval_result_add(struct dsr_eval_result *result,
                                      const struct dsr_settings *settings,
                                      const struct dsr_service *service, const char *dataset);
/* Puts an answer's record to its score; an unknown provider or dataset is ignored. */
int dsr_eval_result_put(struct dsr_eval_result *result, const json_t *body);
int dsr_eval_result_seal(struct dsr_eval_result *result);
void dsr_eval_result_clear(struct dsr_eval_result *result);

/* Reads a job's answers from a store into the result, whose scores are made from what is there.
 * services: those of the model, for prices. */
int dsr_eval_result_read(struct dsr_eval_result *result, const struct dsr_store *store,
                         const struct dsr_settings *settings, struct dsr_error *err);

/* What a job was started with. Owned; cleared with dsr_eval_job_clear. */
struct dsr_eval_job {
    char *model, *datasets, *providers, *grader, *end_time;
    int limit, repeat, shots, shard, shards;
    uint64_t seed;
    int64_t start_us;
};
/* DSR_EUSAGE when the store has no such eval job. */
int dsr_eval_job_read(struct dsr_eval_job *job, const struct dsr_store *store, const char *name,
                      struct dsr_error *err);
/* Both ask the same of the same, whichever shard each is. */
bool dsr_eval_job_is_same(const struct dsr_eval_job *a, const struct dsr_eval_job *b);
void dsr_eval_job_clear(struct dsr_eval_job *job);
json_t *dsr_eval_job_body(const struct dsr_eval_job *job);

#endif
