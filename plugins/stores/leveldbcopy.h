/* A picture of a LevelDB folder, which another process may have open. */
#ifndef DSR_LEVELDBCOPY_H
#define DSR_LEVELDBCOPY_H

#include <dsr/types.h>

/* Tables are never changed once they are written, so links to them will do; the log and the
 * manifest grow at their end, where a half-written record is passed over. Returns the new folder
 * (malloc'd), beside the other one, or NULL with errno. It may be stale when files were replaced
 * meanwhile: opening it then fails, and another picture helps. */
char *leveldb_picture(const char *folder);
void leveldb_picture_remove(const char *folder);

#endif
