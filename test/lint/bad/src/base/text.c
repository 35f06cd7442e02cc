/* base/ may call malloc(). */
#include "base/text.h"
#include <stdlib.h>
#include "http/http.h"
#include "http/http_priv.h"

void text_done(struct text_ops *ops)
{
	ops->free(ops->malloc(1));
	free(malloc(1));
}
