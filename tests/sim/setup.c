/* --write-config: a config and a data folder that lead dsr-run to this simulator. */
#include "tests/sim/sim.h"

static int write_json(const char *folder, const char *name, json_t *json, struct dsr_error *err)
{
    DSR_AUTO(str) char *path = dsr_format("%s/%s", folder, name);
    int bad = path && json ? json_dump_file(json, path, JSON_INDENT(2)) : -1;
    json_decref(json);
    return bad ? dsr_error_file(err, DSR_EIO, path ? path : folder, 0, "can't be written") : 0;
}

static json_t *make_services(const struct sim *sim)
{
    json_t *services = json_object(), *root = json_object();
    for (size_t i = 0; i < sim->n; i++) {
        const struct dsr_service *s = sim->services[i];
        json_t *entry = json_copy((json_t *)s->json);
        DSR_AUTO(str)
        char *url =
            dsr_format("http://127.0.0.1:%d/%s%s", sim->port, s->code, sim->providers[i].path);
        json_object_set_new(entry, "base_url", json_string(url));
        json_object_set_new(services, s->code, entry);
    }
    if (sim->n)
        json_object_set(root, sim->services[0]->model_code, services);
    json_decref(services);
    return root;
}

static json_t *make_keys(const struct sim *sim)
{
    json_t *keys = json_object();
    for (size_t i = 0; i < sim->n; i++)
        json_object_set_new(keys, sim->services[i]->code,
                            json_pack("{s:s}", "default", "env:DSR_SIM_KEY"));
    return keys;
}

int sim_write_setup(const struct sim *sim, const char *folder, struct dsr_error *err)
{
    DSR_AUTO(str) char *config = dsr_format("%s/config", folder);
    DSR_AUTO(str) char *data = dsr_format("%s/data", folder);
    int rc = config && data ? dsr_folder_make(config, err) : dsr_error_nomem(err);
    if (!rc)
        rc = dsr_folder_make(data, err);
    if (!rc)
        rc = write_json(data, "services.json", make_services(sim), err);
    if (!rc)
        rc = write_json(config, "api_keys.json", make_keys(sim), err);
    if (!rc)
        rc = write_json(config, "cron.json",
                        json_pack("{s:s, s:[s], s:i}", "log", "../results/csv", "perf_models",
                                  sim->n ? sim->services[0]->model_code : "", "max_workers_per_job",
                                  64),
                        err);
    if (!rc)
        rc = write_json(config, "currency_conversion.json",
                        sim->settings.currency.root ? json_incref(sim->settings.currency.root)
                                                    : json_object(),
                        err);
    if (!rc)
        rc = write_json(config, "db.json",
                        json_pack("{s:s}", "conn_str", "leveldb:///../results/db"), err);
    return rc;
}
