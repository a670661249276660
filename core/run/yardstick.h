/* The one yardstick for tokens: the model's own tokenizer. */
#ifndef DSR_YARDSTICK_H
#define DSR_YARDSTICK_H

#include "core/chat/tokenizer.h"
#include "core/config/settings.h"

/* The tokenizer of a model: "tokenizer" of models.json is a name, whose file download_datasets.sh
 * puts into full/tokenizer/NAME/tokenizer.json, or a path to a file; "chat_template" tells its chat
 * layout ("deepseek-v3" or "deepseek-r1"). file: another tokenizer.json, or NULL. DSR_ENOTFOUND
 * when the file is not there. */
int dsr_yardstick_open(struct dsr_tokenizer **tokenizer, const struct dsr_settings *settings,
                       const char *model, const char *file, struct dsr_error *err);

#endif
