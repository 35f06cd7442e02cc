#include "text.h"
#include "base/missing.h"
#include "nowhere/text.h"

typedef struct http_head {
	int n;
} http_head;

int http_undocumented(int n);
