/* Tests may look into the folder that they test, not into others; and sprintf() is out. */
#include "../unit.h"
#include "http/http_priv.h"
#include "web/web_priv.h"

static void test_print(char *to)
{
	sprintf(to, "x");
	free(to);
}
