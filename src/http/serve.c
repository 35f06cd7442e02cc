/* Which protocol a visitor's connection speaks. */
#include "http/http_priv.h"
#include "tls/tls.h"

static const struct {
	struct span alpn; /* RFC 7301 6 */
	void (*serve)(const struct http_server *server, struct conn *c);
} protocols[] = {
	{ SPAN("http/1.1"), h1_serve }, /* the first is for whoever agreed on none */
};

void http_serve(const struct http_server *server, struct conn *c)
{
	struct tls_info info = { 0 };
	unsigned i = array_len(protocols);

	if (c->secure)
		tls_conn_info(c, &info);
	do
		i--;
	while (i > 0 && !span_eq(protocols[i].alpn, info.alpn));
	protocols[i].serve(server, c);
}
