/*
 * What a comment names must be there: text_init() and base/text.h are, from here too; web_gone() is
 * not, nor are web/gone.c and gone.h.
 */
#include "base/text.h"

/* Beside it: format.c. Patterns such as text_*_gone() and names of others (libc.so.6, www.gone.com)
 * are none of ours; a_gone() is. */
void web_named(struct text_ops *ops)
{
	text_init(ops); /* gone.tbl.h */
}
