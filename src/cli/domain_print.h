/* How `torhaus domain` shows domains and changes: as a table, as text, as JSON. */
#pragma once
#include "base/jsonw.h"
#include "domain/domain.h"

/* Name, web names, origins and preset in columns; long lists are cut to their first element. */
void domain_print_table(struct buf *out, enum fault_lang lang, const struct domain_row *rows, unsigned n);
/* All keys, durations as NAME_ms, and when and by whom it was changed; an object of its own. */
void domain_print_json(struct jsonw *j, const char *key, const struct domain_row *row);
/* "+ domain a.de", "- domain b.de", "~ domain c.de", each with its lines that come or go. */
void domain_print_changes(struct buf *out, const struct domain_change *changes, unsigned n);
void domain_print_changes_json(struct jsonw *j, const char *key, const struct domain_change *changes, unsigned n);
