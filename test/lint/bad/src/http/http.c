/* Banned and unfinished things. */
#include "http/http_priv.h"
#include <stdlib.h>
#include "base/text.h"

// TODO: what this says
static int http_banned(char *to, const char *from)
{
	char *copy = strdup(from);

	strcpy(to, copy);
	free(copy);
	return atoi(to) + sprintf(to, "%s", from);
}

int http_undocumented_but_private(int n)
{
	_cleanup_(free) char *text = NULL;

	return http_banned(text, "") + n;
}
