/* Functions that grew: one past the hard stop, one long, one marked with its reason. */
#include "base/text.h"

static int web_grown(int n)
{
	return (n && n && n && n && n && n && n && n && n && n && n && n && n && n && n && n) ||
		(n || n || n || n || n || n || n || n || n || n || n || n || n || n || n || n);
}

static int web_long(int n)
{
	return n ? n : n || n || n || n || n || n || n || n || n || n || n || n || n || n || n || n;
}

/* lint: table, one row a value */
static int web_table(int n)
{
	return n ? n : n || n || n || n || n || n || n || n || n || n || n || n || n || n || n || n;
}

/* lint: table, */
static int web_without_reason(int n)
{
	return n ? n : n || n || n || n || n || n || n || n || n || n || n || n || n || n || n || n;
}

/* lint: table, not needed */
static int web_short(int n)
{
	return web_grown(n) + web_long(n) + web_table(n) + web_without_reason(n) + web_short(n);
}

/* lint: table, of nothing */
