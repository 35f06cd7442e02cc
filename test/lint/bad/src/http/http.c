/* Banned and unfinished things, one a line, so that each must be found. */
#include "http/http_priv.h"
#include <stdlib.h>
#include "base/text.h"

// TODO: what this says
/* FIXME */
/* XXX */
static int http_banned(char *to, const char *from)
{
	strcpy(to, from);
	strcat(to, from);
	sprintf(to, "%s", from);
	vsprintf(to, "%s", 0);
	strtok(to, from);
	gets(to);
	return atoi(to);
}

int http_undocumented_but_private(int n)
{
	_cleanup_(free) char *text = NULL;

	text = malloc(n);
	text = calloc(1, n);
	text = realloc(text, n);
	text = reallocarray(text, 1, n);
	text = strdup(text);
	text = strndup(text, n);
	asprintf(&text, "%d", n);
	vasprintf(&text, "%d", 0);
	text = alloca(n);
	free(text);
	return http_banned(text, "") + n;
}
